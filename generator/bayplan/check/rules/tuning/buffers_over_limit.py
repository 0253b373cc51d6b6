"""A database whose connections may together take more memory than its container has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit, tuning_that_ends
from bayplan.check.over_limit import blamed, limit_of
from bayplan.check.rule import Rule
from bayplan.finding import NOWHERE, Severity
from bayplan.model.units import MIB, show_bytes
from bayplan.tuning.images import MARIADB, MYSQL, POSTGRES
from bayplan.tuning.settings import BUFFER_POOL, CONNECTIONS, PER_CONNECTION, SHARED_BUFFERS, WORK_MEM, Setting
from bayplan.tuning.unread import meant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application

RULE = Rule("tuning/buffers-over-limit", Severity.WARNING)
_MYSQL = frozenset({MYSQL, MARIADB})
_USUAL = {SHARED_BUFFERS: 128 * MIB, WORK_MEM: 4 * MIB, BUFFER_POOL: 128 * MIB}
_CONNECTIONS = {SHARED_BUFFERS: 100, BUFFER_POOL: 151}
"""What PostgreSQL and MySQL take if nobody says it; connections by what a database calls its buffers."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a database takes: its buffers, and for each of its connections what `each` says."""

    buffers: Setting
    each: tuple[Setting, ...]
    connections: Setting

    @property
    def of_connections(self) -> int:
        return self.connections.amount * sum(one.amount for one in self.each)

    @property
    def total(self) -> int:
        return self.buffers.amount + self.of_connections

    @property
    def all(self) -> tuple[Setting, ...]:
        return (self.buffers, *self.each, self.connections)

    @property
    def sum(self) -> str:
        sizes = " + ".join(show_bytes(one.amount) for one in self.each)
        each = sizes if len(self.each) == 1 else f"({sizes})"
        return f"{show_bytes(self.buffers.amount)} + {self.connections.amount} x {each} = {show_bytes(self.total)}"


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each database whose buffers and the memory of all its connections exceed its limit."""
    for known in survey.applications:
        parts = _parts(known)
        if parts is None:
            continue
        limit = limit_of(known)
        unread = [one for one in parts.all if one.where not in ("command", "entrypoint", "")]
        work = max(parts.each, key=lambda one: one.amount)
        main, other = (work, parts.buffers) if parts.of_connections >= parts.buffers.amount else (parts.buffers, work)
        main = next(one for one in (main, parts.connections, other) if one.place != NOWHERE)
        place, fault = blamed(survey, known, main, parts.total)
        yield RULE.finding(
            place,
            known.service.name,
            f"may take {show_bytes(parts.total)} when its {parts.connections.amount} connections all "
            f"{'sort at once' if parts.buffers.name == SHARED_BUFFERS else 'fill their buffers'}, in a limit of "
            f"{show_bytes(limit)}{' (if what it sets were read)' if unread else ''}",
            arithmetic=f"{parts.sum} > {show_bytes(limit)}",
            remedy="or fewer connections, behind a pooler",
            paste=tuning_that_ends(survey, known, main, lambda one: _parts(one) is not None)
            or larger_limit(survey, known.service, parts.total),
            also=tuple(one for one in (other.place, fault) if one != NOWHERE),
        )


def _parts(known: Application) -> _Parts | None:
    """Return what a database takes if that is over its limit: its buffers alone are told by `cache-over-limit`."""
    limit = limit_of(known)
    name, each = (
        (BUFFER_POOL, _buffers(known)) if known.image.application in _MYSQL else (SHARED_BUFFERS, _sorts(known))
    )
    if not limit or not each:
        return None
    connections = _said(known, CONNECTIONS) or Setting(CONNECTIONS, "", _CONNECTIONS[name], "", NOWHERE)
    found = _Parts(_said(known, name) or _usual(name), each, connections)
    return found if found.buffers.amount < limit < found.total else None


def _buffers(known: Application) -> tuple[Setting, ...]:
    """Return what MySQL is told to give each connection; its defaults are small."""
    return tuple(one for name in PER_CONNECTION if (one := known.last(name)) is not None)


def _sorts(known: Application) -> tuple[Setting, ...]:
    """Return the memory for one sort of PostgreSQL, unless its recipe sets it; the default for uncommonly many."""
    work = _said(known, WORK_MEM)
    if work is None and known.image.application == POSTGRES:
        many = _said(known, CONNECTIONS)
        work = _usual(WORK_MEM) if many is not None and many.amount > _CONNECTIONS[SHARED_BUFFERS] else None
    return () if work is None or known.by_recipe(work) else (work,)


def _said(known: Application, name: str) -> Setting | None:
    return known.last(name) or meant(known, name)


def _usual(name: str) -> Setting:
    return Setting(name, "", _USUAL[name], "", NOWHERE)
