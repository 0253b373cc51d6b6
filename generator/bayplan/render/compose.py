"""The Compose files: one for each node and project, so that volumes keep their names and containers stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayplan.model.names import Name
from bayplan.render.disks import volume_body
from bayplan.render.emit import Said, bare, emit
from bayplan.render.service import ordered, service_body
from bayplan.render.standing import Standing, standings
from bayplan.render.ties import DEFAULT_NETWORK

if TYPE_CHECKING:
    from bayplan.model.fleet import Fleet, Network, Node
    from bayplan.model.placement import Placement


def compose_files(fleet: Fleet, placement: Placement, policy: str) -> dict[str, str]:
    """Return `<node>/<project>/compose.yaml` → text.

    Args:
        fleet: TO-BE.
        placement: where its copies stand.
        policy: the policy folder as it is written in the header.
    """
    trees = compose_trees(fleet, placement)
    header = (
        f"Made by `bayplan compile {policy}` from the policy `{policy}`; edit that, not this file.\n"
        "A comment behind a value says where the value comes from."
    )
    return {
        f"{node}/{project}/compose.yaml": emit(tree, header, apart=2) for (node, project), tree in sorted(trees.items())
    }


def compose_trees(fleet: Fleet, placement: Placement) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (node, project) → the tree of its Compose file, derived values with their reason."""
    here: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for standing in standings(fleet, placement):
        key = (standing.node.name, standing.service.name.project)
        for name, group in _named(standing):
            here[key][name] = service_body(group)
    return {
        (node, project): _document(fleet, fleet.nodes[node], project, dict(sorted(services.items())))
        for (node, project), services in sorted(here.items())
    }


def bodies(fleet: Fleet, placement: Placement) -> dict[Name, Mapping[str, Any]]:
    """Return each service's Compose mapping without comments, as written on the first node that has it."""
    result: dict[Name, Mapping[str, Any]] = {}
    for standing in standings(fleet, placement):
        result.setdefault(standing.service.name, bare(service_body(standing)))
    return result


def _named(standing: Standing) -> list[tuple[str, Standing]]:
    """Return the Compose services that stand for the copies: one with replicas, or one for each set of cards."""
    parts = standing.parts(standing.service.name)
    return [(name, replace(standing, copies=copies)) for name, copies in parts.items()]


def _document(fleet: Fleet, node: Node, project: str, services: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {"name": project, "services": services}
    document["networks"] = _networks(fleet, project, services)
    document["volumes"] = _volumes(fleet, node, project, services)
    known = fleet.projects.get(project)
    for kind in ("secrets", "configs"):
        declared = getattr(known, kind) if known else {}
        used = {_reference(one) for body in services.values() for one in _uses(kind, body)}
        document[kind] = {key: declared[key] for key in sorted(used & set(declared))}
    return {key: value if key == "services" else ordered(value) for key, value in document.items() if value}


def _uses(kind: str, body: Mapping[str, Any]) -> list[Any]:
    """Return the secrets or configs that a service and its build ask for."""
    build = body.get("build")
    return [*(body.get(kind) or ()), *((build.get(kind) if isinstance(build, Mapping) else None) or ())]


def _reference(one: Any) -> str:
    return str(one.get("source", "")) if isinstance(one, Mapping) else str(one)


def _networks(fleet: Fleet, project: str, services: Mapping[str, Any]) -> dict[str, Any]:
    used: set[str] = set()
    for body in services.values():
        networks = body.get("networks") or {}
        used.update(networks if isinstance(networks, Mapping) else [str(one) for one in networks])
        # Who names no network joins the project's default one; it is written down where somebody has changed it.
        default = fleet.networks.get(Name(project, DEFAULT_NETWORK))
        if not networks and "network_mode" not in body and default is not None and default.body:
            used.add(DEFAULT_NETWORK)
    declared: dict[str, Any] = {}
    for key in sorted(used):
        network = fleet.networks.get(Name(project, key))
        body = dict(network.body) if network else {}
        if network and made_here(network):
            # Compose refuses a network that somebody made by hand before; so it is made, once, beside Compose.
            body["external"] = Said(value=True, comment=f"made on each node: {network.why}" if network.why else "made")
        declared[key] = body
    return declared


def made_here(network: Network) -> bool:
    """Whether the policy has a network made that the Compose file expects to be there."""
    return not network.external and bool(network.body.get("external"))


def _volumes(fleet: Fleet, node: Node, project: str, services: Mapping[str, Any]) -> dict[str, Any]:
    used = {
        str(mount["source"])
        for body in services.values()
        for mount in body.get("volumes") or ()
        if isinstance(mount, Mapping) and mount.get("type") == "volume" and mount.get("source")
    }
    declared: dict[str, Any] = {}
    for key in sorted(used):
        volume = fleet.volumes.get(Name(project, key))
        declared[key] = volume_body(fleet, node, volume) if volume else {}
    return declared
