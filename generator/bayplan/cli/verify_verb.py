"""`bayplan verify`: what the policy says against what the kernel enforces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayplan.cli.bundles import find
from bayplan.cli.options import format_option
from bayplan.cli.show import data, talk
from bayplan.errors import Exit
from bayplan.render import data as as_data
from bayplan.rollout.audit import audit
from bayplan.rollout.look import look

if TYPE_CHECKING:
    from bayplan.rollout.audit import Drift
    from bayplan.rollout.bundle import Bundle
    from bayplan.rollout.look import Look


@click.command("verify")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--env", metavar="NAME", help="The environment, if PLAN is a policy that has several.")
@click.option("--inventory", type=click.Path(path_type=Path), help="Ansible inventory [inventory/FLEET/hosts.yml].")
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, plan: Path, env: str | None, inventory: Path | None, form: str) -> None:
    """Compare what PLAN, or a policy, says with what Docker was told and what the kernel enforces. Changes nothing.

    \b
    bayplan verify policies/bev

    Ends with 3 if anything differs, 1 if a node could not be asked.
    """
    bundle = find(plan, env)
    seen = look(bundle.fleet, bundle.inventory(inventory).resolve(), bundle.nodes)
    drifts = tuple(
        drift
        for node, facts in sorted(seen.facts.items())
        for drift in audit(bundle.data["nodes"][node]["expected"], facts, node)
    )
    if form == "json":
        click.echo(as_data.text("verify", _data(bundle, seen, drifts)), nl=False)
    else:
        _show(bundle, seen, drifts)
    context.exit(Exit.ERROR if seen.silent else Exit.VIOLATED if drifts else Exit.FINE)


def _data(bundle: Bundle, seen: Look, drifts: tuple[Drift, ...]) -> dict[str, Any]:
    return {
        "plan": bundle.plan,
        "fleet": bundle.fleet,
        "nodes": {node: len(bundle.data["nodes"][node]["expected"]) for node in sorted(seen.facts)},
        "silent": dict(sorted(seen.silent.items())),
        "drift": [
            {
                "node": one.node,
                "service": one.service,
                "key": one.key,
                "policy": one.wanted,
                "found": one.found,
                "where": one.where,
            }
            for one in drifts
        ],
    }


def _show(bundle: Bundle, seen: Look, drifts: tuple[Drift, ...]) -> None:
    for node in bundle.nodes:
        expected = bundle.data["nodes"][node]["expected"]
        own = [drift for drift in drifts if drift.node == node]
        if node in seen.silent:
            talk().print(f"{node}: nothing is known of it: {seen.silent[node]}")
        elif own:
            data().print(f"{node}: {len({drift.service for drift in own})} of {len(expected)} services differ")
            for drift in own:
                data().print(f"  {drift.words()}")
        else:
            data().print(f"{node}: {len(expected)} services are what the policy says, in Docker and in the kernel")
    if seen.problem:
        talk().print(seen.problem)
