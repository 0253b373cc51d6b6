"""`bayplan status`: what each node runs, which plan it follows, and who works on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayplan.cli.bundles import find
from bayplan.cli.options import format_option
from bayplan.cli.show import columns, data, talk
from bayplan.errors import Exit
from bayplan.render import data as as_data
from bayplan.rollout.look import look
from bayplan.rollout.standing import Standing, standing

if TYPE_CHECKING:
    from bayplan.rollout.look import Look


@click.command("status")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--env", metavar="NAME", help="The environment, if PLAN is a policy that has several.")
@click.option("--inventory", type=click.Path(path_type=Path), help="Ansible inventory [inventory/FLEET/hosts.yml].")
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, plan: Path, env: str | None, inventory: Path | None, form: str) -> None:
    """Show what runs and rests on each node of PLAN, or of a policy, and which plan it follows. Changes nothing."""
    bundle = find(plan, env)
    seen = look(bundle.fleet, bundle.inventory(inventory).resolve(), bundle.nodes)
    rows = {node: standing(bundle.data["nodes"][node], facts) for node, facts in sorted(seen.facts.items())}
    if form == "json":
        click.echo(as_data.text("status", _data(rows, seen)), nl=False)
    else:
        _show(rows, seen)
    context.exit(Exit.ERROR if seen.silent else Exit.FINE)


def _data(rows: dict[str, Standing], seen: Look) -> dict[str, Any]:
    nodes = {node: row.data() for node, row in rows.items()}
    return {"nodes": nodes, "silent": dict(sorted(seen.silent.items()))}


def _show(rows: dict[str, Standing], seen: Look) -> None:
    titles = ("node", "running", "resting", "missing", "others", "promised", "line", "used", "plan", "last")
    for line in columns([titles, *((node, *row.words()) for node, row in rows.items())]):
        data().print(line)
    for node, row in rows.items():
        if row.holder:
            data().print(f"{node}: locked by {row.holder}")
        if not row.journal:
            talk().print(f"{node}: its journal is damaged: a line is missing or was changed")
    for node, reason in sorted(seen.silent.items()):
        talk().print(f"{node}: nothing is known of it: {reason}")
    if seen.problem:
        talk().print(seen.problem)
