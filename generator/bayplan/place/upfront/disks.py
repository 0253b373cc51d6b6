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
    from bayplan.place.constraints.lines import Key
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
        line = problem.disk_line(shared)
        rooms = [(problem.room(node, node.disk_of(shared.volume)), node) for node in _nodes(problem, shared)]
        if not rooms or any(room is None or room >= line.amount for room, _ in rooms):
            continue
        left = [((room or 0) - sum(_beside(shared, node, bound)), node) for room, node in rooms]
        _, node = max(left, key=lambda one: (one[0], one[1].name))
        told.add(shared.volume.name)
        yield _over(problem, shared, node, line.amount, _beside(shared, node, bound)), frozenset({line.key})
    for node in problem.nodes:
        yield from _together(problem, node, bound, told)


def _together(problem: Problem, node: Node, bound: _Bound, told: set[Name]) -> Iterator[Cause]:
    for disk in sorted(f"{DISK}{name}" for name in node.disks):
        room = problem.room(node, disk)
        some = {one.volume.name: (amount, one) for one, amount in bound.get((node.name, disk), ())}
        charged = {name: one for name, one in some.items() if name not in told}
        if room is None or sum(amount for amount, _ in charged.values()) <= room:
            continue
        name = max(charged, key=lambda one: (charged[one][0], one))
        amount, shared = charged[name]
        keys = (problem.disk_line(one).key for _, one in charged.values())
        yield _over(problem, shared, node, amount, _beside(shared, node, bound)), frozenset(keys)


def _bound(problem: Problem, where: Whereabouts) -> _Bound:
    """Return node and disk → the volumes with a user that the policy binds there, with what they take."""
    found: _Bound = {}
    for shared in problem.sized:
        copies: dict[str, int] = {}
        for user in shared.users:
            if (name := where.fixed.get(user, "")) in problem.fleet.nodes:
                copies[name] = copies.get(name, 0) + problem.fleet.services[user].replicas.count
        each = shared.volume.access == "per-replica"
        for name, count in copies.items():
            amount = problem.disk_line(shared).amount * (count if each else min(1, count))
            disk = problem.fleet.nodes[name].disk_of(shared.volume)
            found.setdefault((name, disk), []).append((shared, amount))
    return found


def _beside(shared: SharedVolume, node: Node, bound: _Bound) -> tuple[int, ...]:
    """Return what other volumes that are bound to a node take of the same disk, by name; those that fit it alone."""
    disk = node.disk_of(shared.volume)
    others = ((one.volume.name, amount) for one, amount in bound.get((node.name, disk), ()) if one is not shared)
    return tuple(amount for _, amount in sorted(others) if amount <= node.room(disk))


def _over(problem: Problem, shared: SharedVolume, node: Node, amount: int, others: tuple[int, ...]) -> Finding:
    line, disk = problem.disk_line(shared), node.disk_of(shared.volume)
    whole, kept = node.room(disk), node.reserved(disk)
    room = whole - sum(others)
    share = node.ceilings.get(disk)
    of = f"{float(share.value * 100):g} % of {show(disk, node.has(disk))}" if share else "all"
    sums = " + ".join(show(disk, one) for one in (amount, *others))
    beside = f" beside {len(others)} other{'s' if len(others) > 1 else ''}" if others else ""
    copies = amount // line.amount
    return error(
        "volumes/over-disk",
        line.place,
        str(shared.volume.name),
        f"{shared.volume.name} does not fit on the {disk.removeprefix(DISK)} of {node.name}{beside}",
        "" if room // copies >= _GB else "make room for it there, or put its services elsewhere",
        write=f"{room // copies // _GB}GB" if room // copies >= _GB else "",
        arithmetic=f"{sums} > {show(disk, whole)} = {of}" + (f" - reserve {show(disk, kept)}" if kept else ""),
        also=(node.place,),
    )


def _nodes(problem: Problem, shared: SharedVolume) -> list[Node]:
    """Return the nodes on which every user of a volume may stand, and which have a disk for it or name none."""
    users, volume = [problem.fleet.services[name] for name in shared.users], shared.volume
    suited = [node for node in problem.nodes if not volume.disk_class or volume.disk_class in node.disks]
    return [node for node in suited if all(may_stand(user, node) for user in users)]
