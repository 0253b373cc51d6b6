"""`bayplan apply`: a plan, carried out on the nodes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayplan.cli.bundles import find
from bayplan.cli.show import columns, data, talk
from bayplan.errors import Exit, UsageError
from bayplan.place.words import several
from bayplan.rollout import apply as hands
from bayplan.rollout.summary import Row, cut_moves, rows

if TYPE_CHECKING:
    from rich.console import Console

    from bayplan.rollout.bundle import Bundle


@click.command("apply")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--env", metavar="NAME", help="The environment, if PLAN is a policy that has several.")
@click.option("--inventory", type=click.Path(path_type=Path), help="Ansible inventory [inventory/FLEET/hosts.yml].")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("-C", "--check", is_flag=True, help="Touch nothing; show what would change.")
@click.option("-D", "--diff", is_flag=True, help="Show what changes, line by line.")
@click.option("-l", "--limit", metavar="NODES", default="", help="Only these nodes, separated by commas.")
@click.option("--resume", is_flag=True, help="Go on with this plan where it was interrupted.")
@click.pass_context
def command(
    context: click.Context,
    plan: Path,
    env: str | None,
    inventory: Path | None,
    limit: str,
    *,
    yes: bool,
    check: bool,
    diff: bool,
    resume: bool,
) -> None:
    """Carry PLAN out: a folder plans/DIGEST, its digest, or a policy that is planned now.

    \b
    bayplan apply plans/15c3720b7cee --check --diff
    bayplan apply policies/bev
    bayplan apply policies/bev --resume

    Ends with 4 if the nodes are not as they were when the plan was made, 5 if a step was taken back, 6 if a person has
    to decide.
    """
    bundle = find(plan, env)
    chosen = nodes(bundle, limit)
    told = rows(bundle, chosen)
    show(data(), bundle, told)
    if not told:
        context.exit(Exit.FINE)
    if not check:
        agree(sum(row.restarts for row in told), yes=yes)
    outcome = hands.apply(
        bundle, data().print, inventory=inventory, limit=chosen, check=check, diff=diff, resume=resume
    )
    (data() if outcome.exit_code is Exit.FINE else talk()).print(outcome.words)
    context.exit(outcome.exit_code)


def nodes(bundle: Bundle, limit: str) -> tuple[str, ...]:
    """Return the nodes that `--limit` names; none means all.

    Raises:
        UsageError: if one is unknown, or a move would be torn apart.
    """
    chosen = tuple(sorted({name.strip() for name in limit.split(",") if name.strip()}))
    unknown = sorted({*chosen} - {*bundle.nodes})
    if unknown:
        raise UsageError(f"no node {', '.join(unknown)} in this plan; it has {', '.join(bundle.nodes)}")
    torn = cut_moves(bundle, chosen)
    if torn:
        raise UsageError(f"{torn[0]}: name both nodes in --limit, or neither")
    return chosen


def show(console: Console, bundle: Bundle, told: tuple[Row, ...]) -> None:
    """Print what will be done, wave by wave."""
    console.print(f"plan {bundle.plan} of {bundle.data['policy']} ({bundle.data['environment']})")
    if not told:
        console.print("nothing to do: the nodes are as the policy says")
        return
    table = [("wave", "stage", "what", "where", "restarts", "downtime", "undo")]
    for row in told:
        many = f"{row.kind} {row.services} service{'s' if row.services != 1 else ''}"
        table.append((str(row.number), row.stage, many, row.nodes, str(row.restarts or "-"), row.downtime, row.undo))
    for line in columns(table):
        console.print(f"  {line}")
    restarts = sum(row.restarts for row in told)
    services = sum(row.services for row in told)
    console.print(f"{several(len(told), 'wave')}, {several(services, 'step')}, {several(restarts, 'restart')}")


def agree(restarts: int, *, yes: bool) -> None:
    """Ask before anything is touched.

    Raises:
        UsageError: if nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked without a terminal; say --yes if it is meant, or --check to look only")
    click.confirm(f"Apply it? {several(restarts, 'restart')}", abort=True, err=True)
