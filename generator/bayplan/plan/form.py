"""A service halfway: what of it is as it will be, and what is still as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayplan.plan.change import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.model.service import Service
    from bayplan.plan.change import Change


@dataclass(frozen=True, slots=True)
class Form:
    """What was done to a service so far.

    Attributes:
        made: its containers come from the plan's files: new settings, ports, volumes and cards.
        sized: it has its new limits and requests.
        pooled: it runs as its new pool says.
    """

    made: bool = True
    sized: bool = True
    pooled: bool = True

    @classmethod
    def before(cls, pending: Iterable[Change]) -> Form:
        """Return the form of a service while these changes of it are still to come."""
        some = tuple(pending)
        kinds = {change.kind for change in some}
        return cls(
            made=not any(change.renews for change in some),
            sized=Kind.RESIZE not in kinds,
            pooled=Kind.SCHEDULE not in kinds,
        )


def blend(old: Service | None, new: Service | None, form: Form) -> Service:
    """Return a service in a form; one that is there on one side only is as that side has it.

    Raises:
        ValueError: if it is there on neither side.
    """
    if old is None or new is None:
        found = new if old is None else old
        if found is None:
            raise ValueError("a service that was never there")
        return found
    sized = new if form.sized else old
    return replace(
        new if form.made else old,
        requests=sized.requests,
        limits=sized.limits,
        estimates=sized.estimates,
        tier=sized.tier,
        pool=(new if form.pooled else old).pool,
    )
