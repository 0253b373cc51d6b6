"""Overlay networks where nobody speaks of Swarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.rules.network.external_elsewhere import nodes_of_networks
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("network/overlay-alone", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each overlay that a project makes, while the policy neither targets nor bridges by Swarm."""
    where = nodes_of_networks(survey)
    swarm = "swarm" in survey.fleet.targets
    for name, network in survey.fleet.networks.items():
        if swarm or network.driver != "overlay" or network.external or network.between_nodes == "overlay":
            continue
        if name in where:
            yield RULE.finding(
                network.written("driver"),
                name,
                "is an overlay network, which Docker makes in a Swarm only, and the policy speaks of none",
                arithmetic=f"targets: {', '.join(survey.fleet.targets)}; between_nodes: {network.between_nodes}",
                paste=survey.paste(("networks", str(name), "between_nodes"), "overlay"),
                remedy="that says that its nodes are a Swarm; else take driver: overlay away",
            )
