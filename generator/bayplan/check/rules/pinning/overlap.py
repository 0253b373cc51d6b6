"""Sets of cores of one node that share cores: neither is anybody's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.coregroups import MOST_GROUPS
from bayplan.analyse.cores import OS, show_cores
from bayplan.check.coreset import Said, mapped, said_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.quantity import CPUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.coregroups import Shares
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Node

RULE = Rule("pinning/overlap", Severity.WARNING)
_MILLI = 1000


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each set that shares cores with one that is written before it, and each such line."""
    for node in mapped(survey):
        owners: dict[int, list[str]] = {}
        for name, some in sorted(node.core_map.items(), key=lambda pair: node.core_places.get(pair[0], node.place)):
            shared: dict[str, list[int]] = {}
            for core in some if name != OS else ():
                for other in owners.setdefault(core, []):
                    shared.setdefault(other, []).append(core)
                owners[core].append(name)
            if shared:
                yield _finding(survey, node, name, shared)
    yield from _lines(survey)


def _lines(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each line of a service that names cores of a set, or some of another line's and others.

    Cores within those of another line may be meant so. Where both ask for more than there is, or are to be kept apart,
    that is what is told.
    """
    said: set[Said] = set()
    apart = {one.name for pair in survey.pairs if pair.common for one in (pair.one, pair.other)}
    for name, here in survey.shares.items():
        node = survey.fleet.nodes[name]
        crowds = [set(one.cores) for one in here.crowded()]
        kept = set(node.core_map.get(OS, ()))
        sets = {some for some in node.core_map.values() if not kept & set(some)}
        written = sorted(
            (one.place, cores, one)
            for cores, group in here.pinned.items()
            if cores not in node.core_map.values()
            and not kept & set(cores)
            and (one := said_of(survey, group.services[0])) is not None
        )
        before: list[tuple[int, ...]] = []
        for _, cores, line in written if len(written) <= MOST_GROUPS else ():
            others = [*sorted(sets), *(one for one in before if not _within(one, cores))]
            shared = [one for one in others if set(one) & set(cores)]
            before.append(cores)
            told = any(set(cores) <= crowd for crowd in crowds) or not apart.isdisjoint(
                one.name for one in here.pinned[cores].services
            )
            if shared and line not in said and not told and cores[-1] * _MILLI < node.has(CPUS):
                said.add(line)
                yield _of_line(survey, here, line, cores, shared)


def _within(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return set(one) <= set(other) or set(other) <= set(one)


def _of_line(
    survey: Survey, here: Shares, line: Said, cores: tuple[int, ...], shared: list[tuple[int, ...]]
) -> Finding:
    node, names = here.loose.node, {some: name for name, some in here.loose.node.core_map.items()}
    users = {some: names.get(some) or here.pinned[some].services[0].name for some in shared}
    taken = {core for some in shared for core in some}
    left = [core for core in cores if core not in taken]
    left += [core for core in here.free if core not in cores][: len(cores) - len(left)]
    room = len(left) * _MILLI >= here.pinned[cores].asked
    places = [
        said.place
        for some in shared
        if some in here.pinned and (said := said_of(survey, here.pinned[some].services[0]))
    ]
    return RULE.finding(
        line.place,
        line.subject,
        f"runs on cores {show_cores(taken & set(cores))} of {node.name}, which are those of "
        f"{' and '.join(str(one) for one in users.values())} too",
        arithmetic="; ".join(
            f"{show_cores(cores)} and {show_cores(some)} ({name}) share {show_cores(set(some) & set(cores))}"
            for some, name in users.items()
        ),
        remedy="" if left and room else "name cores that are nobody else's",
        paste=survey.paste(line.path, show_cores(left)) if left and room else "",
        also=tuple(dict.fromkeys([*(node.core_places[names[one]] for one in shared if one in names), *places])),
    )


def _finding(survey: Survey, node: Node, name: str, shared: dict[str, list[int]]) -> Finding:
    some = node.core_map[name]
    path = survey.node_path(node.name, "core_map")
    listed = " and ".join(f"{show_cores(cores)} with {other}" for other, cores in shared.items())
    sets = _parted(survey, node, name, shared)
    return RULE.finding(
        node.core_places.get(name, node.place),
        ".".join((*path, name)),
        f"is not a set of its own on {node.name}: it shares {listed}",
        arithmetic="; ".join(
            f"{show_cores(some)} and {show_cores(node.core_map[other])} ({other}) share {show_cores(cores)}"
            for other, cores in shared.items()
        ),
        remedy="" if sets else "name cores that are in no other set, or use one set for both",
        paste=survey.paste(path, sets) if sets else "",
        also=tuple(node.core_places.get(other, node.place) for other in shared),
    )


def _parted(survey: Survey, node: Node, name: str, shared: dict[str, list[int]]) -> dict[str, str]:
    """Return sets that share nothing and hold who stands on them: this one changed, else the others; empty if none do.

    This one keeps what nobody else has, and gets free cores for the rest.
    """
    some, others = node.core_map[name], {core for cores in shared.values() for core in cores}
    taken = {core for cores in node.core_map.values() for core in cores}
    free = [core for core in range(node.has(CPUS) // _MILLI) if core not in taken]
    left = [core for core in some if core not in others]
    mine = {name: [*left, *free[: len(some) - len(left)]]}
    theirs = {other: [core for core in node.core_map[other] if core not in some] for other in shared}
    for sets in (mine, theirs):
        if all(
            cores and len(cores) * _MILLI >= _asked(survey, node, node.core_map[one]) for one, cores in sets.items()
        ):
            return {one: show_cores(cores) for one, cores in sets.items()}
    return {}


def _asked(survey: Survey, node: Node, some: tuple[int, ...]) -> int:
    """Return the thousandths of a CPU that those ask for who are confined to a set."""
    here = survey.shares.get(node.name)
    group = here.pinned.get(some) if here else None
    return group.asked if group else 0
