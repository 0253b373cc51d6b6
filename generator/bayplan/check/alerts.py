"""`alerts:` as rules see them: their lines as numbers, what they watch on which node, and where they had to be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from bayplan.finding import NOWHERE, Place
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.ledger import Row
    from bayplan.check.moment import Moment
    from bayplan.check.survey import Survey
    from bayplan.source import Node

_LINE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(.*)")
_BAND = re.compile(r"([0-9.]+)% *\.\. *([0-9.]+)%")
BUSY = "gpu"
"""The key of the band for the time in which cards are busy."""
_USE = frozenset({"usage", "used", "use", "utilization", "utilisation", "util", "busy", "percent", "pct"})
_SAME = {"cpu": CPUS, "ram": MEMORY, "mem": MEMORY, "vram": GPU_MEMORY, "disks": "disk", "filesystem": "disk",
         "gpus": BUSY}  # fmt: skip
_FALLING = frozenset(
    {"free", "available", "availability", "battery", "remaining", "left", "headroom", "uptime", "success", "hit",
     "hits", "healthy", "ready"}
)  # fmt: skip
"""Words of what there should be much of: it is told below a line."""
_UNITS = {
    "/second": ("rate", Fraction(1)), "/minute": ("rate", Fraction(1, 60)), "/hour": ("rate", Fraction(1, 3600)),
    "/day": ("rate", Fraction(1, 86400)),
    "us": ("time", Fraction(1, 10**6)), "ms": ("time", Fraction(1, 1000)), "s": ("time", Fraction(1)),
    "m": ("time", Fraction(60)), "min": ("time", Fraction(60)), "h": ("time", Fraction(3600)),
    "d": ("time", Fraction(86400)),
    "KB": ("size", Fraction(10**3)), "MB": ("size", Fraction(10**6)), "GB": ("size", Fraction(10**9)),
    "TB": ("size", Fraction(10**12)), "KiB": ("size", Fraction(2**10)), "MiB": ("size", Fraction(2**20)),
    "GiB": ("size", Fraction(2**30)), "TiB": ("size", Fraction(2**40)),
    "W": ("power", Fraction(1)), "kW": ("power", Fraction(1000)),
    "% of limit": ("%", Fraction(1)),
}  # fmt: skip
"""Unit → what is measured in it, and how many of the smallest one it is."""
WHOLE = 100


def meant(name: str) -> tuple[str, str]:
    """Return whose use an alert watches and of what: `gpu.memory_used` → `gpu`, `gpu_memory`."""
    whose, _, what = name.partition(".")
    parts = [part for part in re.split(r"[_.-]", what.lower()) if part not in _USE]
    plain = "_".join(parts)
    plain = _SAME.get(plain, plain)
    if whose == "gpu":
        plain = {MEMORY: GPU_MEMORY, "": BUSY}.get(plain, plain)
    return whose, plain


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold: its number and its unit (`%`, `% of request`, `/hour`, `C`, …), and where it stands."""

    key: str
    node: Node
    number: Fraction
    unit: str

    @classmethod
    def read(cls, key: str, node: Node) -> Line | None:
        """Return what a threshold says, or None if it is taken back."""
        found = _LINE.fullmatch(word(node))
        return cls(key, node, Fraction(found[1]), found[2].strip()) if found else None

    @property
    def size(self) -> tuple[str, Fraction]:
        """Return what is measured, and how much: lines of one kind can be compared, whatever their units are."""
        kind, factor = _UNITS.get(self.unit, (self.unit, Fraction(1)))
        return kind, self.number * factor

    @property
    def is_share(self) -> bool:
        """Whether it is a percentage of what there is."""
        return self.unit in {"%", "% of limit"}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert and its lines, the warning first; what has no line watches nothing."""

    name: str
    node: Node
    lines: tuple[Line, ...]

    @property
    def watched(self) -> str:
        """Return the resource of nodes that it watches, or nothing."""
        whose, what = meant(self.name)
        of_node = whose == "node" and what in (CPUS, MEMORY, "disk", GPU_MEMORY)
        return what if of_node or (whose == "gpu" and what == GPU_MEMORY) else ""

    @property
    def falls(self) -> bool:
        """Whether less of it is worse, so that it is told below its lines: what is free, left or available."""
        return not _FALLING.isdisjoint(re.split(r"[_.-]", self.name.lower()))

    @property
    def band(self) -> str:
        """Return the key of the band that is about the same, or nothing."""
        whose, what = meant(self.name)
        return BUSY if whose in ("node", "gpu") and what == BUSY else self.watched

    @property
    def lowest(self) -> Line:
        """Return the line that is crossed first."""
        return min(self.lines, key=lambda line: line.size[1])

    def line(self, key: str) -> Line | None:
        """Return its warning or its critical line."""
        return next((line for line in self.lines if line.key == key), None)


def alerts(survey: Survey) -> Iterator[Alert]:
    """Yield the alerts of a policy that have a line, by name."""
    section = survey.at("alerts")
    for name, node in sorted(section.items() if section else ()):
        said = [(key, node.get(key)) for key in ("warning", "critical")]
        lines = [Line.read(key, one) for key, one in said if one is not None]
        there = tuple(line for line in lines if line is not None)
        if there:
            yield Alert(name, node, there)


def band_of(survey: Survey, key: str) -> tuple[Fraction, Fraction, Node] | None:
    """Return how busy nodes should be by the policy: from, to, in percent, and where that stands."""
    node = survey.at("bands", key) if key else None
    found = _BAND.fullmatch(word(node)) if node is not None else None
    return (Fraction(found[1]), Fraction(found[2]), node) if found and node is not None else None


def rows(moment: Moment, node: str, resource: str) -> Iterator[Row]:
    """Yield the rows of a node that an alert on a resource looks at: each disk and each card has its own."""
    for row in moment.rows.get(node, ()):
        kind = row.resource.partition("/")[0]
        if row.capacity and (kind == resource or (resource == "disk" and kind.startswith(DISK))):
            yield row


def decoupled(row: Row) -> bool:
    """Whether use says nothing of a bar: requests of CPU that may fill a node whole are weights, not use."""
    return row.resource == CPUS and row.line >= row.capacity


def over(survey: Survey, alert: Alert) -> dict[str, tuple[Row, Row | None]]:
    """Return node → its row in the end and today, where the plan as it is puts the node over a line of an alert.

    Nodes that are over their own line are left to those who speak of capacity.
    """
    found: dict[str, tuple[Row, Row | None]] = {}
    if not (alert.watched and survey.complete and all(line.is_share for line in alert.lines)):
        return found
    for node in survey.fleet.nodes:
        for row in rows(survey.after, node, alert.watched):
            if percent(row.bar, row.capacity) > alert.lowest.number and row.bar <= row.line and not decoupled(row):
                today = next((one for one in survey.before.rows.get(node, ()) if one.resource == row.resource), None)
                found.setdefault(node, (row, today))
    return found


def percent(part: int, whole: int) -> Fraction:
    """Return a share in percent, exact."""
    return Fraction(WHOLE * part, whole)


def shown(number: Fraction) -> str:
    """Return a percentage for people, with one digit where it needs one."""
    return f"{floor(number * 10 + Fraction(1, 2)) / 10:g} %"


def ceiling_of(survey: Survey, alert: Alert) -> Fraction:
    """Return how full the fullest node may get by its ceiling, in percent; 0 where that says nothing about use."""
    looked = (row for node in survey.fleet.nodes for row in rows(survey.after, node, alert.watched))
    highest = max((percent(row.line, row.capacity) for row in looked if not decoupled(row)), default=Fraction(0))
    return Fraction(ceil(highest * 100), 100)  # lines are cut to whole bytes


def ceilings_over(survey: Survey, alert: Alert) -> tuple[Place, ...]:
    """Return where ceilings are written that lie above the lowest line of an alert."""
    found = (
        share.place
        for _, node in sorted(survey.fleet.nodes.items())
        for resource, share in sorted(node.ceilings.items())
        if resource.partition(":")[0] == alert.watched and share.value * WHOLE > alert.lowest.number
    )
    return tuple(dict.fromkeys(place for place in found if place != NOWHERE))


def above(survey: Survey, alert: Alert, least: Fraction = Fraction(0)) -> str:
    """Return a fragment with the alert's lines above all that is planned, allowed and wished, or nothing.

    Args:
        survey: the fleet.
        alert: the alert.
        least: what they have to be above in any case, in percent.
    """
    value = raised(survey, alert, least)
    return survey.paste(("alerts", alert.name), value) if value else ""


def raised(survey: Survey, alert: Alert, least: Fraction = Fraction(0)) -> dict[str, str]:
    """Return which of the alert's lines have to be others, as `above` says them; none if they cannot be."""
    band, planned = band_of(survey, alert.band), over(survey, alert).values()
    bars = [percent(row.bar, row.capacity) for row, _ in planned]
    least = max([least, ceiling_of(survey, alert), *(band[1:2] if band else ()), *bars])
    value: dict[str, str] = {}
    for line, later in zip(alert.lines, (*alert.lines[1:], None), strict=True):
        number = line.number
        if number < least or (value and number <= least):
            number = _between(least, later.number if later and later.number > least else Fraction(WHOLE))
            value[line.key] = f"{float(number):g}%"
        least = max(least, number)
    return value if least < WHOLE else {}


def _between(low: Fraction, high: Fraction) -> Fraction:
    """Return a short number between two: half the way, without digits where there is room."""
    middle = (low + high) / 2
    return next((Fraction(one) for one in (floor(middle), ceil(middle)) if low < one < high), middle)
