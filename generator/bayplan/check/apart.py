"""Services that are not to share a core: which cores they may run on, and cores that would keep them apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayplan.analyse.cores import EXCLUSIVE, OS, SHARED, cores_in, kind, pinned, show_cores, whole_cores
from bayplan.check.coreset import said_of
from bayplan.model.quantity import CPUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.coregroups import Shares
    from bayplan.check.survey import Survey
    from bayplan.finding import Place
    from bayplan.model.fleet import Node
    from bayplan.model.names import Name
    from bayplan.model.service import Service

_MILLI = 1000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two services on one node that are to stand apart by cores, and may run on one.

    Attributes:
        node: where both stand.
        one, other: the services; the first says so.
        mine, theirs: the cores that they are confined to; empty if to none.
        more: those of whom the same line says the same, on the same cores as the other.
    """

    node: Node
    one: Service
    other: Service
    mine: tuple[int, ...]
    theirs: tuple[int, ...]
    more: tuple[Service, ...] = ()

    @property
    def others(self) -> str:
        """Return the others by name."""
        names = [str(one.name) for one in (self.other, *self.more)]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

    @property
    def common(self) -> str:
        """Return the cores of the first that the other runs on as well, if only on another thread of them."""
        both = whole_cores(self.node, self.mine) & whole_cores(self.node, self.theirs)
        return show_cores(core for core in self.mine if whole_cores(self.node, (core,)) <= both)

    def shown(self) -> str:
        """Return which cores each may run on."""
        mine, theirs = (show_cores(cores) if cores else "any" for cores in (self.mine, self.theirs))
        others = ", ".join(one.name.name for one in (self.other, *self.more))
        return f"{mine} ({self.one.name.name}) and {theirs} ({others})"


def pairs(survey: Survey) -> Iterator[Pair]:
    """Yield each two services that are to stand apart by cores and may meet on one, once; alike ones together."""
    seen: set[tuple[Name, Name]] = set()
    for service in survey.services:
        alike: dict[tuple[str, tuple[int, ...]], Pair] = {}
        for name in service.placement.anti_affinity.get("cores", ()):
            other = survey.fleet.services.get(name)
            pair = (min(service.name, name), max(service.name, name))
            if other is None or not other.active or name == service.name or pair in seen:
                continue
            seen.add(pair)
            both = set(survey.nodes_of.get(service.name, ())) & set(survey.nodes_of.get(name, ()))
            met = (_met(survey, survey.fleet.nodes[node], service, other) for node in sorted(both))
            found = next((one for one in met if one is not None), None)
            if found is not None:
                first = alike.setdefault((found.node.name, found.theirs), found)
                if first is not found:
                    alike[found.node.name, found.theirs] = replace(first, more=(*first.more, other))
        yield from alike.values()


def _met(survey: Survey, node: Node, one: Service, other: Service) -> Pair | None:
    if EXCLUSIVE in (kind(survey.fleet, one), kind(survey.fleet, other)):
        return None
    if any(_told_elsewhere(survey, node, service) for service in (one, other)):
        return None
    mine, theirs = (pinned(survey.fleet, service, node) for service in (one, other))
    if mine and theirs and not whole_cores(node, mine) & whole_cores(node, theirs):
        return None
    return None if _sets_overlap(node, mine, theirs) else Pair(node, one, other, mine, theirs)


def _told_elsewhere(survey: Survey, node: Node, service: Service) -> bool:
    """Whether a service asks for a set that a node does not have: then it is that which has to change."""
    word = kind(survey.fleet, service)
    return word not in ("", SHARED) and not pinned(survey.fleet, service, node)


def _sets_overlap(node: Node, mine: tuple[int, ...], theirs: tuple[int, ...]) -> bool:
    """Whether two sets of a node share cores: then it is the sets that have to change."""
    sets = set(node.core_map.values())
    return bool(mine != theirs and {mine, theirs} <= sets and set(mine) & set(theirs))


def lines(survey: Survey, pair: Pair) -> tuple[Place, tuple[Place, ...]]:
    """Return where it is said that two stand apart, and where their cores are said."""
    rule = survey.settings_of(pair.one, "placement", "anti_affinity", "cores")
    said = (said_of(survey, service) for service in (pair.one, pair.other, *pair.more))
    places = dict.fromkeys(one.place for one in said if one is not None)
    return rule.place if rule else pair.one.placement.place, tuple(places)


def parted(survey: Survey, pair: Pair) -> str:
    """Return a fragment that gives one of the two other cores, or each its part of those that they share."""
    here, node, one, other = survey.shares.get(pair.node.name), pair.node, pair.one, pair.other
    if here is None:
        return ""
    mine, theirs = pair.mine, pair.theirs
    ways = ((other, mine), (one, theirs))
    # Who names cores of his own moves rather than who is in a set, and one rather than several.
    turned = pair.more or (theirs in node.core_map.values() and mine not in node.core_map.values())
    for service, others in ways[::-1] if turned else ways:
        if others and (found := _elsewhere(here, node, service, set(others))):
            return survey.paste(survey.path_of(service, "cores"), found)
    if pair.more:
        return ""
    if not (mine or theirs):
        return _two_sets(survey, here, node, one, other)
    return _halves(survey, here, one, other) if mine == theirs else ""


def _asked(here: Shares, service: Service, copies: int) -> int:
    return here.loose.each(service) * copies


def _copies(here: Shares, service: Service) -> int:
    groups = (*here.pinned.values(), here.loose)
    return max(1, sum(copy.name == service.name for group in groups for copy in group.copies))


def _elsewhere(here: Shares, node: Node, service: Service, taken: set[int]) -> str:
    """Return a set, or free cores, with room for a service beside who is there, and none of the taken ones."""
    asked = _asked(here, service, _copies(here, service))
    for name, some in sorted(node.core_map.items()):
        group = here.pinned.get(some)
        room = len(some) * _MILLI - (group.asked if group else 0)
        if name != OS and not whole_cores(node, taken) & whole_cores(node, some) and room >= asked:
            return name
    free = [core for core in here.free if not whole_cores(node, taken) & whole_cores(node, (core,))]
    limit = service.limits.get(CPUS)
    wanted = max(asked, limit.amount if limit else 0)
    for needed in (max(1, -(-amount // _MILLI)) for amount in (wanted, asked)):
        if len(free) > needed:
            return show_cores(free[:needed])
    return ""


def _two_sets(survey: Survey, here: Shares, node: Node, one: Service, other: Service) -> str:
    first = _elsewhere(here, node, one, set())
    taken = set(node.core_map.get(first) or cores_in(first))
    second = _elsewhere(here, node, other, taken) if taken else ""
    return _both(survey, one, first, other, second) if second else ""


def _both(survey: Survey, one: Service, first: str, other: Service, second: str) -> str:
    both = {survey.path_of(one)[1]: {"cores": first}, survey.path_of(other)[1]: {"cores": second}}
    return survey.paste(("services",), both)


def _halves(survey: Survey, here: Shares, one: Service, other: Service) -> str:
    """Return a fragment that divides the cores which only these two share; empty if they do not fit apart."""
    group = next((group for group in here.pinned.values() if one.name in {copy.name for copy in group.copies}), None)
    if group is None or {copy.name for copy in group.copies} != {one.name, other.name}:
        return ""
    needed = max(1, -(-_asked(here, one, _copies(here, one)) // _MILLI))
    first, second = group.cores[:needed], group.cores[needed:]
    if not second or _asked(here, other, _copies(here, other)) > len(second) * _MILLI:
        return ""
    return _both(survey, one, show_cores(first), other, show_cores(second))
