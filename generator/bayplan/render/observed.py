"""Observed facts as files: one for each node, and beside it the Compose files that bayplan has deployed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.render.emit import emit

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER = "What was found on {node}; written by `bayplan observe`, not by hand."


def observed_files(data: Mapping[str, Any], deployed: Mapping[str, str]) -> dict[str, str]:
    """Return `<node>.yml` and `<node>/<project>.yaml` → text.

    Args:
        data: what `policy.facts.facts_to_observed` gives.
        deployed: project → Compose file, kept as it is to the last byte.
    """
    node = data["node"]
    files = {f"{node}/{project}.yaml": text for project, text in sorted(deployed.items())}
    return {f"{node}.yml": emit(data, _HEADER.format(node=node)), **files}
