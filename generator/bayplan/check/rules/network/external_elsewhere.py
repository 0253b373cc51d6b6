"""Networks and volumes that a project expects to be there, and that only another node has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Network

RULE = Rule("network/external-elsewhere", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each external network that is made on other nodes than those of its services."""
    makers: dict[str, Network] = {}
    keys: dict[str, Network] = {}
    for network in survey.fleet.networks.values():
        if not network.external and network.driver in ("", "bridge"):
            makers[network.real_name] = network
            keys.setdefault(network.name.name, network)
    where = nodes_of_networks(survey)
    for name, network in survey.fleet.networks.items():
        # Compose puts the project before a network's key: who writes the bare key means that one all the same.
        maker = makers.get(network.real_name) or keys.get(network.real_name)
        if not network.external or maker is None or network.between_nodes == "overlay":
            continue
        here, there = where.get(name, set()), where.get(maker.name, set())
        away = sorted(here - there)
        if not away or not there:
            continue
        key = str(name) if survey.at("networks", name.name) is None else name.name
        yield RULE.finding(
            network.place,
            name,
            f"expects the network {network.real_name} on {', '.join(away)}, but {maker.name.project} makes it on "
            f"{', '.join(sorted(there))} alone: a bridge does not span hosts",
            arithmetic=f"joined on {', '.join(sorted(here))}; made on {', '.join(sorted(there))}",
            paste=survey.paste(("networks", key, "external"), False),  # noqa: FBT003 - a value, not a flag
            remedy="it is then a network of its own there; what stands elsewhere is reached by published ports",
            also=(maker.place,),
        )


def nodes_of_networks(survey: Survey) -> dict[Name, set[str]]:
    """Return network → the nodes on which services are attached to it."""
    found: dict[Name, set[str]] = {}
    for service in survey.services:
        for link in service.networks:
            nodes = survey.nodes_of.get(service.name, ())
            found.setdefault(Name(service.name.project, link.network), set()).update(nodes)
    return found
