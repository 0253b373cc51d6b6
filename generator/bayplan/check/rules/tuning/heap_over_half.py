"""A search engine whose heap leaves less than half of its memory to the files that it searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit, tuning_that_ends
from bayplan.check.over_limit import blamed, headroom, in_words, largest, limit_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.units import show_bytes
from bayplan.tuning.images import ELASTICSEARCH, OPENSEARCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application, Setting

RULE = Rule("tuning/heap-over-half", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each search engine whose heap is more than half of its limit, and less than all of it."""
    for known in survey.applications:
        heap = _heap(known)
        if heap is None:
            continue
        limit = limit_of(known)
        place, other = blamed(survey, known, heap, 2 * heap.amount - 1)
        yield RULE.finding(
            place,
            known.service.name,
            f"has a heap of {show_bytes(heap.amount)} ({in_words(heap)}) in {show_bytes(limit)}: what it searches is "
            "read through the page cache, which is to have as much",
            arithmetic=f"{show_bytes(heap.amount)} > {show_bytes(limit)} / 2 = {show_bytes(limit // 2)}",
            remedy=f"or a limit of {show_bytes(2 * heap.amount)}",
            paste=tuning_that_ends(survey, known, heap, lambda other: _heap(other) is not None)
            or larger_limit(survey, known.service, 2 * heap.amount),
            also=(other,),
        )


def _heap(known: Application) -> Setting | None:
    heap, limit = largest(known.heaps), limit_of(known)
    if known.image.application not in (ELASTICSEARCH, OPENSEARCH) or heap is None:
        return None
    return heap if limit // 2 < heap.amount < limit and not headroom(known) else None
