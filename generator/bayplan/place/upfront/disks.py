"""Volumes that are larger than the disks they may be on, alone or together with what is bound to the same node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.eligible import may_stand
from bayplan.finding import Finding, error
from bayplan.model.quantity import DISK
from bayplan.model.units import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.fleet import Node
    from bayplan.model.names import Name
    from bayplan.place.constraints.lines import Key, PolicyLine
    from bayplan.place.constraints.problem import Problem
    from bayplan.place.constraints.ties import SharedVolume
    from bayplan.place.upfront.whereabouts import Whereabouts

Cause = tuple[Finding, frozenset["Key"]]
_Bound = dict[tuple[str, str], list[tuple["SharedVolume", int]]]
_GB = 10**9


def disks(problem: Problem, where: Whereabouts) -> Iterator[Cause]:
    """Yield each volume that fits no disk of its class, and each node whose own volumes are too many for one."""
    bound = _bound(problem, where)
    told: set[Name] = set()
    for shared in problem.sized:
        line = _line(problem, shared)
        rooms = [
            (problem.room(node, line.detail), node) for node in _nodes(problem, shared) if _class(line) in node.disks
        ]
        if not rooms or any(room is None or room >= line.amount for room, _ in rooms):
            continue
        left = [(node, _beside(shared, node, bound)) for _, node in rooms]
        node, others = max(left, key=lambda one: (one[0].room(line.detail) - sum(one[1]), one[0].name))
        told.add(shared.volume.name)
        yield _over(problem, shared, node, line.amount, others), frozenset({line.key})
    for node in problem.nodes:
        yield from _together(problem, node, bound, told)


def _together(problem: Problem, node: Node, bound: _Bound, told: set[Name]) -> Iterator[Cause]:
    for disk in sorted(node.disks):
        room = problem.room(node, f"{DISK}{disk}")
        some = {one.volume.name: (amount, one) for one, amount in bound.get((node.name, disk), ())}
        charged = {name: one for name, one in some.items() if name not in told}
        if room is None or sum(amount for amount, _ in charged.values()) <= room:
            continue
        name = max(charged, key=lambda one: (charged[one][0], one))
        amount, shared = charged[name]
        keys = (_line(problem, one).key for _, one in charged.values())
        yield _over(problem, shared, node, amount, _beside(shared, node, bound)), frozenset(keys)


def _bound(problem: Problem, where: Whereabouts) -> _Bound:
    """Return node and class of disk → the volumes with a user that the policy binds there, with what they take."""
    found: _Bound = {}
    for shared in problem.sized:
        line = _line(problem, shared)
        copies: dict[str, int] = {}
        for user in shared.users:
            node = where.fixed.get(user, "")
            copies[node] = copies.get(node, 0) + problem.fleet.services[user].replicas.count
        each = shared.volume.access == "per-replica"
        for node, count in copies.items():
            amount = line.amount * (count if each else min(1, count))
            found.setdefault((node, _class(line)), []).append((shared, amount))
    return found


def _beside(shared: SharedVolume, node: Node, bound: _Bound) -> tuple[int, ...]:
    """Return what other volumes that are bound to a node take of the same disk, by name; those that fit it alone."""
    disk = shared.volume.disk_class
    others = ((one.volume.name, amount) for one, amount in bound.get((node.name, disk), ()) if one is not shared)
    return tuple(amount for _, amount in sorted(others) if amount <= node.room(f"{DISK}{disk}"))


def _over(problem: Problem, shared: SharedVolume, node: Node, amount: int, others: tuple[int, ...]) -> Finding:
    line = _line(problem, shared)
    whole, kept = node.room(line.detail), node.reserved(line.detail)
    room = whole - sum(others)
    share = node.ceilings.get(line.detail)
    disk = f"{float(share.value * 100):g} % of {show(line.detail, node.has(line.detail))}" if share else "all"
    sums = " + ".join(show(line.detail, one) for one in (amount, *others))
    beside = f" beside {len(others)} other{'s' if len(others) > 1 else ''}" if others else ""
    copies = amount // line.amount
    return error(
        "volumes/over-disk",
        line.place,
        str(shared.volume.name),
        f"{shared.volume.name} does not fit on the {_class(line)} of {node.name}{beside}",
        "" if room // copies >= _GB else "make room for it there, or put its services elsewhere",
        write=f"{room // copies // _GB}GB" if room // copies >= _GB else "",
        arithmetic=f"{sums} > {show(line.detail, whole)} = {disk}"
        + (f" - reserve {show(line.detail, kept)}" if kept else ""),
        also=(node.place,),
    )


def _line(problem: Problem, shared: SharedVolume) -> PolicyLine:
    return problem.demands[shared.volume.name, f"{DISK}{shared.volume.disk_class}"]


def _class(line: PolicyLine) -> str:
    return line.detail.removeprefix(DISK)


def _nodes(problem: Problem, shared: SharedVolume) -> list[Node]:
    """Return the nodes on which every user of a volume may stand."""
    users = [problem.fleet.services[name] for name in shared.users]
    return [node for node in problem.nodes if all(may_stand(user, node) for user in users)]
