"""A heap that starts larger than it may ever be: Java refuses to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import tuning_that_ends
from bayplan.check.over_limit import in_words
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.units import show_bytes
from bayplan.tuning.settings import HEAP, HEAP_START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application, Setting

RULE = Rule("tuning/start-over-heap", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose initial heap is larger than its largest one."""
    for known in survey.applications:
        both = _both(known)
        if both is None:
            continue
        start, heap = both
        name = start.where if start.where in known.environment else ""
        text = str(known.environment.get(name, "")).replace(start.text, heap.text)
        path = survey.path_of(known.service, "compose", "environment", name)
        yield RULE.finding(
            start.place,
            known.service.name,
            f"starts with a heap of {show_bytes(start.amount)} ({in_words(start)}) that may grow to "
            f"{show_bytes(heap.amount)}: it does not start",
            arithmetic=f"{show_bytes(start.amount)} > {show_bytes(heap.amount)}",
            remedy="" if name else f"write {heap.text} for both",
            paste=tuning_that_ends(survey, known, start, lambda other: _both(other) is not None)
            or (survey.paste(path, text) if name else ""),
            also=(heap.place,),
        )


def _both(known: Application) -> tuple[Setting, Setting] | None:
    """Return the initial and the largest heap of one process, where the first is larger."""
    neo4j = known.image.application == "neo4j"
    heaps = {"" if neo4j else one.where: one for one in known.all(HEAP)}
    for start in known.all(HEAP_START):
        heap = heaps.get("" if neo4j else start.where)
        if heap is not None and start.amount > heap.amount:
            return start, heap
    return None
