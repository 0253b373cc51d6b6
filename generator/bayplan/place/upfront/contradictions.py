"""Fixed placements that contradict what holds a service, or what ties it to others: no solver is needed to see them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from bayplan.analyse.addresses import address
from bayplan.analyse.ports import published
from bayplan.finding import Finding, Place, error
from bayplan.model.names import Name
from bayplan.place.conflict import amend
from bayplan.place.constraints.rules import Near, Together
from bayplan.place.constraints.ties import bridge_of
from bayplan.place.upfront.whereabouts import Tie, Whereabouts, cut_ties
from bayplan.place.words import several

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.model.fleet import Network
    from bayplan.model.service import Mount, Service
    from bayplan.place.constraints.holds import Hold
    from bayplan.place.constraints.lines import Key
    from bayplan.place.constraints.problem import Problem

Cause = tuple[Finding, frozenset["Key"]]
_FEW = 5
"""So many mounts of a volume are shown, each with its place."""
_LISTENS = {
    "elasticsearch": 9200, "mariadb": 3306, "memcached": 11211, "minio": 9000, "mongo": 27017, "mysql": 3306,
    "nats": 4222, "opensearch": 9200, "postgres": 5432, "pgvector": 5432, "postgis": 5432, "rabbitmq": 5672,
    "redis": 6379, "timescaledb": 5432, "valkey": 6379, "vault": 8200,
}  # fmt: skip
"""Image → the port that it listens on."""


def against_holds(problem: Problem, where: Whereabouts) -> Iterator[Cause]:
    """Yield what is fixed to another node than the one its mounts or addresses hold it on.

    One finding for each network whose addresses are kept, and one for each placement line and what it leaves behind.
    """
    static: dict[Name, list[Hold]] = {}
    held: dict[tuple[Place, tuple[Name, ...], str], list[Hold]] = {}
    for hold in problem.holds:
        service = hold.service
        target = where.fixed.get(service.name)
        if target and set(hold.standing) - {target} and hold.line.key not in problem.dropped:
            if hold.line.kind == "static":
                static.setdefault(hold.what[0], []).append(hold)
            else:
                held.setdefault((service.placement.place, hold.what, target), []).append(hold)
    for (_, _, target), some in held.items():
        yield _held(some, target), frozenset(hold.line.key for hold in some)
    for network, some in sorted(static.items()):
        yield _static(network, some, where), frozenset(hold.line.key for hold in some)


def _held(some: list[Hold], target: str) -> Finding:
    first = some[0]
    rule = "bind/held" if first.line.kind == "bind" else "volume/held"
    freed = ", ".join(f"{amend.key_of(what)}: {{on_move: carry}}" for what in first.what)
    names = ", ".join(str(hold.service.name) for hold in some)
    left = ", ".join(sorted({node for hold in some for node in hold.standing} - {target}))
    one = len(some) == 1
    why = first.why if one else first.why.replace("it mounts", "they mount").replace("its node", "their node")
    return error(
        rule,
        first.service.placement.place,
        str(first.service.name),
        f"{names} {'is' if one else 'are'} to move from {left} to {target}, but {why}",
        f"or leave {names} on {left}",
        paste=f"volumes: {{{freed}}}",
        also=tuple(dict.fromkeys(place for hold in some for place in (hold.place, hold.line.place))),
    )


def _static(network: Name, held: list[Hold], where: Whereabouts) -> Finding:
    services = [hold.service for hold in held]
    targets = ", ".join(sorted({where.fixed[service.name] for service in services}))
    return error(
        "network/static-address",
        services[0].placement.place,
        str(network),
        f"{several(len(services), 'service')} with a fixed address on {network} cannot keep it on {targets}",
        paste=f"networks: {{{network}: {{static_addresses: drop-when-moved}}}}",
        arithmetic=", ".join(f"{hold.service.name} ({hold.why})" for hold in held),
        also=tuple(dict.fromkeys(hold.place for hold in held)),
    )


def against_ties(problem: Problem, where: Whereabouts) -> Iterator[Cause]:
    """Yield each volume, network or group that a fixed placement cuts, where its other members cannot follow."""
    cut = cut_ties(problem, where)
    for tie in cut:
        if isinstance(tie, Together):
            yield _split(problem, tie, where), _keys(tie)
        elif tie.lines[0].kind != "edge":
            yield _apart(problem, tie, where), _keys(tie)
    yield from _edges(problem, [tie for tie in cut if isinstance(tie, Near) and tie.lines[0].kind == "edge"], where)


def _keys(*ties: Tie) -> frozenset[Key]:
    return frozenset(line.key for tie in ties for line in tie.lines)


def _movers(problem: Problem, names: tuple[Name, ...], where: Whereabouts) -> list[Service]:
    """Return the services that the policy itself moves, or if none moves, those that it fixes."""
    services = [problem.fleet.services[name] for name in sorted(names) if name in where.fixed]
    moved = [one for one in services if where.stays.get(one.name, "") != where.fixed[one.name]]
    return moved or services


def _split(problem: Problem, tie: Together, where: Whereabouts) -> Finding:
    movers = _movers(problem, tie.users, where)
    line = tie.lines[0]
    here = Counter(where.presumed(name) or "nowhere yet" for name in tie.users)
    targets = {where.fixed[one.name] for one in movers}
    parts = [_goes(number, node, targets) for node, number in sorted(here.items(), key=_most)]
    return error(
        "volume/split",
        movers[0].placement.place,
        line.subject,
        f"{several(len(tie.users), 'service')} mount {line.subject}, {' and '.join(parts)}",
        f"or drop the placement of {', '.join(str(one.name) for one in movers)}; "
        f"or volumes: {{{line.subject}: {{access: network}}}}; or volumes: {{{line.subject}: {{on_move: own}}}}",
        paste=_together(
            movers, [where.presumed(name) for name in tie.users if name not in {one.name for one in movers}]
        ),
        arithmetic=f"{len(tie.users)} = {' + '.join(str(number) for _, number in sorted(here.items(), key=_most))}",
        also=_others(movers, line.place, *_mounts(problem, tie)),
    )


def _mounts(problem: Problem, tie: Together) -> tuple[Place, ...]:
    """Return where the few mounts of a volume stand; of many, it is their number that matters."""
    services = [problem.fleet.services[name] for name in tie.users if len(tie.users) <= _FEW]
    mounts = [(_real_name(problem, service, mount), mount) for service in services for mount in service.mounts]
    project, _, key = tie.lines[0].subject.partition("/")
    volume = problem.fleet.volumes.get(Name(project, key))
    real = volume.real_name if volume is not None and volume.real_name else f"{project}_{key}"
    return tuple(mount.place for name, mount in mounts if name == real)


def _real_name(problem: Problem, service: Service, mount: Mount) -> str:
    """Return what Docker calls the volume of a mount, empty if it is none."""
    volume = problem.fleet.volumes.get(Name(service.name.project, mount.source))
    named = volume.real_name if volume is not None else ""
    return (named or f"{service.name.project}_{mount.source}") if mount.kind == "volume" else ""


def _together(movers: Iterable[Service], homes: Iterable[str]) -> str:
    """Return the fragment that lets movers stand where most of the others do; empty if that is nowhere yet."""
    found = sorted(Counter(home for home in homes if home).items(), key=_most)
    if not found:
        return ""
    return amend.show(("services",), {str(one.name): {"placement": found[0][0]} for one in movers})


def _goes(number: int, node: str, targets: set[str]) -> str:
    goes, stays = ("goes", "stays") if number == 1 else ("go", "stay")
    return f"{number} {goes} to {node}" if node in targets else f"{number} {stays} on {node}"


def _most(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _others(movers: list[Service], *places: Place) -> tuple[Place, ...]:
    first, *rest = dict.fromkeys(one.placement.place for one in movers)
    return tuple(dict.fromkeys(place for place in (*places, *rest) if place != first))


def _apart(problem: Problem, tie: Near, where: Whereabouts) -> Finding:
    mover = _movers(problem, (tie.service, tie.to), where)[0]
    other = tie.to if mover.name == tie.service else tie.service
    rule = "placement/affinity" if tie.lines[0].kind == "affinity" else "network/mode-group"
    places = f"{where.presumed(tie.service)} and {where.presumed(tie.to)}"
    message = f"{tie.service} and {tie.to} belong on one node ({tie.why}), but are bound to {places}"
    remedy = f"give both the same placement, or drop the one of {mover.name}"
    paste = _together([mover], [where.presumed(other)])
    return error(rule, mover.placement.place, str(mover.name), message, remedy, also=(tie.lines[0].place,), paste=paste)


def _edges(problem: Problem, cut: list[Near], where: Whereabouts) -> Iterator[Cause]:
    """Yield one finding for each network that refuses, and one for each service that cannot be reached."""
    refused: dict[str, list[Near]] = {}
    unreachable: dict[Name, list[Near]] = {}
    for tie in cut:
        bridge, network = bridge_of(problem.fleet, problem.fleet.services[tie.service], problem.fleet.services[tie.to])
        if bridge == "refuse":
            refused.setdefault(_title(network), []).append(tie)
        else:
            unreachable.setdefault(tie.to, []).append(tie)
    for title, ties in sorted(refused.items()):
        yield _refused(problem, title, ties, where), _keys(*ties)
    for to, ties in sorted(unreachable.items()):
        yield _unreachable(problem, to, ties, where), _keys(*ties)


def _title(network: Network | None) -> str:
    return str(network.name) if network else "default"


def _all_movers(problem: Problem, ties: list[Near], where: Whereabouts) -> list[Service]:
    names = tuple(sorted({name for tie in ties for name in (tie.service, tie.to)}))
    return _movers(problem, names, where)


def _refused(problem: Problem, title: str, ties: list[Near], where: Whereabouts) -> Finding:
    movers = _all_movers(problem, ties, where)
    counted = Counter(str(tie.to) for tie in ties)
    shown = " + ".join(f"{number} to {name}" for name, number in sorted(counted.items()))
    said = [one.place for one in problem.fleet.networks.values() if str(one.name) == title]
    return error(
        "network/edges-cut",
        movers[0].placement.place,
        title,
        f"{several(len(ties), 'dependency edge')} over {title} {'is' if len(ties) == 1 else 'are'} cut by the moves",
        "or overlay, or proxy; or keep the services together",
        paste=f"networks: {{{title}: {{between_nodes: published}}}}",
        arithmetic=f"{shown} = {len(ties)}",
        also=_others(movers, *said, *(tie.lines[0].place for tie in ties)),
    )


def _unreachable(problem: Problem, to: Name, ties: list[Near], where: Whereabouts) -> Finding:
    movers = _all_movers(problem, ties, where)
    names = ", ".join(str(tie.service) for tie in ties)
    ends = [problem.fleet.services[name] for name in (to, *(tie.service for tie in ties))]
    paste = _published(problem, to, where)
    return error(
        "network/edge-unreachable",
        movers[0].placement.place,
        str(to),
        f"{names} would reach {to} from another node, but {ties[0].why}",
        f"{'' if paste else f'publish a port of {to} under its own number, '}or use between_nodes: overlay or proxy, "
        "or keep them together",
        arithmetic=several(len(ties), "edge"),
        paste=paste,
        also=_others(movers, *(tie.lines[0].place for tie in ties), *_stated(ends)),
    )


def _stated(services: Iterable[Service]) -> Iterator[Place]:
    """Yield the lines that say where services stand."""
    return (one.placement.place for one in services if one.placement.node)


def _published(problem: Problem, to: Name, where: Whereabouts) -> str:
    """Return the fragment that publishes the port of a service on its node, empty if nobody knows which that is.

    It is what it publishes under another number, exposes, or is known to listen on, if nobody there has it.
    """
    service = problem.fleet.services[to]
    exposed = [int(text) for one in service.body.get("expose") or () if (text := str(one)).isdigit()]
    image = service.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    known = [port.target for port in published(service)] or exposed or [_LISTENS.get(image, 0)]
    node = problem.fleet.nodes.get(where.presumed(to))
    taken = {port.published for one in problem.services for port in published(one)}
    if node is None or not known[0] or known[0] in taken or service.network_mode:
        return ""
    host = f"{node.address}:" if address(node.address) is not None else ""
    ports = [*map(str, service.ports), f"{host}{known[0]}:{known[0]}"]
    return f"services: {{{to}: {{compose: {{ports: [{', '.join(map(json.dumps, ports))}]}}}}}}"
