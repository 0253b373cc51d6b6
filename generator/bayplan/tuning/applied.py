"""What a service's tuning makes of its environment and its command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayplan.tuning.command import Options, with_options
from bayplan.tuning.recipes import Settings, tuned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.service import Service
    from bayplan.tuning.command import Line


@dataclass(frozen=True, slots=True)
class Applied:
    """A service's environment and lines as they are compiled.

    Attributes:
        made: what its tuning sets.
        environment: every variable, by name.
        line: the line that its tuning sets options in, or None if none is known to read them.
    """

    made: Settings = field(default_factory=Settings)
    environment: Mapping[str, Any] = field(default_factory=dict)
    line: Line | None = None


def applied(service: Service, body: Mapping[str, Any]) -> Applied:
    """Return what the tuning of a service makes of its Compose mapping."""
    made = tuned(service)
    known = body.get("environment") or {}
    environment = {key: value for key, value in known.items() if key not in made.without} | dict(made.environment)
    lines = {**body, "command": list(made.command)} if made.command else body
    line = with_options(lines, Options(made.options, made.programs, made.style))
    return Applied(made, dict(sorted(environment.items())), line)
