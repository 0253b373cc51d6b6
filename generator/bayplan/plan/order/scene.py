"""Where everything stands between two steps, and what a step makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.plan.form import Form, blend
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service
    from bayplan.plan.change import Change
    from bayplan.plan.state import State


@dataclass(frozen=True, slots=True)
class Stand:
    """A service on one node.

    Attributes:
        form: what of it is as it will be.
        seats: copy → seat; the copies are interchangeable, their number is what counts.
        halted: whether it is stopped for a while: it takes nothing, and its name is still taken.
    """

    form: Form
    seats: Mapping[int, Seat]
    halted: bool = False


World = dict[str, dict["Name", Stand]]
"""Node → service → how it stands there."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Both ends of a plan.

    Attributes:
        as_is, to_be: the two fleets.
        now, then: their states.
        changes: what leads from one to the other.
    """

    as_is: Fleet
    to_be: Fleet
    now: State
    then: State
    changes: tuple[Change, ...] = ()
    _blended: dict[tuple[Name, Form], Service] = field(default_factory=dict, compare=False, repr=False)

    def service(self, name: Name, form: Form) -> Service:
        """Return a service in a form."""
        known = self._blended.get((name, form))
        if known is None:
            known = blend(self.as_is.services.get(name), self.to_be.services.get(name), form)
            self._blended[name, form] = known
        return known

    def world(self) -> World:
        """Return where everything stands before the first step."""
        pending: dict[Name, list[Change]] = {}
        for change in self.changes:
            pending.setdefault(change.service, []).append(change)
        world: World = {node: {} for node in self.to_be.nodes}
        for name, deployed in sorted(self.now.items()):
            form = Form.before(pending.get(name, ()))
            for node in deployed.nodes:
                if node in world:
                    world[node][name] = Stand(form, self.had(name, node))
        return world

    def had(self, name: Name, node: str) -> dict[int, Seat]:
        """Return the seats of a service on a node before the first step."""
        return _here(self.now, name, node)

    def gets(self, name: Name, node: str) -> dict[int, Seat]:
        """Return the seats of a service on a node after the last step."""
        return _here(self.then, name, node)

    def done(self, act: Act, name: Name, node: str, stand: Stand | None, *, made: bool = False) -> Stand | None:
        """Return how a service stands on a node after a step that is no move.

        Args:
            act: what the step does.
            name: to whom.
            node: where.
            stand: how it stood there.
            made: whether a rest brings new settings along.
        """
        if act is Act.STOP:
            return None
        if stand is None:
            return Stand(Form(), self.gets(name, node)) if act is not Act.RESIZE else None
        form = stand.form
        if act is Act.RESIZE:
            return replace(stand, form=replace(form, sized=True))
        if act in (Act.REST, Act.START):
            if made:
                return Stand(Form(), self.gets(name, node))
            return replace(stand, form=replace(form, pooled=True))
        # A container that is made anew is made from the plan's file, limits included.
        return Stand(replace(form, made=True, sized=True), self.gets(name, node))

    def left(self, name: Name, source: Stand, moved: int) -> Stand | None:
        """Return what stays on the source of a move that takes so many copies away."""
        stays = self._stays(name, source)
        kept = dict(sorted(source.seats.items(), key=lambda item: (item[0] not in stays, item[0])))
        rest = dict(list(kept.items())[: len(kept) - moved])
        return Stand(source.form, rest) if rest else None

    def _stays(self, name: Name, source: Stand) -> set[int]:
        node = next(iter(source.seats.values())).node
        return set(self.gets(name, node))

    def came(self, name: Name, target: str, there: Stand | None, source: Stand, moved: int) -> Stand:
        """Return how a service stands on the target of a move that brings so many copies."""
        gets = self.gets(name, target)
        number = (len(there.seats) if there else 0) + moved
        return Stand(replace(source.form, made=True, sized=True), dict(sorted(gets.items())[:number]))


def _here(state: State, name: Name, node: str) -> dict[int, Seat]:
    deployed = state.get(name)
    return {number: seat for number, seat in sorted(deployed.seats.items()) if seat.node == node} if deployed else {}
