"""Rich consoles and the parts that several verbs print. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from rich.text import Text

from bayplan.finding import Severity
from bayplan.render import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bayplan.analyse.ledger import Ledger, Row, State
    from bayplan.finding import Finding

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_STATES = {"over": "bold red", "near": "yellow", "ok": "green", "idle": "blue"}


class Output(Console):
    """A console that leaves a reader who has seen enough (`| head`) to the one place that ends the program."""

    def on_broken_pipe(self) -> NoReturn:
        """Pass on that nobody reads any more; rich would end with 1."""
        raise BrokenPipeError


def data() -> Console:
    """Return the console for what was asked for; lines are never wrapped where nobody looks at them."""
    return Output(file=sys.stdout, highlight=False, soft_wrap=True, markup=False, emoji=False)


def talk() -> Console:
    """Return the console for everything else."""
    return Output(file=sys.stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)


def show_findings(console: Console, findings: Iterable[Finding], most: int | None = None) -> None:
    """Print findings in order, errors marked; then how many of each there are."""
    some = tuple(findings)
    for finding in some[:most]:
        first, *rest = words.finding_lines(finding)
        lines = Text(first)
        lines.highlight_words([f" {finding.severity.value} "], _COLOURS[finding.severity])
        for more in rest:
            lines.append(f"\n{more}", style="dim" if not more.lstrip().startswith("→") else "")
        console.print(lines)
    if most is not None and len(some) > most:
        console.print(f"… and {len(some) - most} more")


def counted(findings: Iterable[Finding]) -> str:
    """Return `2 errors, 1 warning`; `no findings` if there are none."""
    some = tuple(findings)
    parts = []
    for severity in Severity:
        many = sum(finding.severity is severity for finding in some)
        if many:
            parts.append(f"{many} {severity.value}{'s' if many > 1 else ''}")
    return ", ".join(parts) or "no findings"


def state_text(state: State) -> Text:
    """Return a state in its colour."""
    return Text(state.value.upper(), style=_STATES[state.value])


def show_ledger(console: Console, ledger: Ledger, nodes: Iterable[str], *, sums: bool = True) -> None:
    """Print each node with a bar for each resource; a bar that is too long runs past its end."""
    for node in nodes:
        services, copies = ledger.services.get(node, 0), ledger.copies.get(node, 0)
        many = f"{services} services" + (f", {copies} copies" if copies != services else "")
        console.print(Text.assemble((node, "bold"), "  ", state_text(ledger.state(node)), f"  {many}"))
        for row in ledger.of(node):
            _show_row(console, row, sums=sums)
        _show_ports(console, ledger, node)
        console.print()
    console.print(Text(words.LEGEND, style="dim"))
    console.print()


def _show_ports(console: Console, ledger: Ledger, node: str) -> None:
    found = ledger.ports.get(node)
    if found is None or not found.published:
        return
    console.print(f"  ports        {found.published} published")
    for taken in found.clashes:
        names = ", ".join(str(name) for name in taken.services)
        console.print(
            Text(f"                {taken.port} is taken {len(taken.services)} times: {names}", style="bold red")
        )


def _show_row(console: Console, row: Row, *, sums: bool) -> None:
    style = _STATES[row.state.value]
    percent = words.share(row).rjust(10)
    console.print(
        Text.assemble(f"  {words.resource(row):<13}", (words.bar(row), style), f" {percent}  {words.total(row)}")
    )
    if sums and (row.charges.total or row.unbounded):
        console.print(Text(f"                {words.kinds(row)}", style="dim"))


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows as lines with aligned columns; numbers stand right. Lines are never cut: a terminal wraps them."""
    table = [list(row) for row in rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    return [
        "  ".join(
            cell.rjust(width) if cell.isdigit() or cell == "-" else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in table
    ]
