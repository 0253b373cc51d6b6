"""`bayplan plan`: what would change, why, and whether it can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from bayplan import pipeline
from bayplan.cli.options import env_option, folders, format_option, policy_argument
from bayplan.cli.show import counted, data, show_findings, show_ledger, talk
from bayplan.errors import Exit
from bayplan.model import units
from bayplan.place.words import several
from bayplan.plan.summary import grouped
from bayplan.render import data as as_data
from bayplan.render.markdown import plan_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from bayplan.place import Conflict
    from bayplan.plan.plan import Plan
    from bayplan.plan.stages import Stage
    from bayplan.plan.summary import Group

_DETAILS = 2
_LINES = 12


@click.command("plan")
@policy_argument
@env_option
@format_option("text", "markdown", "json")
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 if changes are pending.")
@click.option("--save/--no-save", default=True, show_default=True, help="Write PLAN.md to plans/DIGEST/.")
@click.option("--max-age", type=click.IntRange(1), metavar="DAYS", help="Warn of observed facts that are older.")
@click.pass_context
def command(
    context: click.Context,
    policy: Path,
    env: str | None,
    inventory: Path | None,
    out: Path | None,
    form: str,
    *,
    detailed_exitcode: bool,
    save: bool,
    max_age: int | None,
) -> None:
    """Show what would change to make POLICY true, and prove that it holds, or that it cannot.

    \b
    bayplan plan policies/bev
    bayplan plan policies/acgs --env staging --format markdown > comment.md
    """
    space = folders(policy, inventory, out)
    made = pipeline.plan(space, pipeline.read(space, env, max_age))
    if form == "json":
        click.echo(as_data.text("plan", as_data.plan(made)), nl=False)
    elif form == "markdown":
        click.echo(plan_markdown(made), nl=False)
    else:
        _show(data(), made)
    if save:
        talk().print(f"plans/{pipeline.save(space, made).name}/PLAN.md")
    pending = detailed_exitcode and made.holds and bool(made.changes)
    context.exit(Exit.CHANGES if pending else made.exit_code)


def _show(console: Console, made: Plan) -> None:
    console.print(Text(f"{made.to_be.name} ({made.to_be.environment}), today", style="bold underline"))
    show_ledger(console, made.before, made.as_is.nodes)
    _show_changes(console, made)
    title = "in the end" if made.placement else "as the policy wishes it: this cannot hold"
    console.print(Text(f"{made.to_be.name}, {title}", style="bold underline"))
    show_ledger(console, made.after, made.to_be.nodes, sums=made.placement is None)
    for conflict in made.conflicts:
        _show_conflict(console, conflict)
    if made.findings:
        console.print(Text("findings", style="bold underline"))
        show_findings(console, made.findings)
        console.print()
    _show_verdict(console, made)


def _show_changes(console: Console, made: Plan) -> None:
    for stage in made.stages:
        if stage.changes or len(made.stages) > 1:
            _show_stage(console, stage)


def _show_stage(console: Console, stage: Stage) -> None:
    restarts = sum(change.restarts for change in stage.changes)
    many = f"{several(len(stage.changes), 'change')}, {several(restarts, 'restart')}"
    counts = many if stage.changes else "no change"
    console.print(Text.assemble((f"stage {stage.cut.name}", "bold"), f"  {counts}", (f"  {stage.cut.why}", "dim")))
    for group in grouped(stage.changes):
        console.print(_line(group))
        if group.first.why:
            console.print(Text(f"        {group.first.why}", style="dim"))
    console.print()


def _line(group: Group) -> Text:
    details = "; ".join(group.details[:_DETAILS])
    more = f"; and {len(group.details) - _DETAILS} more" if len(group.details) > _DETAILS else ""
    symbol = f"{group.first.kind.symbol:>5} "
    return Text.assemble((symbol, "bold"), f"{group.names}  ", (f"{group.where}  ", "dim"), details + more)


def _show_conflict(console: Console, conflict: Conflict) -> None:
    console.print(Text(f"impossible: {conflict.message}", style="bold red"))
    console.print(f"  {conflict.arithmetic}")
    console.print(f"  {len(conflict.lines)} lines of the policy cannot hold together{_proof(conflict)}:")
    for line in conflict.lines[:_LINES]:
        console.print(Text(f"    {line.place}  {line.words}", style="dim"))
    if len(conflict.lines) > _LINES:
        console.print(Text(f"    and {len(conflict.lines) - _LINES} more (--format json has them all)", style="dim"))
    if conflict.remedies:
        console.print("  ways out, the cheapest first:")
        for remedy in conflict.remedies:
            console.print(f"    → {remedy.text}")
    else:
        console.print("  no single change that was tried is enough")
    console.print()


def _proof(conflict: Conflict) -> str:
    return "; without any one of them the others could" if conflict.proven else " (a smaller set may exist)"


def _show_verdict(console: Console, made: Plan) -> None:
    counts = ", ".join(f"{many} {kind}" for kind, many in made.counts().items()) or "no change"
    if made.holds:
        proof = "proven optimal" if made.placement and made.placement.optimal else "proven to fit"
        console.print(Text(f"holds, {proof}: {counts}; {made.unchanged} services unchanged", style="bold green"))
    else:
        console.print(
            Text(f"does not hold: {counted(made.findings)}, {len(made.conflicts)} conflicts", style="bold red")
        )
    if made.waves:
        restarts = sum(wave.restarts for wave in made.waves)
        moved = sum(wave.bytes_moved for wave in made.waves)
        carried = f", {units.show_bytes(moved)} moved" if moved else ""
        many = len(made.waves)
        console.print(f"{many} wave{'s' if many > 1 else ''}, {restarts} restarts{carried}")
    if made.relocked:
        many = len(made.relocked)
        console.print(f"differs from placement.yml for {many} copies; bayplan compile --replan writes it down")
