"""What each number of a service is in each environment, and what made it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bayplan.model import units
from bayplan.model.quantity import GPU_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from fractions import Fraction

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service

HALVES = ("requests", "limits")
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One number in one environment: in the unit of its resource, as people read it, and what made it."""

    amount: int
    shown: str
    why: str
    lower: int | None = None
    """At the lower end of a range, where that is another number."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number of one service, or of all of them together: environment → cell; who has none is left out."""

    subject: str
    key: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Ends:
    """What the factors of environments make of them beside the fleets that are planned.

    Attributes:
        lower: environment → its fleet at the lower end of its ranges, of those that have any.
        copies: environment → what it multiplies numbers of copies by.
    """

    lower: Mapping[str, Fleet] = field(default_factory=dict)
    copies: Mapping[str, Fraction] = field(default_factory=dict)


def rows(fleets: Mapping[str, Fleet], names: Iterable[Name] | None = None, ends: Ends | None = None) -> list[Row]:
    """Return a row for each number of each service and pool, then the sums of one copy each, then those of all copies.

    Args:
        fleets: environment → its fleet, as it should be.
        names: the services to show; all of them, the nodes, the pools and the sums, if none are named.
        ends: the other ends of ranges.
    """
    found = _rows(fleets, names, ends or Ends())
    if ends is None or not ends.lower:
        return found
    low = {(row.subject, row.key): row for row in _rows({**fleets, **ends.lower}, names, ends)}
    return [_between(row, low.get((row.subject, row.key))) for row in found]


def _rows(fleets: Mapping[str, Fleet], names: Iterable[Name] | None, ends: Ends) -> list[Row]:
    every = sorted({name for fleet in fleets.values() for name in fleet.services})
    shown = every if names is None else sorted(names)
    found = [row for name in shown for row in _of_service(fleets, name, ends.copies)]
    if names is not None:
        return found
    pools = sorted({key for fleet in fleets.values() for key in fleet.pools})
    found += [row for name in pools for row in _of_pool(fleets, name)]
    return [_nodes(fleets), *found, *_sums(fleets, each=True), *_sums(fleets, each=False)]


def _between(high: Row, low: Row | None) -> Row:
    """Return a row with both ends of what is a range."""
    ends = {env: (low.cells.get(env) if low else None, cell) for env, cell in high.cells.items()}
    return replace(
        high, cells={env: cell if one is None else _range_of(one, cell) for env, (one, cell) in ends.items()}
    )


def _range_of(low: Cell, high: Cell) -> Cell:
    if low.amount == high.amount:
        return high
    why = high.why if low.why == high.why else f"{low.why}; {high.why}"
    return Cell(high.amount, f"{low.shown} to {high.shown}", why, low.amount)


def _nodes(fleets: Mapping[str, Fleet]) -> Row:
    """Return how many nodes each environment has, which nothing multiplies."""
    there = {env: sorted(fleet.nodes) for env, fleet in fleets.items()}
    return Row("nodes", "", {env: Cell(len(names), str(len(names)), _listed(names)) for env, names in there.items()})


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _of_service(fleets: Mapping[str, Fleet], name: Name, factors: Mapping[str, Fraction]) -> list[Row]:
    here = {env: fleet.services[name] for env, fleet in fleets.items() if name in fleet.services}
    copies = {env: _copies(one, factors.get(env)) for env, one in here.items()}
    return [Row(str(name), "replicas", copies), *_halves(str(name), "", here), *_cards(str(name), here)]


def _of_pool(fleets: Mapping[str, Fleet], name: str) -> list[Row]:
    quotas = {env: _Quota(**fleet.pools[name].quota) for env, fleet in fleets.items() if name in fleet.pools}
    return _halves(f"pool {name}", "quota.", quotas)


@dataclass(frozen=True, slots=True)
class _Quota:
    """What a pool gets together: half → resource → amount."""

    requests: Mapping[str, Quantity] = field(default_factory=dict)
    limits: Mapping[str, Quantity] = field(default_factory=dict)


