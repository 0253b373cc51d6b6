"""An Ollama that is to keep more models than fit its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit
from bayplan.check.over_limit import limit_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.quantity import MEMORY
from bayplan.model.units import GIB, show_bytes
from bayplan.tuning.command import words_of
from bayplan.tuning.images import OLLAMA
from bayplan.tuning.models import models_in
from bayplan.tuning.settings import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service

RULE = Rule("tuning/models-over-memory", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each Ollama whose models, as their tags say, are larger than its limit and its VRAM.

    Counted are the models that its own settings name, and those that services name which depend on it: the largest
    ones, as many as it may keep at once.
    """
    servers = [one for one in survey.applications if one.image.application == OLLAMA and limit_of(one)]
    clients = _clients(survey) if servers else {}
    for known in servers:
        service = known.service
        card = service.gpu
        if card is not None and not card.memory:  # nobody knows how much of it is in VRAM
            continue
        kept = known.last(MODELS)
        named = _models(service)
        for client in clients.get((service.name.project, service.name.name), ()):
            named |= _models(client)
        most = sorted(named.items(), key=lambda pair: (-pair[1], pair[0]))[: max(1, kept.amount if kept else 1)]
        room = limit_of(known) + (card.memory if card else 0)
        needed = sum(size for _, size in most)
        if needed <= room:
            continue
        sums = " + ".join(f"{show_bytes(size)} ({name})" for name, size in most)
        fits = len(most) > 1 and most[0][1] <= room
        path = survey.path_of(service, "compose", "environment", "OLLAMA_MAX_LOADED_MODELS")
        yield RULE.finding(
            kept.place if kept and len(most) > 1 else service.limits[MEMORY].place,
            service.name,
            f"keeps {', '.join(name for name, _ in most)} in memory, whose weights alone are larger than its "
            f"{'limit and VRAM' if card else 'limit'}",
            arithmetic=f"{sums} = {show_bytes(needed)} > {show_bytes(room)}",
            remedy="or smaller models",
            paste=survey.paste(path, "1")
            if fits and kept and kept.where in (service.body.get("environment") or {})
            else larger_limit(survey, service, needed - (card.memory if card else 0) + GIB),
            also=(service.limits[MEMORY].place,),
        )


def _clients(survey: Survey) -> dict[tuple[str, str], list[Service]]:
    """Return project and name → the services that depend on it."""
    found: dict[tuple[str, str], list[Service]] = {}
    for service in survey.services:
        for edge in service.depends_on:
            found.setdefault((service.name.project, edge.name), []).append(service)
    return found


def _models(service: Service) -> dict[str, int]:
    values = [one for one in (service.body.get("environment") or {}).values() if one is not None]
    lines = [" ".join(words_of(service.body.get(line))) for line in ("entrypoint", "command")]
    return models_in("\n".join(map(str, [*values, *lines])))
