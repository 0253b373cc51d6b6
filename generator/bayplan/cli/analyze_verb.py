"""`bayplan analyze`: the ledger of a fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from bayplan import pipeline
from bayplan.analyse.consumers import Consumer, consumers
from bayplan.analyse.ledger import ledger
from bayplan.analyse.relief import Side, reliefs
from bayplan.cli.options import env_option, folders, format_option, policy_argument
from bayplan.cli.show import data, show_ledger, talk
from bayplan.finding import in_order
from bayplan.plan.sides import standing, wished
from bayplan.render import data as as_data
from bayplan.render import words

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from bayplan.analyse.ledger import Ledger, Row
    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance
    from bayplan.model.placement import Seat
    from bayplan.policy.fleet import Policy
    from bayplan.workspace import Workspace

_FEW = 5


@click.command("analyze")
@policy_argument
@env_option
@click.option("--at", type=click.Choice(["as-is", "to-be"]), default="as-is", show_default=True, help="The moment.")
@click.option("--by", type=click.Choice(["node", "service"]), default="node", show_default=True, help="Rows.")
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="Rows with --by service.")
@click.option("--table", is_flag=True, help="A table instead of bars.")
@format_option("text", "json")
def command(
    policy: Path,
    env: str | None,
    inventory: Path | None,
    out: Path | None,
    at: str,
    by: str,
    top: int,
    *,
    table: bool,
    form: str,
) -> None:
    """Show what is asked of each node of POLICY, and what is there.

    \b
    bayplan analyze policies/bev-as-written
    bayplan analyze policies/bev --by service --top 5
    bayplan analyze policies/bev --at to-be --format json
    """
    space = folders(policy, inventory, out)
    found = pipeline.read(space, env)
    pipeline.stop_if_broken(found)
    fleet, seats = _moment(space, found, at)
    rows = ledger(fleet, seats)
    console = data()
    if form == "json":
        biggest = [_consumer(one) for one in consumers(fleet, seats)[:top]] if by == "service" else []
        extra = {"consumers": biggest} if by == "service" else {}
        facts = {"fleet": fleet.name, "environment": fleet.environment, "at": at}
        click.echo(as_data.text("analyze", {**facts, "nodes": as_data.ledger(rows), **extra}), nl=False)
        return
    if by == "service":
        _show_consumers(console, consumers(fleet, seats)[:top])
    elif table:
        _show_table(console, rows)
    else:
        show_ledger(console, rows, fleet.nodes)
        after = Side(found.to_be, _decided(space, found)) if at == "as-is" else None
        _show_ways(console, rows, Side(fleet, seats), after)
    talking = [one for one in in_order(found.findings) if not one.is_error]
    if talking:
        talk().print(f"{len(talking)} findings besides; bayplan check {policy} shows them")


def _moment(space: Workspace, found: Policy, at: str) -> tuple[Fleet, dict[Instance, Seat]]:
    if at == "as-is":
        return found.as_is, standing(found.as_is)
    if pipeline.recorded(space, found)[0] is None:
        talk().print("nothing is decided yet: shown is what the policy wishes (bayplan compile decides)")
    return found.to_be, _decided(space, found)


def _decided(space: Workspace, found: Policy) -> dict[Instance, Seat]:
    """Return where everything is to stand: as recorded, else as the policy wishes."""
    placement, _ = pipeline.recorded(space, found)
    return dict((placement or wished(found.to_be)).seats)


def _show_table(console: Console, rows: Ledger) -> None:
    table = Table(box=None, pad_edge=False)
    for title, side in (("node", "left"), ("resource", "left"), ("bar", "right"), ("line", "right"), ("of", "right"),
                        ("", "right"), ("state", "left"), ("declared", "right"), ("estimated", "right"),
                        ("replicas", "right"), ("reserve", "right"), ("unbounded", "right")):  # fmt: skip
        table.add_column(title, justify="right" if side == "right" else "left", no_wrap=True)
    for row in rows.rows:
        values = (row.bar, row.line, row.capacity)
        kinds = (
            row.charges.declared + row.charges.inherited,
            row.charges.estimated,
            row.charges.replicas,
            row.reserve,
        )
        table.add_row(
            row.node, words.resource(row), *(words.amount(row, one) for one in values),
            words.share(row), row.state.value,
            *(words.amount(row, one) for one in kinds), str(len(row.unbounded)),
        )  # fmt: skip
    console.print(table)


def _show_consumers(console: Console, some: list[Consumer]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("service", "copies", "memory GiB", "CPU", "kind"):
        table.add_column(title, justify="left" if title in ("service", "kind") else "right", no_wrap=True)
    for one in some:
        memory, cpus = f"{one.memory / 2**30:g}", f"{one.cpus / 1000:g}"
        table.add_row(one.name, str(one.copies), memory, cpus, ", ".join(one.kinds) or "unbounded")
    console.print(table)


def _consumer(one: Consumer) -> dict[str, object]:
    return {"name": one.name, "services": [str(name) for name in one.services], "copies": one.copies,
            "memory": one.memory, "cpus": one.cpus, "kinds": list(one.kinds)}  # fmt: skip


def _show_ways(console: Console, rows: Ledger, before: Side, after: Side | None) -> None:
    """Say for each resource over its line by how much, who takes most of it, what the policy does, and who has room."""
    for row in rows.rows:
        if row.over:
            console.print(f"{row.node}: {words.resource(row)} is {_amount(row, row.over)} over its line")
            here = {copy: seat for copy, seat in before.seats.items() if seat.node == row.node}
            largest = consumers(before.fleet, here, row.resource)[:_FEW]
            most = ", ".join(f"{one.name} {words.amount(row, one.of(row.resource))}" for one in largest)
            console.print(Text(f"    the largest: {most}", style="dim"))
            _show_relief(console, row, before, after)
    if any(row.over for row in rows.rows):
        room = [
            f"{row.node} {_amount(row, row.line - row.bar)} of {words.resource(row)}"
            for row in rows.rows
            if not row.over
        ]
        console.print(f"room under the lines: {', '.join(room)}")
        console.print("bayplan plan shows each change with its reason")


def _show_relief(console: Console, row: Row, before: Side, after: Side | None) -> None:
    if after is None:
        return
    found = reliefs(before, after, row.node, row.resource)
    freed = sum(one.amount for one in found)
    few = ", ".join(
        f"{one.name} {words.amount(row, one.before)} → {words.amount(row, one.after)}" for one in found[:_FEW]
    )
    if found:
        console.print(Text(f"    the policy frees {_amount(row, freed)}: {few}", style="dim"))
    else:
        console.print(Text("    the policy frees nothing of it", style="dim"))


def _amount(row: Row, value: int) -> str:
    return f"{words.amount(row, value)} {words.unit(row)}"
