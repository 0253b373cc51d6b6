"""`bayplan observe`: what is on the nodes, written to the inventory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayplan.cli.options import folders, policy_argument
from bayplan.cli.show import data, talk
from bayplan.errors import Exit, UsageError
from bayplan.model import units
from bayplan.policy.fleet import read_machines
from bayplan.rollout.observe import observe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Node
    from bayplan.rollout.observe import Observation


@click.command("observe")
@policy_argument
@click.option("--env", metavar="NAME", help="Only the nodes of this environment.")
@click.option("-l", "--limit", metavar="NODES", default="", help="Only these nodes, separated by commas.")
@click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    help="Folder of facts and hosts.yml, or the latter [inventory/FLEET].",
)
@click.option("--once", is_flag=True, help="Look once and end: what is done anyhow.")
@click.pass_context
def command(
    context: click.Context, policy: Path, env: str | None, limit: str, inventory: Path | None, *, once: bool
) -> None:
    """Look at the nodes of POLICY and write what is there to inventory/FLEET/observed. Changes nothing on them.

    \b
    bayplan observe policies/bev
    bayplan observe policies/bev --limit thanos,oracle1

    Nodes are reached as inventory/FLEET/hosts.yml says, else by the addresses in the policy. Ends with 1 if one of them
    does not answer; what was known of it stays.
    """
    del once
    own = inventory if inventory is not None and inventory.is_file() else None
    space = folders(policy, None if own else inventory, None)
    nodes = chosen(read_machines(policy, env), limit)
    found = observe(space.fleet, nodes, space.inventory, datetime.now(UTC), own)
    show(found, [node.name for node in nodes])
    context.exit(Exit.ERROR if found.silent else Exit.FINE)


def chosen(nodes: tuple[Node, ...], limit: str) -> tuple[Node, ...]:
    """Return the nodes that `--limit` names; none means all.

    Raises:
        UsageError: if one is unknown.
    """
    names = {name.strip() for name in limit.split(",") if name.strip()}
    unknown = sorted(names - {node.name for node in nodes})
    if unknown:
        known = ", ".join(node.name for node in nodes)
        raise UsageError(f"no node {', '.join(unknown)} in this policy; it has {known}")
    return tuple(node for node in nodes if not names or node.name in names)


def show(found: Observation, nodes: list[str]) -> None:
    """Print a line for each node."""
    width = max(map(len, nodes))
    for node, facts in found.written.items():
        data().print(f"{node:<{width}}  {words(facts)}")
    for node, why in sorted(found.silent.items()):
        since = f"its facts of {found.kept[node][:10]} stay" if node in found.kept else "nothing is known of it yet"
        talk().print(f"{node}: {why}; {since}")
    if found.problem:
        talk().print(found.problem)


def words(facts: Mapping[str, Any]) -> str:
    """Return what was found on a node, on one line."""
    services = facts["services"]
    stopped = sum(1 for one in services if not one["running"])
    sizes = [one["size"] if isinstance(one, dict) else one for one in facts["volumes"].values()]
    releases = sorted({one["release"] for one in facts["projects"].values()})
    parts = [
        _several(len({(one["project"], one["service"]) for one in services}), "service"),
        *([f"{stopped} of {_several(len(services), 'container')} not running"] if stopped else []),
        _several(len(sizes), "volume") + (f" of {units.show_bytes(sum(sizes))}" if sizes else ""),
        f"release {', '.join(releases)}" if releases else "no release",
    ]
    return ", ".join(parts)


def _several(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
