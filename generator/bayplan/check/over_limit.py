"""Settings of memory beside the limit of their container: what `tuning/*-over-limit` have in common."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit, tuning_that_ends
from bayplan.model import units
from bayplan.model.quantity import MEMORY
from bayplan.model.units import MIB, show_bytes, show_share
from bayplan.source import walk
from bayplan.tuning.settings import BUFFER_POOL, CACHE, CODE, DIRECT, MAXMEMORY, METASPACE, PAGE_CACHE, SHARED_BUFFERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bayplan.check.rule import Rule
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.source import Node
    from bayplan.tuning.settings import Application, Setting


def limit_of(known: Application) -> int:
    """Return the bytes of memory that a copy may have, 0 if nothing says so."""
    limit = known.service.limits.get(MEMORY)
    return limit.amount if limit else 0


def largest(some: tuple[Setting, ...]) -> Setting | None:
    """Return the largest of some settings, the first of equals."""
    return max(some, key=lambda one: one.amount, default=None)


def over_limit(
    rule: Rule, survey: Survey, look: Callable[[Application], tuple[Setting, ...]], message: str
) -> Iterator[Finding]:
    """Yield a finding for each service of which one setting alone is as large as its limit.

    Args:
        rule: whose findings they are.
        survey: the fleet.
        look: what returns the settings in question of a service.
        message: what is wrong; `{said}`, `{amount}` and `{limit}` stand for the setting and the limit.
    """

    def worst(known: Application) -> Setting | None:
        found, limit = largest(look(known)), limit_of(known)
        return found if found and limit and found.amount >= limit else None

    for known in survey.applications:
        setting = worst(known)
        if setting is None:
            continue
        limit, amount = limit_of(known), setting.amount
        paste = tuning_that_ends(
            survey, known, setting, lambda other: worst(other) is not None or bool(headroom(other))
        )
        first, other = blamed(survey, known, setting)
        words = {"said": in_words(setting), "amount": show_bytes(amount), "limit": show_bytes(limit)}
        yield rule.finding(
            first,
            known.service.name,
            message.format(**words),
            arithmetic=f"{show_bytes(amount)} >= {show_bytes(limit)} ({show_share(amount, limit)})",
            remedy=f"or a limit of {show_bytes(2 * amount)}",
            paste=paste or larger_limit(survey, known.service, 2 * amount),
            also=(other,),
        )


def blamed(survey: Survey, known: Application, setting: Setting, together: int = 0) -> tuple[Place, Place]:
    """Return the line that makes a setting too large for its limit, and the other one.

    It is the setting, unless it fitted a limit that its service had before, in its Compose file or in another
    environment: then it is what made the limit smaller. A setting beside that line came with it, or later.

    Args:
        survey: the fleet.
        known: the service.
        setting: the one in question.
        together: the bytes that it takes with all that belongs to it; by default its own.
    """
    limit, taken = known.service.limits[MEMORY], max(together, setting.amount)
    layers = [(one.amount, one.place) for one in limit.layers]
    elsewhere = survey.at(*survey.path_of(known.service, "limits", MEMORY))
    if elsewhere is not None and elsewhere.place not in {place for _, place in layers}:
        layers.append((_bytes(elsewhere), elsewhere.place))
    smaller = tuple(takewhile(lambda one: one[0] <= taken, layers))
    if not smaller or len(smaller) == len(layers):
        return setting.place, limit.place
    cut, before = smaller[-1][1], layers[len(smaller)][1]
    if cut != before and setting.place.file == cut.file and not _inside(survey, cut, setting.place):
        return setting.place, limit.place
    multiplied = survey.at("environments", survey.environment, "multiply", MEMORY) if cut == before else None
    return (multiplied.place if multiplied is not None else cut), setting.place


def _inside(survey: Survey, cut: Place, other: Place) -> bool:
    """Whether a line is one of the environment, which comes later, and the other is not."""
    there = survey.at("environments", survey.environment)
    places = {node.place for _, node in walk(there)} if there is not None else set()
    return cut in places and other not in places


def _bytes(said: Node) -> int:
    try:
        return units.policy_memory(said.text or said.string)
    except units.UnitError:
        return 0


def in_words(setting: Setting) -> str:
    """Return a setting with where it is said: `-Xmx4g in ES_JAVA_OPTS`."""
    inside = setting.where not in setting.said and setting.where not in ("command", "entrypoint")
    return f"{setting.said} in {setting.where}" if inside else setting.said


def headroom(known: Application) -> tuple[Setting, ...]:
    """Return what takes nearly all of a service's limit, and not more: its parts, or its cache. Empty if nothing does.

    Nearly all is what leaves less than a tenth, and less than half a GiB.
    """
    limit = limit_of(known)
    least = min(limit // 10, 512 * MIB)
    caches = (known.last(name) for name in (MAXMEMORY, SHARED_BUFFERS, BUFFER_POOL, CACHE))
    for some in (parts(known), *((one,) for one in caches if one is not None)):
        taken = sum(one.amount for one in some)
        if some and limit - least < taken <= limit and all(one.amount < limit for one in some):
            return some
    return ()


def parts(known: Application) -> tuple[Setting, ...]:
    """Return the parts that a service divides its memory into: its heap, and what it states beside it."""
    heap = largest(known.heaps)
    if heap is None:
        return ()
    beside = (one for name in (DIRECT, METASPACE, CODE) for one in known.all(name) if one.where == heap.where)
    cache = known.last(PAGE_CACHE)
    return (heap, *beside, *([cache] if cache else ()))
