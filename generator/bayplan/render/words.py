"""Sums as people read them; the terminal and Markdown say the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.model import units
from bayplan.model.quantity import CPUS, Origin

if TYPE_CHECKING:
    from bayplan.analyse.ledger import Row
    from bayplan.finding import Finding

WIDTH = 24
"""Cells of a bar that stand for the whole capacity."""
_OVERFLOW = 40


def resource(row: Row) -> str:
    """Return the name of a row's resource: `memory`, `VRAM of card 0`, `disk ssd`."""
    name, _, card = row.resource.partition("/")
    if card:
        return f"VRAM {card}"
    return name.replace("disk:", "disk ")


def amount(row: Row, value: int) -> str:
    """Return an amount in the unit of a row, without the unit where bytes are in GiB."""
    if row.resource == CPUS:
        return units.show_cpus(value)
    if row.resource.startswith(("memory", "gpu_memory", "disk:")):
        return units.show_gib(value)
    return str(value)


def unit(row: Row) -> str:
    """Return the unit of a row."""
    if row.resource == CPUS:
        return "CPU"
    return "GiB" if row.resource.startswith(("memory", "gpu_memory", "disk:")) else row.resource


def share(row: Row) -> str:
    """Return how much of the capacity the bar takes: `259.8 %`; at least that much where something is unbounded."""
    return ("≥ " if row.unbounded else "") + units.show_share(row.bar, row.capacity)


def total(row: Row) -> str:
    """Return the bar beside its line: `53.38 of 54.4 GiB (64)`."""
    return f"{amount(row, row.bar)} of {amount(row, row.line)} {unit(row)} ({amount(row, row.capacity)})"


def kinds(row: Row) -> str:
    """Return a row's sum written out, its kinds apart.

    `166.25 = 108.75 declared (32 services) + 57.5 estimated (21); 178.25 with replicas; 4 reserved`
    """
    parts = [(origin, part) for origin, part in row.charges.parts() if origin is not Origin.REPLICAS]
    single = row.charges.total - row.charges.replicas
    words = [_part(row, origin, part, first=index == 0) for index, (origin, part) in enumerate(parts)]
    sum_of = f"{amount(row, single)} = " if len(words) > 1 else ""
    text = f"{sum_of}{' + '.join(words) or '0 declared'}"
    more = []
    if row.charges.replicas:
        more.append(f"{amount(row, row.charges.total)} with replicas")
    if row.pooled:
        more.append(f"{amount(row, row.charged)} as on-demand pools never run whole")
    if row.reserve:
        more.append(
            f"{amount(row, row.reserve)} {'measured reserve' if row.reserve_origin is Origin.MEASURED else 'reserved'}"
        )
    if row.unbounded:
        more.append(f"{len(row.unbounded)} unbounded")
    return "; ".join([text, *more])


def _part(row: Row, origin: Origin, part: int, *, first: bool) -> str:
    many = row.kinds.get(origin, 0)
    counted = f" ({many} services)" if first else f" ({many})"
    return f"{amount(row, part)} {origin.value}{counted if many else ''}"


LEGEND = (
    "▒ reserve  █ declared  ░ replicas  ▓ estimated  │ line  ] capacity; near: over the line, over: over the capacity"
)
"""What the cells of a bar stand for."""


def bar(row: Row) -> str:
    """Return the bar as text (see LEGEND); what is over the capacity stands behind the bracket."""
    if not row.capacity:
        return "[" + "?" * WIDTH + "]"
    filled = -(-row.bar * WIDTH // row.capacity)
    line = min(WIDTH - 1, row.line * WIDTH // row.capacity)
    marks = [
        _mark(row, index) if index < filled else "·" for index in range(max(WIDTH, min(filled, WIDTH + _OVERFLOW)))
    ]
    if filled <= line and row.line < row.capacity:
        marks[line] = "│"
    return f"[{''.join(marks[:WIDTH])}]{''.join(marks[WIDTH:])}{'»' if filled > WIDTH + _OVERFLOW else ''}"


def _mark(row: Row, index: int) -> str:
    """Return the mark of a filled cell: by what lies in the middle of it."""
    at = (2 * index + 1) * row.capacity // (2 * WIDTH)
    known = row.charges.declared + row.charges.inherited + row.charges.measured
    # What pools save is taken off from what is known first: it is those members that do not run.
    edges = (
        (row.reserve, "▒"),
        (max(0, known - row.pooled), "█"),
        (row.charges.replicas, "░"),
        (row.charges.estimated, "▓"),
    )
    end = 0
    for width, mark in edges:
        end += width
        if at < end:
            return mark
    return edges[0][1] if not row.charges.total else next(mark for width, mark in reversed(edges) if width)


def finding_lines(finding: Finding) -> list[str]:
    """Return a finding as lines: place, severity, rule and sentence; then the sum; then the ways out."""
    lines = [f"{finding.place}: {finding.severity.value} {finding.rule}: {about(finding)}"]
    if finding.arithmetic:
        lines.append(f"    {finding.arithmetic}")
    lines.extend(f"    → {words}" for words in ways_out(finding))
    return lines


def ways_out(finding: Finding) -> list[str]:
    """Return what to do about a finding: in words, and as what to write or to paste, each said once.

    Words that begin with "or" are another way, and come last.
    """
    ready = [f"write {finding.write}"] if finding.write else []
    ready += [finding.paste] if finding.paste else []
    missing = [words for words in ready if words not in finding.remedy]
    if finding.remedy.startswith("or ") and missing:
        return [*missing, finding.remedy]
    return [finding.remedy, *missing] if finding.remedy else missing


def about(finding: Finding) -> str:
    """Return the sentence, with its subject before it unless it names it itself."""
    words = re.split(r"[\s,:;()]+", finding.message)
    whole = finding.subject in (words if " " not in finding.subject else finding.message)
    named = whole or finding.subject == finding.place.file
    return finding.message if named else f"{finding.subject} {finding.message}"
