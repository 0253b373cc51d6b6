"""Asking the nodes what is there: facts of each node that answers, and who does not answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayplan.rollout.collection import playbook
from bayplan.rollout.runner import run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ACTION = "bayplan.fleet.node_facts"


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found.

    Attributes:
        facts: node → its facts, as the module node_facts gives them.
        keys: node → what a plan depends on, each as a digest.
        silent: node → why nothing is known of it: it cannot be reached, or it could not tell.
        problem: why nobody was asked at all.
    """

    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def look(fleet: str, inventory: Path | Mapping[str, Any], nodes: Sequence[str], options: Sequence[str] = ()) -> Look:
    """Ask nodes for their facts; nothing is changed on them.

    Args:
        fleet: its name; the node keeps its releases and its journal under it.
        inventory: a file, or the inventory itself.
        nodes: whom to ask.
        options: further options of ansible-playbook.
    """
    result = run(playbook("observe"), inventory, {"facts_fleet": fleet, "facts_nodes": list(nodes)}, None, options)
    found = Look()
    for node in nodes:
        returned = result.returned.get(node, {}).get(ACTION) or {}
        if returned.get("facts"):
            found.facts[node] = returned["facts"]
            found.keys[node] = returned.get("keys") or {}
        else:
            missing = "it is not in the inventory"
            away = result.unreachable.get(node)
            found.silent[node] = f"unreachable: {away}" if away else result.failed.get(node) or missing
    problem = "" if found.facts or result.unreachable or result.failed else result.output.strip()
    return Look(found.facts, found.keys, found.silent, problem)
