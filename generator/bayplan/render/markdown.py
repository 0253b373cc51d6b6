"""PLAN.md: what a reviewer reads first. Counts, capacity before and after, then the changes, stage by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.model import units
from bayplan.plan.summary import grouped
from bayplan.render import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.finding import Finding
    from bayplan.plan.plan import Plan
    from bayplan.plan.steps import Wave
    from bayplan.plan.summary import Group

LONGEST = 65_000
"""Characters that a pull-request comment takes; GitHub refuses more than 65,536."""
_DETAILS = 3


def plan_markdown(plan: Plan) -> str:
    """Return a plan as Markdown, its summary first; shorter than a comment may be."""
    text = "\n".join(
        [*_summary(plan), *_capacity(plan), *_conflicts(plan), *_steps(plan), *_stages(plan), *_findings(plan.findings)]
    )
    if len(text) <= LONGEST:
        return text + "\n"
    cut = text[: LONGEST - 200].rsplit("\n", 1)[0]
    return f"{cut}\n\n… the rest is left out; `bayplan plan policies/{plan.policy}` shows all of it.\n"


def _summary(plan: Plan) -> list[str]:
    counts = ", ".join(f"{many} {kind}" for kind, many in plan.counts().items()) or "no change"
    verdict = "It holds." if plan.holds else "**It does not hold.**"
    return [
        f"# Plan for {plan.to_be.name} ({plan.to_be.environment})",
        "",
        f"{verdict} {counts}; {plan.unchanged} services unchanged.",
        "",
    ]


def _capacity(plan: Plan) -> list[str]:
    lines = ["| node | resource | today | in the end | line | of |", "|---|---|---:|---:|---:|---:|"]
    for row in plan.after.rows:
        old = plan.before.row(row.node, row.resource)
        today = words.amount(row, old.bar) if old else "-"
        mark = " ⚠" if row.over else ""
        lines.append(
            f"| {row.node} | {words.resource(row)} | {today} | {words.amount(row, row.bar)}{mark} "
            f"| {words.amount(row, row.line)} | {words.amount(row, row.capacity)} {words.unit(row)} |"
        )
    return [*lines, ""]


def _conflicts(plan: Plan) -> list[str]:
    lines: list[str] = []
    for conflict in plan.conflicts:
        lines += [f"## Impossible: {conflict.message}", "", conflict.arithmetic, ""]
        lines += [f"- `{line.place}` {line.subject}: {line.words}" for line in conflict.lines]
        lines += ["", "Ways out, the cheapest first:", ""]
        lines += [f"1. `{remedy.text}`" for remedy in conflict.remedies] or [
            "1. none of the single changes tried is enough"
        ]
        lines.append("")
    return lines


def _stages(plan: Plan) -> list[str]:
    lines: list[str] = []
    for stage in plan.stages:
        why = f": {stage.cut.why}" if stage.cut.why else ""
        lines += [f"## Stage {stage.cut.name}{why}", ""]
        if not stage.changes:
            lines += ["No change.", ""]
            continue
        lines += [
            "| node | service | change | before → after | why | restarts | downtime | undo |",
            "|---|---|---|---|---|---:|---|---|",
        ]
        lines += [_group(group) for group in grouped(stage.changes)]
        lines.append("")
    return lines


def _steps(plan: Plan) -> list[str]:
    """Return one row for each wave: what is done, in this order."""
    if not plan.waves:
        return []
    rows = [
        (wave.number, wave.stage, wave.kind.value, wave.why, wave.where, wave.restarts, wave.downtime, _moved(wave))
        for wave in plan.waves
    ]
    return [
        "## Steps",
        "",
        "| wave | stage | kind | what | where | restarts | downtime | bytes |",
        "|---:|---|---|---|---|---:|---|---:|",
        *("| " + " | ".join(_cell(str(cell)) for cell in row) + " |" for row in rows),
        "",
    ]


def _moved(wave: Wave) -> str:
    return units.show_bytes(wave.bytes_moved) if wave.bytes_moved else "?" if wave.move and wave.move.volumes else "-"


def _group(group: Group) -> str:
    shown = "; ".join(group.details[:_DETAILS])
    more = f"; and {len(group.details) - _DETAILS} more" if len(group.details) > _DETAILS else ""
    first = group.first
    names = ", ".join(str(change.service) for change in group.changes)
    cells = (group.where, names, first.kind.value, shown + more, first.why, group.restarts, first.downtime, first.undo)
    return "| " + " | ".join(_cell(str(cell)) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _findings(findings: Iterable[Finding]) -> list[str]:
    some = tuple(findings)
    if not some:
        return []
    lines = [f"## Findings ({len(some)})", ""]
    for finding in some:
        lines.append(
            f"- **{finding.severity.value}** `{finding.rule}` at `{finding.place}`: {finding.subject} {finding.message}"
        )
        lines += [f"  - {finding.arithmetic}"] if finding.arithmetic else []
        lines += [f"  - remedy: {finding.remedy}"] if finding.remedy else []
    return [*lines, ""]
