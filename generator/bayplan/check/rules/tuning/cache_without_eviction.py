"""A Redis that is named a cache, and refuses writes when it is full."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.check.mending import in_policy
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.command import words_of
from bayplan.tuning.images import REDIS, VALKEY
from bayplan.tuning.settings import EVICTION, MAXMEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application

RULE = Rule("tuning/cache-without-eviction", Severity.WARNING)
_POLICY = "allkeys-lru"


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each cache with a maxmemory, and nothing that may go when it is reached."""
    for known in survey.applications:
        most, policy = known.last(MAXMEMORY), known.last(EVICTION)
        named = "cache" in known.service.name.name.lower()
        if not named or known.image.application not in (REDIS, VALKEY) or most is None or not most.amount:
            continue
        if policy is not None and policy.text != "noeviction":
            continue
        yield RULE.finding(
            policy.place if policy else most.place,
            known.service.name,
            f"is a cache that refuses writes at {most.said}: nothing is evicted by {_said(known)}",
            remedy="allkeys-lfu, volatile-lru and others are possible too",
            paste=_paste(survey, known),
        )


def _said(known: Application) -> str:
    policy = known.last(EVICTION)
    return policy.said if policy else "default (noeviction)"


def _paste(survey: Survey, known: Application) -> str:
    service, policy = known.service, known.last(EVICTION)
    tuning = service.tuning
    if tuning is not None and tuning.recipe == "redis":
        said = replace(tuning, options={**tuning.options, "policy": _POLICY})
        return survey.paste(survey.path_of(service, "tuning"), in_policy(said))
    words = list(words_of(service.body.get("command")))
    if policy is not None and policy.where == "command":
        return survey.paste(
            survey.path_of(service, "compose", "command"), [_POLICY if one == policy.text else one for one in words]
        )
    path = survey.path_of(service, "compose", "command")
    return survey.paste(path, [*words, "--maxmemory-policy", _POLICY]) if words else ""
