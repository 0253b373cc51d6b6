"""`bayplan rollback`: a plan, taken back."""

from __future__ import annotations

from pathlib import Path

import click

from bayplan.cli.apply_verb import agree
from bayplan.cli.bundles import find
from bayplan.cli.show import data, talk
from bayplan.errors import Exit
from bayplan.rollout import apply as hands
from bayplan.rollout.summary import rows


@click.command("rollback")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--inventory", type=click.Path(path_type=Path), help="Ansible inventory [inventory/FLEET/hosts.yml].")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("-C", "--check", is_flag=True, help="Touch nothing; show what would change.")
@click.option("-D", "--diff", is_flag=True, help="Show what changes, line by line.")
@click.pass_context
def command(context: click.Context, plan: Path, inventory: Path | None, *, yes: bool, check: bool, diff: bool) -> None:
    """Take PLAN back: files, limits, images and placement as they were before it, data as it is today.

    What was moved is moved back with its current data; nothing that was written since is lost.

    \b
    bayplan rollback plans/15c3720b7cee
    """
    bundle = find(plan, None)
    told = rows(bundle)
    moved = sum(row.services for row in told if row.kind == "move")
    data().print(f"plan {bundle.plan} of {bundle.data['policy']} ({bundle.data['environment']}) is taken back")
    data().print(f"{moved} services move back with their data of today, then limits, files and containers as before")
    if not check:
        agree(sum(row.restarts for row in told), yes=yes)
    outcome = hands.rollback(bundle, data().print, inventory=inventory, check=check, diff=diff)
    (data() if outcome.exit_code is Exit.FINE else talk()).print(outcome.words)
    context.exit(outcome.exit_code)
