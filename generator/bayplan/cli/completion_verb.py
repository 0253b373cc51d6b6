"""`bayplan completion`: what a shell needs to complete verbs and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bayplan completion bash > ~/.local/share/bash-completion/completions/bayplan
    """
    from bayplan.cli import cli  # noqa: PLC0415 - the group imports its verbs, not the other way round

    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(maker(cli, {}, "bayplan", "_BAYPLAN_COMPLETE").source())
