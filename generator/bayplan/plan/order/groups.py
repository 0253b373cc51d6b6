"""Which services move together: those that share carried data, a network, or a rule that keeps them on one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.finding import error
from bayplan.place.constraints import ties
from bayplan.plan.order.needs import host_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.finding import Finding, Place
    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.plan.order.scene import Scene

Way = tuple[str, str]
"""Source and target."""


def bonds(fleet: Fleet) -> tuple[frozenset[Name], ...]:
    """Return the sets of services that may never be torn apart, by their first name."""
    found = [frozenset(one.users) for one in ties.volumes(fleet) if one.binds_users and one.volume.on_move == "carry"]
    for name, service in sorted(fleet.services.items()):
        host = host_of(service)
        found += [frozenset({name, host})] if host else []
        found += [frozenset({name, other}) for other in service.placement.affinity.get("node", ())]
    return tuple(sorted((one for one in found if len(one) > 1), key=sorted))


def joined(names: Iterable[Name], some: Iterable[frozenset[Name]]) -> list[tuple[Name, ...]]:
    """Return names in groups that are held together by bonds, each group and all of them by name."""
    group = {name: {name} for name in names}
    for bond in some:
        here = [group[name] for name in sorted(bond) if name in group]
        for other in here[1:]:
            here[0] |= other
            group.update((name, here[0]) for name in here[0])
    return sorted({tuple(sorted(one)) for one in group.values()})


def torn(scene: Scene, ways: Mapping[Name, Iterable[Way]], place: Place, stage: str) -> Iterator[Finding]:
    """Yield who shares carried data with a mover, goes away too, and is moved in another stage.

    Args:
        scene: both ends.
        ways: who moves in this stage, and how.
        place: where the stage is written.
        stage: its name.
    """
    for shared in ties.volumes(scene.to_be):
        if not shared.binds_users or shared.volume.on_move != "carry":
            continue
        here = [name for name in shared.users if name in ways]
        for name in shared.users:
            other = next((one for one in here if _parted(scene, name, ways[one])), None)
            if other is None or name in ways:
                continue
            message = f"moves {other} without {name}, which writes to the same volume {shared.volume.name}"
            remedy = f"let one stage move both: add {name} to the services of stage {stage}"
            yield error("rollout/torn-move", place, f"stage {stage}", message, remedy)


def _parted(scene: Scene, name: Name, ways: Iterable[Way]) -> bool:
    """Whether a service leaves one of the sources too, at some other time."""
    return any(scene.had(name, source) and not scene.gets(name, source) for source, _ in ways)
