"""Changes that say the same, told once: 51 services whose cap is lifted are one line, not 51."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.plan.change import Change, Detail, Kind
from bayplan.plan.state import WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES = 3
_FIRST = ("replicas", "limits.memory", "limits.cpus", "requests.cpus", "requests.memory")
_LAST = ("cgroup_parent",)
_BRIDGE = ("depends_on", "extra_hosts")


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one kind, between the same nodes, with the same details and the same reason."""

    changes: tuple[Change, ...]
    details: tuple[str, ...]

    @property
    def first(self) -> Change:
        """Return the first of them: all others say the same."""
        return self.changes[0]

    @property
    def names(self) -> str:
        """Return whom it is about: the first names, and how many more."""
        names = [str(change.service) for change in self.changes]
        project = self.first.service.project
        same = all(change.service.project == project for change in self.changes)
        shown = [names[0], *(n.removeprefix(f"{project}/") if same else n for n in names[1:_NAMES])]
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        return ", ".join(shown) + more

    @property
    def where(self) -> str:
        """Return the node, or from where to where."""
        node, target = self.first.node, self.first.target
        return node if node == target else f"{node} → {target}"

    @property
    def restarts(self) -> int:
        """Return how many containers are replaced."""
        return sum(change.restarts for change in self.changes)


def grouped(changes: Iterable[Change]) -> tuple[Group, ...]:
    """Return the changes in groups, by kind, then by the first name."""
    groups: dict[tuple[object, ...], list[Change]] = {}
    order = tuple(Kind)
    for change in sorted(changes, key=lambda one: (order.index(one.kind), one.service)):
        words = detail_words(change)
        groups.setdefault((change.kind, change.node, change.target, words, change.mode, change.why), []).append(change)
    return tuple(Group(tuple(some), detail_words(some[0])) for some in groups.values())


def detail_words(change: Change) -> tuple[str, ...]:
    """Return what changes, in words: sizes first; a dependency that now crosses nodes is told as one thing."""
    keys = {detail.key for detail in change.details}
    hidden = {WEIGHT} if "requests.cpus" in keys else set()  # the weight follows from the request
    told = (
        detail.words()
        for detail in sorted(change.details, key=_rank)
        if not _is_bridge(detail) and detail.key not in hidden
    )
    words = [one for one in told if one]
    bridged = sorted({detail.key.split(".")[1] for detail in change.details if _cut(detail)})
    if bridged:
        words.append(f"reaches {', '.join(bridged)} over the network")
    if change.kind is Kind.SCHEDULE:
        words.insert(0, f"runs {change.mode}")
    return tuple(words)


def _rank(detail: Detail) -> tuple[int, str]:
    if detail.key in _LAST:
        return (len(_FIRST) + 1, detail.key)
    return (_FIRST.index(detail.key) if detail.key in _FIRST else len(_FIRST), detail.key)


def _is_bridge(detail: Detail) -> bool:
    return detail.key.split(".")[0] in _BRIDGE


def _cut(detail: Detail) -> bool:
    return detail.key.startswith("depends_on.") and detail.key.endswith(".condition") and detail.after is None