def _halves(subject: str, key: str, here: Mapping[str, Service | _Quota]) -> list[Row]:
    found = []
    for half in HALVES:
        resources = sorted({key for one in here.values() for key in getattr(one, half)})
        for resource in resources:
            amounts = {env: getattr(one, half).get(resource) for env, one in here.items()}
            cells = {env: _cell(resource, amount) for env, amount in amounts.items() if amount is not None}
            found.append(Row(subject, f"{key}{half}.{resource}", cells))
    return found


def _cards(subject: str, here: Mapping[str, Service]) -> list[Row]:
    """Return what services ask of cards: VRAM, whole cards, slices."""
    asks = {env: one.gpu for env, one in here.items() if one.gpu is not None}
    shares = {env: Cell(ask.memory, _show(GPU_MEMORY, ask.memory), "") for env, ask in asks.items() if ask.memory}
    whole = {env: Cell(ask.count, str(ask.count), "") for env, ask in asks.items() if ask.count}
    return [Row(subject, key, cells) for key, cells in (("gpu.memory", shares), ("gpu.count", whole)) if cells]


def _copies(service: Service, factor: Fraction | None) -> Cell:
    replicas = service.replicas
    said = [f"x {float(factor):g}"] if factor is not None and factor != 1 else []
    said += [f"{replicas.minimum} to {replicas.maximum}"] if replicas.scaled else []
    return Cell(replicas.count, str(replicas.count), ", ".join(said))


def _cell(resource: str, amount: Quantity) -> Cell:
    """Return a number with what made it: `500m x 0.5`, and where it is written if no factor did."""
    if amount.was is not None and amount.source.startswith("environment "):
        factor = amount.source.rpartition(" ")[2]
        return Cell(amount.amount, _show(resource, amount.amount), f"{_show(resource, amount.was.amount)} x {factor}")
    copied = f"limits.{resource}, {amount.source}" if amount.source == "qos guaranteed" else amount.source
    return Cell(amount.amount, _show(resource, amount.amount), copied if copied != "policy" else "")


def _sums(fleets: Mapping[str, Fleet], *, each: bool) -> list[Row]:
    subject = "one copy of each" if each else "all copies"
    found = []
    for half in HALVES:
        resources = sorted({key for fleet in fleets.values() for one in fleet.active() for key in getattr(one, half)})
        for resource in resources:
            cells = {}
            for env, fleet in fleets.items():
                parts = [
                    getattr(one, half)[resource].amount * (1 if each else one.replicas.count)
                    for one in fleet.active()
                    if resource in getattr(one, half)
                ]
                cells[env] = Cell(sum(parts), _show(resource, sum(parts)), f"{len(parts)} services")
            found.append(Row(subject, f"{half}.{resource}", cells))
    return found


def _show(resource: str, amount: int) -> str:
    if resource == "cpus":
        return f"{amount}m"
    return units.show(resource, amount)


def table(found: Iterable[Row], environments: Iterable[str]) -> list[list[str]]:
    """Return rows as words for columns: subject, key, then a cell for each environment; `-` where there is none."""
    envs = list(environments)
    lines = [["service", "", *envs]]
    last = ""
    for row in found:
        lines.append(
            [row.subject if row.subject != last else "", row.key, *(_words(row.cells.get(env)) for env in envs)]
        )
        last = row.subject
    return lines


def _words(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return f"{cell.shown}  ({cell.why})" if cell.why else cell.shown


def as_data(found: Iterable[Row]) -> list[dict[str, Any]]:
    """Return rows as data."""
    return [
        {
            "subject": row.subject,
            "key": row.key,
            "environments": {
                env: {"amount": cell.amount, "shown": cell.shown, "why": cell.why}
                | ({} if cell.lower is None else {"lower": cell.lower})
                for env, cell in row.cells.items()
            },
        }
        for row in found
    ]
