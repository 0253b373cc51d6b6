"""`bayplan compile`: the files of each node, from the recorded decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bayplan import __version__, pipeline
from bayplan.cli.options import env_option, folders, policy_argument
from bayplan.cli.show import show_findings, talk
from bayplan.errors import Exit
from bayplan.place.words import several
from bayplan.render import tree

if TYPE_CHECKING:
    from pathlib import Path


@click.command("compile")
@policy_argument
@env_option
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if the files are stale.")
@click.option("--replan", is_flag=True, help="Decide anew, even where the recorded decision still holds.")
@click.pass_context
def command(
    context: click.Context,
    policy: Path,
    env: str | None,
    inventory: Path | None,
    out: Path | None,
    *,
    check: bool,
    replan: bool,
) -> None:
    """Write the Compose files of each node of POLICY, and the decision they follow from.

    The decision (placement.yml) is kept as long as it holds; --replan takes over what `bayplan plan` proposes.
    """
    space = folders(policy, inventory, out)
    found = pipeline.read(space, env)
    root = space.compiled / found.environment
    if check:
        stale = pipeline.stale(space, found)
        console = talk()
        show_findings(console, stale.findings)
        for line in stale.difference.lines():
            console.print(f"  {line}")
        if stale.difference or stale.findings:
            console.print(f"stale: run bayplan compile {policy}")
            context.exit(Exit.ERROR)
        console.print(f"{root}: up to date")
        return
    placement, news = pipeline.decide_or_keep(space, found, replan=replan)
    changes = tree.write(root, pipeline.compiled(found, placement), {"bayplan": __version__})
    console = talk()
    if news:
        console.print(news)
    for line in changes.lines():
        console.print(f"  {line}")
    console.print(f"{root}: {several(len(changes.lines()), 'file') if changes.lines() else 'no files'} changed")
