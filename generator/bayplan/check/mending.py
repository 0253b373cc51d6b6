"""Ways out for settings that do not fit a limit: a tuning that is tried on the service first, else a larger limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.check.survey import written
from bayplan.model.quantity import MEMORY
from bayplan.tuning.following import tunings
from bayplan.tuning.reading import under

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.check.survey import Survey
    from bayplan.model.service import Service, Tuning
    from bayplan.tuning.settings import Application, Setting


def tuning_that_ends(survey: Survey, known: Application, setting: Setting, still: Callable[[Application], bool]) -> str:
    """Return a fragment whose tuning ends what `still` finds, or the empty string if none does.

    Args:
        survey: where the fragment is pasted.
        known: the service as it is.
        setting: what is wrong with it.
        still: whether it is still wrong with the service under another tuning.
    """
    for tuning in tunings(known, setting):
        other = under(known, tuning)
        if other is not None and not still(other):
            return survey.paste(survey.path_of(known.service, "tuning"), in_policy(tuning))
    return ""


def in_policy(tuning: Tuning) -> Any:
    """Return a tuning as a policy says it, in its short form if there is one."""
    options = {key: int(value) if value.isdigit() else value for key, value in tuning.options.items()}
    rest = {**options, "environment": dict(tuning.environment), "command": list(tuning.command)}
    said = {key: value for key, value in rest.items() if value not in ({}, [])}
    if not said:
        return tuning.recipe
    return {"recipe": tuning.recipe, **said} if tuning.recipe else said


def larger_limit(survey: Survey, service: Service, amount: int) -> str:
    """Return a fragment that raises the limit of memory to an amount at least, and the request where both are equal."""
    path = survey.path_of(service)
    if service.qos != "guaranteed" or MEMORY not in service.requests or MEMORY in survey.factors:
        return survey.paste_amount((*path, "limits"), MEMORY, amount, at_most=False)
    size = {MEMORY: written(MEMORY, amount, down=False)}
    return survey.paste(path, {"limits": size, "requests": size})
