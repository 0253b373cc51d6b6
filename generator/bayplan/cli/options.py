"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bayplan.workspace import Workspace, workspace

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def policy_argument(function: F) -> F:
    """Add the argument POLICY: a policy folder, or one policy file."""
    return click.argument("policy", type=click.Path(path_type=Path))(function)


def env_option(function: F) -> F:
    """Add `--env`, and where the folders of the fleet are."""
    for option in (
        click.option("--out", type=click.Path(path_type=Path), help="Folder of compiled files [compiled/FLEET]."),
        click.option(
            "--inventory", type=click.Path(path_type=Path), help="Folder of observed facts [inventory/FLEET]."
        ),
        click.option("--env", metavar="NAME", help="The environment; may be left out where there is one."),
    ):
        function = option(function)
    return function


def format_option(*formats: str) -> Callable[[F], F]:
    """Add `--format` with the first format as default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Form of the output.",
    )


def folders(policy: Path, inventory: Path | None, out: Path | None) -> Workspace:
    """Return the folders that belong to a policy."""
    return workspace(policy, inventory, out)
