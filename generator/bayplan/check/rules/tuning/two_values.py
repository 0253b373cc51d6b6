"""One thing that a service sets twice, and differently: one of the two holds nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import tuning_that_ends
from bayplan.check.over_limit import in_words
from bayplan.check.paste import RESET
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.command import words_of
from bayplan.tuning.images import NEO4J
from bayplan.tuning.settings import (
    BUFFER_POOL,
    CONNECTIONS,
    EVICTION,
    HEAP,
    HEAP_START,
    MAXMEMORY,
    PAGE_CACHE,
    SHARED_BUFFERS,
    WORK_MEM,
)
from bayplan.tuning.unread import meant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application, Setting

RULE = Rule("tuning/two-values", Severity.WARNING)
_ONCE = (MAXMEMORY, EVICTION, SHARED_BUFFERS, WORK_MEM, CONNECTIONS, BUFFER_POOL, PAGE_CACHE)
"""What one container has once, wherever it is set; heaps may belong to several processes."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each setting that a service says twice with two values, at the one that does not hold."""
    for known in survey.applications:
        for name in (*_ONCE, HEAP, HEAP_START):
            both = _differing(known, name)
            if both is not None:
                yield _finding(survey, known, *both)


def _finding(survey: Survey, known: Application, loser: Setting, winner: Setting) -> Finding:
    paste = tuning_that_ends(survey, known, winner, lambda one: _differing(one, winner.name) is not None)
    return RULE.finding(
        loser.place,
        known.service.name,
        f"sets {winner.name.replace('_', '-' if '--' in winner.said else '_')} twice: {in_words(loser)}, and "
        f"{in_words(winner)}, which is what holds",
        arithmetic=f"{loser.text} and {winner.text}",
        remedy=f"take {loser.where} out of its file" if known.is_in_file(loser.where) else "",
        paste=_without(survey, known, loser) or paste,
        also=() if winner.place == loser.place else (winner.place,),
    )


def _differing(known: Application, name: str) -> tuple[Setting, Setting] | None:
    """Return a value that does not hold, and the one that does."""
    some = [one for one in known.settings if one.name == name]
    if name in _ONCE or known.image.application == NEO4J:
        ghost = meant(known, name)
        groups = [[ghost, *some] if ghost and some else some]
    else:
        groups = [[one for one in some if one.where == where] for where in dict.fromkeys(one.where for one in some)]
        groups = [group for group in groups if group[0].where in known.environment]
    for group in groups:
        losers = [one for one in group if (one.amount, one.text) != (group[-1].amount, group[-1].text)]
        if losers and not known.by_recipe(group[-1]):
            return losers[0], group[-1]
    return None


def _without(survey: Survey, known: Application, loser: Setting) -> str:
    """Return a fragment with which the value that does not hold is no longer said; empty where that is not simple."""
    path = survey.path_of(known.service, "compose")
    text = str(known.environment.get(loser.where, ""))
    if text == loser.text and known.is_in_file(loser.where):
        return ""
    if text == loser.text:
        return survey.paste((*path, "environment", loser.where), RESET)
    for said in (f"--{loser.said}", loser.said):
        if text.count(said) == 1 and text != said:
            return survey.paste((*path, "environment", loser.where), " ".join(text.replace(said, "").split()))
    words = words_of(known.service.body.get("command"))
    for pair in (("-c", f"{loser.name}={loser.text}"), (f"--{loser.name.replace('_', '-')}", loser.text)):
        places = [at for at in range(len(words) - 1) if words[at : at + 2] == pair]
        if loser.where == "command" and len(places) == 1:
            return survey.paste((*path, "command"), [*words[: places[0]], *words[places[0] + 2 :]])
    return ""
