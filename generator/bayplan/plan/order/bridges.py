"""Who is told of a move in another stage than the move: in between the two do not reach each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.finding import warning
from bayplan.plan.change import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.finding import Finding
    from bayplan.model.names import Name
    from bayplan.plan.change import Change
    from bayplan.plan.stages import Stage


def bridges(stages: Iterable[Stage], needs: Mapping[Name, frozenset[Name]]) -> Iterator[Finding]:
    """Yield a warning for each service that is made anew for a neighbour's move, but not in the stage of the move."""
    moves: dict[Name, tuple[Stage, Change]] = {}
    renewed: list[tuple[Stage, Change]] = []
    for stage in stages:
        for change in stage.changes:
            if change.kind is Kind.MOVE:
                moves[change.service] = (stage, change)
            elif change.renews:
                renewed.append((stage, change))
    for stage, change in renewed:
        for other in sorted(needs.get(change.service, ())):
            there, move = moves.get(other, (stage, change))
            if there.cut != stage.cut and _tells_of(change, other):
                message = (
                    f"is told in stage {stage.cut.name} where {other} is, which moves to {move.target} in stage "
                    f"{there.cut.name}: in between they do not reach each other"
                )
                remedy = f"let stage {there.cut.name} take the {change.kind.value} of {change.service} too"
                yield warning("rollout/told-apart", stage.cut.place, str(change.service), message, remedy)


def _tells_of(change: Change, other: Name) -> bool:
    """Whether new settings say where a neighbour is: it is waited for no longer, or has an address from now on."""
    return any(
        detail.key.startswith(f"depends_on.{other.name}.")
        or (detail.key == "extra_hosts" and f"{other.name}:" in f"{detail.before} {detail.after}")
        for detail in change.details
    )
