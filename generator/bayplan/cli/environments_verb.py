"""`bayplan environments`: what each number is in each environment, and what made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bayplan import pipeline
from bayplan.cli.options import folders, format_option, policy_argument
from bayplan.cli.show import columns, data
from bayplan.errors import UsageError
from bayplan.policy.environment import names_of
from bayplan.policy.fleet import read_policy
from bayplan.policy.folder import read_folder
from bayplan.policy.patterns import matching
from bayplan.render import data as as_data
from bayplan.render import environments

if TYPE_CHECKING:
    from pathlib import Path


@click.command("environments")
@policy_argument
@click.argument("service", required=False)
@format_option("text", "json")
def command(policy: Path, service: str | None, form: str) -> None:
    """Show what each number of POLICY, or of SERVICE alone, is in each environment, and what made it.

    Where an environment multiplies by a range, both ends are shown.

    \b
    bayplan environments policies/acgs
    bayplan environments policies/acgs 'policy-*' --format json
    """
    space = folders(policy, None, None)
    document, _ = read_folder(policy)
    fleets, lower, copies = {}, {}, {}
    for env in names_of(document):
        found = pipeline.read(space, env)
        pipeline.stop_if_broken(found)
        fleets[env] = found.to_be
        if "replicas" in found.factors:
            copies[env] = found.factors["replicas"]
        if found.ranged:
            lower[env] = read_policy(space.policy, space.inventory, env, lower=True).to_be
    known = sorted({name for fleet in fleets.values() for name in fleet.services})
    names = matching(service, tuple(known)) if service else None
    if names is not None and not names:
        raise UsageError(f"no service '{service}'; the policy has {', '.join(str(name) for name in known[:8])}")
    rows = environments.rows(fleets, names, environments.Ends(lower, copies))
    if form == "json":
        click.echo(as_data.text("environments", {"rows": environments.as_data(rows)}), nl=False)
        return
    console = data()
    for line in columns(environments.table(rows, fleets)):
        console.print(line)
