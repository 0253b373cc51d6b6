"""Cards that a Compose file names and a node does not have: Docker refuses to start the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Node
    from bayplan.model.service import Service
    from bayplan.source import Node as Yaml

RULE = Rule("gpu/no-such-card", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that names a card which its node does not have.

    Where the policy says what it asks of cards, they are given anew, and those that the file names are not used.
    """
    for service in survey.services:
        ask = service.gpu
        if ask is None or not ask.device_ids or ask.memory or ask.count or ask.profile:
            continue
        for name in survey.nodes_of.get(service.name, ()):
            node = survey.fleet.nodes[name]
            gone = [one for one in ask.device_ids if not _has(node, one)]
            if gone and len(ask.device_ids) <= len(node.gpus):  # of more than there are, it is that which is told
                yield _finding(survey, service, node, gone[0])
                break


def _has(node: Node, named: str) -> bool:
    """Whether a node has the card of this index or UUID, as far as that is known."""
    if named.isdigit():
        return int(named) < len(node.gpus)
    known = {card.uuid for card in node.gpus}
    return not named.startswith("GPU-") or "" in known or any(uuid.startswith(named) for uuid in known)


def _finding(survey: Survey, service: Service, node: Node, named: str) -> Finding:
    at, variable = _written(service, named)
    there = [one for one in service.gpu.device_ids if _has(node, one)] if service.gpu else []
    free = [str(card.index) for card in node.gpus if str(card.index) not in there]
    instead = free[0] if free else "0"
    place = at.place if at is not None else service.gpu.place if service.gpu else service.place
    path = survey.path_of(service, "compose", "environment", variable)
    return RULE.finding(
        place,
        service.name,
        f"names card {named}, but the cards of {node.name} are {_cards(node)}",
        arithmetic=f"{named} > {len(node.gpus)} - 1"
        if named.isdigit()
        else f"{len(node.gpus)} cards, none of them {named}",
        write=f'"{instead}"' if at is not None and not variable else "",
        paste=survey.paste(path, ",".join(there or [instead])) if variable else "",
        remedy="or say what it needs, and a card is chosen: gpu: 4GiB",
    )


def _cards(node: Node) -> str:
    return "0" if len(node.gpus) == 1 else f"0 to {len(node.gpus) - 1}"


def _written(service: Service, named: str) -> tuple[Yaml | None, str]:
    """Return where a card is named: in a list of them, or by the variable whose name is returned too."""
    tree = service.tree
    for key in ("deploy", "resources", "reservations", "devices"):
        tree = tree.get(key) if tree is not None else None
    for device in tree or ():
        for item in device.get("device_ids") or ():
            if item.string == named:
                return item, ""
    environment = service.tree.get("environment") if service.tree is not None else None
    for variable in ("NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"):
        said = environment.get(variable) if environment is not None else None
        if said is not None and named in [part.strip() for part in said.string.split(",")]:
            return said, variable
    return None, ""
