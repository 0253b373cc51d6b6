"""A smaller story: some services of a fleet with all that they depend on, and the policy that speaks of no others."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from bayplan.model.names import Instance, Name
from bayplan.policy.patterns import matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.placement import Placement


def chosen(fleet: Fleet, placement: Placement, count: int) -> frozenset[Name]:
    """Return at least `count` services, closed under what they depend on.

    Movers and those with a change of ports or copies come first; then members of each pool, tier and project by
    turns, so that every kind of step has something to do.
    """
    active = [service for _, service in sorted(fleet.services.items()) if service.active]
    movers = [one.name for one in active if _moves(fleet, placement, one.name)]
    special = [
        one.name for one in active if one.remap_ports or one.replicas.count > 1 or len(_rivals(fleet, one.name)) > 1
    ]
    groups: dict[str, list[Name]] = {}
    for one in active:
        groups.setdefault(f"{one.pool or one.tier} {one.name.project}", []).append(one.name)
    turns = [name for some in zip_longest(*groups.values()) for name in some if name is not None]
    found: set[Name] = set()
    for name in (*movers, *special, *turns):
        if len(found) >= count and name not in (*movers, *special):
            break
        found |= _closure(fleet, name)
    return frozenset(found)


def _moves(fleet: Fleet, placement: Placement, name: Name) -> bool:
    first = Instance(name, 1)
    seat = placement.seats.get(first)
    return seat is not None and fleet.standing.get(first, seat.node) != seat.node


def _rivals(fleet: Fleet, name: Name) -> list[Name]:
    """Return who publishes a port that this service publishes, on the same node today, itself too."""
    wanted = {(port.published, port.protocol) for port in fleet.services[name].ports if port.published}
    node = fleet.standing.get(Instance(name, 1))
    return [
        other
        for other, service in fleet.services.items()
        if fleet.standing.get(Instance(other, 1)) == node
        and wanted & {(port.published, port.protocol) for port in service.ports if port.published}
    ]


def _closure(fleet: Fleet, name: Name) -> set[Name]:
    found: set[Name] = set()
    todo = [name]
    while todo:
        one = todo.pop()
        if one not in found and one in fleet.services:
            found.add(one)
            todo += [Name(one.project, other) for other in fleet.services[one].body.get("depends_on") or ()]
    return found


def narrowed(
    document: Mapping[str, Any], names: Iterable[Name], volumes: Iterable[Name], networks: Iterable[Name]
) -> dict[str, Any]:
    """Return a policy without what would match nothing of those names."""
    everyone = tuple(names)
    tree = dict(document)
    for section, known in (("services", everyone), ("volumes", tuple(volumes)), ("networks", tuple(networks))):
        if section in tree:
            tree[section] = {key: said for key, said in tree[section].items() if _path(key) or matching(key, known)}
    for section in ("tiers", "pools"):
        tree[section] = {key: _members(group, everyone) for key, group in (tree.get(section) or {}).items()}
    tree["pools"] = {key: pool for key, pool in tree["pools"].items() if pool.get("services") or pool.get("tiers")}
    tree["edges"] = {
        key: edge for key, edge in (tree.get("edges") or {}).items() if matching(str(edge["to"]), everyone)
    }
    return {key: value for key, value in tree.items() if value != {}}


def _path(key: str) -> bool:
    return key.startswith(("/", "~")) or "/./" in key


def _members(group: Mapping[str, Any], names: tuple[Name, ...]) -> dict[str, Any]:
    made = dict(group)
    if "services" in made:
        made["services"] = [one for one in made["services"] if _selects(one, names)]
    return made


def _selects(selector: str, names: tuple[Name, ...]) -> bool:
    kind, _, rest = selector.partition("/")
    if kind in {"tier", "pool"}:
        return True
    return any(name.project == rest for name in names) if kind == "project" else bool(matching(selector, names))
