"""`bayplan explain`: what a rule or a key means, and where the values of a service come from, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from bayplan import pipeline
from bayplan.analyse.charge import charge
from bayplan.cli.manual import explain
from bayplan.cli.options import env_option, folders
from bayplan.cli.show import data
from bayplan.errors import UsageError
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.policy.patterns import matching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from bayplan.model.fleet import Fleet
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service

_BOTH = 2
"""Words that name a service: its policy and itself."""


@click.command("explain")
@click.argument("words", nargs=-1, required=True, metavar="RULE | KEY | POLICY SERVICE")
@env_option
def command(words: tuple[str, ...], env: str | None, inventory: Path | None, out: Path | None) -> None:
    """Explain a rule, a key of the policy language, or the numbers of a service: each layer, its place and its reason.

    \b
    bayplan explain capacity/over-line
    bayplan explain services.limits.memory
    bayplan explain policies/bev bev/postgres
    """
    if len(words) == 1:
        explain(data(), words[0])
        return
    if len(words) > _BOTH:
        raise UsageError("explain takes a rule, a key, or a policy and a service")
    policy, service = Path(words[0]), words[1]
    found = pipeline.read(folders(policy, inventory, out), env)
    pipeline.stop_if_broken(found)
    names = matching(service, found.to_be.services)
    if not names:
        raise UsageError(f"no service '{service}'; bayplan analyze {policy} --by service lists some")
    console = data()
    for name in names:
        _explain(console, found.to_be, found.to_be.services[name])


def _explain(console: Console, fleet: Fleet, service: Service) -> None:
    tier = fleet.tier_of(service)
    pool = f", pool {service.pool}" if service.pool else ""
    console.print(Text(str(service.name), style="bold"), f" at {service.place}")
    console.print(f"  tier {tier.name} (priority {tier.priority}){pool}, {service.replicas.count} copies")
    if service.why:
        console.print(f"  why: {service.why}")
    _layers(console, "requests", service.requests)
    _layers(console, "limits", service.limits)
    for resource in (CPUS, MEMORY):
        amount = charge(fleet, service, resource)
        words = (
            f"{units.show(resource, amount.amount)}, {amount.origin.value}" if amount else "nothing is known: unbounded"
        )
        console.print(f"  charged for {resource}: {words}")
    for copy, node in fleet.standing.items():
        if copy.service == service.name:
            console.print(f"  {copy} runs on {node} today")
    if service.placement.node:
        console.print(f"  is to stand on {service.placement.node} ({service.placement.place})")
    console.print()


def _layers(console: Console, half: str, amounts: Mapping[str, Quantity]) -> None:
    for resource, amount in amounts.items():
        for index, layer in enumerate(amount.layers):
            mark = f"  {half}.{resource}" if index == 0 else "      instead of"
            why = f"  ({layer.why})" if layer.why else ""
            shown = units.show(resource, layer.amount)
            console.print(f"{mark} = {shown}  {layer.source or layer.origin.value} at {layer.place}{why}")
