"""A piece of a Compose service that is written elsewhere: the `compose:` of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.compose.interpolate import Interpolation
from bayplan.compose.structure import well_formed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Finding
    from bayplan.source import Node


def read_overlay(service: str, node: Node, env: Mapping[str, str]) -> tuple[Node | None, tuple[Finding, ...]]:
    """Return an overlay, ready to be merged into its service: checked, and its variables filled in.

    Args:
        service: whom it is for, as findings call it.
        node: the mapping, in any form that Compose takes.
        env: the variables of the service's project.

    Returns:
        The overlay without what Compose does not know, or None if nothing is left of it, and the findings.
    """
    checked, findings = well_formed("services", service, node)
    if checked is None:
        return None, tuple(findings)
    interpolation = Interpolation(env)
    filled = interpolation.service(checked, f"services.{service}")
    return filled, (*findings, *interpolation.findings)
