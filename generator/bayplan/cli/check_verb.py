"""`bayplan check`: every finding about a policy, without looking for a placement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bayplan import checkup, pipeline
from bayplan.cli.options import env_option, folders, format_option, policy_argument
from bayplan.cli.reports import FORMS, written
from bayplan.cli.show import counted, data, show_findings
from bayplan.errors import Exit
from bayplan.finding import in_order

if TYPE_CHECKING:
    from pathlib import Path


@click.command("check")
@policy_argument
@env_option
@click.option("--strict", is_flag=True, help="Fail on lines that nothing enforces, and on cuts without a reason.")
@format_option(*FORMS)
@click.pass_context
def command(
    context: click.Context,
    policy: Path,
    env: str | None,
    inventory: Path | None,
    out: Path | None,
    *,
    strict: bool,
    form: str,
) -> None:
    """Show every finding about POLICY: what cannot be read, what contradicts itself, what does not hold."""
    space = folders(policy, inventory, out)
    found = pipeline.read(space, env)
    broken = any(finding.is_error for finding in found.findings)
    findings = in_order(found.findings if broken else checkup.check(space, found, strict=strict))
    if form != "text":
        click.echo(written(form, found, findings), nl=False)
    else:
        console = data()
        show_findings(console, findings)
        console.print(f"{found.name} ({found.environment}): {counted(findings)}")
    if broken:
        context.exit(Exit.ERROR)
    context.exit(Exit.VIOLATED if any(finding.is_error for finding in findings) else Exit.FINE)
