"""Looking at the nodes of a policy, and writing down what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayplan.policy.facts import deployed_files, facts_to_observed
from bayplan.render import tree
from bayplan.render.observed import observed_files
from bayplan.rollout.inventory import inventory_of
from bayplan.rollout.look import look
from bayplan.source import plain, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from bayplan.model.fleet import Node


@dataclass(frozen=True, slots=True)
class Observation:
    """What a look brought.

    Attributes:
        written: node → what its file says now.
        silent: node → why nothing is known of it now.
        kept: node that is silent → when it was looked at last.
        problem: why nobody was asked at all.
    """

    written: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def observe(fleet: str, nodes: Iterable[Node], folder: Path, taken: datetime, own: Path | None = None) -> Observation:
    """Look at nodes and write what was found; the file of a node that does not answer stays as it is.

    Args:
        fleet: its name.
        nodes: whom to ask.
        folder: `inventory/<fleet>`.
        taken: the time that is written.
        own: an inventory file to use instead of the one in the folder.

    Raises:
        OutputError: if the files cannot be written.
    """
    asked = tuple(nodes)
    root = folder / "observed"
    before = {node.name: _known(root / f"{node.name}.yml") for node in asked}
    seen = look(fleet, inventory_of(asked, own or folder), [node.name for node in asked])
    written = {
        node: facts_to_observed(facts, seen.keys.get(node, {}), node, taken, before[node])
        for node, facts in sorted(seen.facts.items())
    }
    files: dict[str, str] = {}
    for node, data in written.items():
        files |= observed_files(data, deployed_files(seen.facts[node]))
    tree.put(root, files, [f"{node}/{file.name}" for node in written for file in sorted((root / node).glob("*.yaml"))])
    kept = {node: str(before[node]["taken"]) for node in seen.silent if before[node].get("taken")}
    return Observation(written, seen.silent, kept, seen.problem)


def _known(file: Path) -> Mapping[str, Any]:
    """Return what a file of observed facts says; nothing if it is not there, or cannot be read."""
    node = read_yaml(file)[0] if file.is_file() else None
    data = plain(node) if node is not None else None
    return data if isinstance(data, dict) else {}
