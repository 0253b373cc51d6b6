"""A PostgreSQL whose connections may together sort in more memory than its container has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit, tuning_that_ends
from bayplan.check.over_limit import blamed, limit_of
from bayplan.check.rule import Rule
from bayplan.finding import NOWHERE, Severity
from bayplan.model.units import MIB, show_bytes
from bayplan.tuning.images import POSTGRES
from bayplan.tuning.settings import CONNECTIONS, SHARED_BUFFERS, WORK_MEM, Setting
from bayplan.tuning.unread import meant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application

RULE = Rule("tuning/buffers-over-limit", Severity.WARNING)
_USUAL = {SHARED_BUFFERS: 128 * MIB, CONNECTIONS: 100, WORK_MEM: 4 * MIB}


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each database whose shared buffers and the memory of all its connections exceed its limit."""
    for known in survey.applications:
        parts = _parts(known)
        if parts is None:
            continue
        shared, work, connections = parts
        limit, each = limit_of(known), connections.amount * work.amount
        unread = [one for one in parts if one.where not in ("command", "entrypoint", "")]
        main, other = (work, shared) if each >= shared.amount else (shared, work)
        main = connections if main.place == NOWHERE else main
        total = shared.amount + each
        place, fault = blamed(survey, known, main, total)
        yield RULE.finding(
            place,
            known.service.name,
            f"may take {show_bytes(total)} when its {connections.amount} connections all sort at once, in a limit of "
            f"{show_bytes(limit)}{' (if what it sets were read)' if unread else ''}",
            arithmetic=f"{show_bytes(shared.amount)} + {connections.amount} x {show_bytes(work.amount)} = "
            f"{show_bytes(total)} > {show_bytes(limit)}",
            remedy="or fewer connections, behind a pooler",
            paste=tuning_that_ends(survey, known, main, lambda one: _parts(one) is not None)
            or larger_limit(survey, known.service, total),
            also=tuple(one for one in (other.place, fault) if one != NOWHERE),
        )


def _parts(known: Application) -> tuple[Setting, Setting, Setting] | None:
    """Return shared buffers, memory for one sort, and connections, if together they are over the limit."""
    limit, work = limit_of(known), _said(known, WORK_MEM)
    if work is None and known.image.application == POSTGRES:
        many = _said(known, CONNECTIONS)
        work = _usual(WORK_MEM) if many is not None and many.amount > _USUAL[CONNECTIONS] else None
    if not limit or work is None or known.by_recipe(work):
        return None
    shared, connections = (_said(known, name) or _usual(name) for name in (SHARED_BUFFERS, CONNECTIONS))
    if shared.amount >= limit or shared.amount + connections.amount * work.amount <= limit:
        return None
    return shared, work, connections


def _said(known: Application, name: str) -> Setting | None:
    return known.last(name) or meant(known, name)


def _usual(name: str) -> Setting:
    return Setting(name, "", _USUAL[name], "", NOWHERE)
