"""`bayplan schema`: the JSON Schema of policy files, for editors."""

from __future__ import annotations

import click

from bayplan.policy.validate import schema_text


@click.command("schema")
def command() -> None:
    """Print the JSON Schema (2020-12) of policy files, for editors that check while one writes."""
    click.echo(schema_text(), nl=False)
