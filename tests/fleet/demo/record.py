"""The record of a demo: what was done, how long it took, how full the nodes were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.model import units

from . import looks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .story import Chapter
    from .timeline import Timeline
    from .watch import Level

ROWS = 12
FULLNESS = (
    "Memory limits of all that runs, by the kernel, and the reserve; a container without a limit counts with the one that "
    "it gets. In MiB, while bayplan worked."
)


def markdown(fleet: str, chapter: Chapter, timeline: Timeline) -> str:
    """Return the record as Markdown."""
    parts = [
        f"# {fleet} in the lab",
        _introduction(fleet, chapter),
        "## Steps",
        _table(("step", "seconds"), [(name, f"{seconds:.1f}") for name, seconds in chapter.seconds.items()]),
        f"From nothing to nothing: {timeline.now():.0f} s.",
        "## What apply did",
        _table(("node", "ran before", "runs after", "rests", "received", "sent"), _nodes(chapter)),
        _moved(chapter),
        "What it printed, the gates before and after each wave left out:",
        _printed(chapter.said.get("bayplan apply", "")),
        "## How full the nodes were",
        FULLNESS,
        _table(("node", "line", "first", "most", "last", "samples"), _levels(chapter)),
        _table(("node", "seconds: MiB"), [(node, _course(found)) for node, found in sorted(chapter.levels.items())]),
        "## Checks",
        _table(("check", "result"), [(name, _result(found)) for name, found in chapter.failures.items()]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _introduction(fleet: str, chapter: Chapter) -> str:
    count = sum(len(project.bodies) for project in chapter.derived.projects.values())
    text = (
        f"`make demo-fleet FLEET={fleet}`: {count} services of {len(chapter.derived.projects)} Compose projects on "
        f"{len(chapter.derived.sizes)} nodes, at a sixteenth of their memory and CPU. Nodes are Debian with systemd, SSH and an "
        "engine of their own; PostgreSQL, Redis and nginx are real, all else is a small web server that listens where the "
        "original does. Names, ports, networks, addresses, volumes and dependencies are the policy's."
    )
    notes = [f"- {note}" for note in chapter.derived.notes]
    notes += [
        f"- `{project}/{name}` did not start in full before: {why}" for (project, name), why in chapter.left_out.items()
    ]
    return "\n".join([text, *(["", *notes] if notes else [])])


def _nodes(chapter: Chapter) -> list[tuple[str, ...]]:
    rows = []
    for name, before in sorted(chapter.before.items()):
        after = chapter.after[name]
        resting = sum(not one["running"] for one in after.containers.values())
        received, sent = after.received - before.received, after.sent - before.sent
        rows.append((name, str(len(before.running)), str(len(after.running)), str(resting), _mib(received), _mib(sent)))
    return rows


def _moved(chapter: Chapter) -> str:
    was, now = looks.where(chapter.before), looks.where(chapter.after)
    moved = sorted(key for key in was.keys() & now.keys() if was[key] != now[key])
    again = looks.restarted(chapter.before, chapter.after)
    stayed = len(was.keys() & now.keys()) - len(again)
    return (
        f"Moved: {len(moved)} ({', '.join(f'`{key}`' for key in moved)}). Started again, moves counted: {len(again)}. "
        f"Never stopped, though most got new limits: {stayed}."
    )


def _printed(said: str) -> str:
    """Return the timeline of a run as a block."""
    lines = [line.rstrip() for line in said.splitlines() if " s  " in line and "  gate: " not in line]
    return "\n".join(["```text", *lines, "```"])


def _levels(chapter: Chapter) -> list[tuple[str, ...]]:
    lines = chapter.wanted.lines if chapter.wanted else {}
    return [
        (
            name,
            _mib(lines.get(name, 0)),
            _mib(found[0].amount),
            _mib(max(one.amount for one in found)),
            _mib(found[-1].amount),
            str(len(found)),
        )
        for name, found in sorted(chapter.levels.items())
        if found
    ]


def _course(found: Sequence[Level]) -> str:
    """Return when the level changed, thinned out."""
    turns = [one for index, one in enumerate(found) if not index or one.amount != found[index - 1].amount]
    step = max(1, -(-len(turns) // ROWS))
    shown = [*turns[::step], *(turns[-1:] if turns and turns[-1] not in turns[::step] else [])]
    return " · ".join(f"{one.at:.0f}: {_mib(one.amount)}" for one in shown)


def _mib(amount: int) -> str:
    return f"{amount / units.MIB:.1f}"


def _result(found: list[str]) -> str:
    return "held" if not found else f"**failed**: {'; '.join(found[:3])}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
