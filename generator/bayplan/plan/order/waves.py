"""Packs as waves: numbered, every step with its sizes, its cost and its undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.model.quantity import CPUS, MEMORY
from bayplan.plan.order import baggage, words
from bayplan.plan.order.needs import in_order
from bayplan.plan.steps import Act, Move, Shape, Step, Wave

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bayplan.model.names import Name
    from bayplan.plan.order.actions import Action
    from bayplan.plan.order.charges import Charges
    from bayplan.plan.order.pack import Doing, Pack
    from bayplan.plan.order.scene import Stand


def waves(charges: Charges, packs: Sequence[Pack], needs: Mapping[Name, frozenset[Name]]) -> tuple[Wave, ...]:
    """Return numbered waves."""
    writer = _Writer(charges, packs, needs)
    return tuple(writer.wave(number, pack) for number, pack in enumerate(packs, 1))


class _Writer:
    def __init__(self, charges: Charges, packs: Sequence[Pack], needs: Mapping[Name, frozenset[Name]]) -> None:
        self.charges = charges
        self.scene = charges.scene
        self.needs = needs
        self.stopped: dict[Name, int] = {}
        self.moved: dict[tuple[Name, str], int] = {}
        self.packs = packs
        for number, pack in enumerate(packs, 1):
            for doing in pack.doings:
                for name in doing.action.names:
                    if doing.action.stop:
                        self.stopped[name] = number
                    elif pack.act is Act.MOVE:
                        self.moved[name, doing.node] = number

    def wave(self, number: int, pack: Pack) -> Wave:
        if pack.act is Act.MOVE:
            return self._move(number, pack)
        nodes: dict[str, list[Step]] = {}
        for doing in pack.doings:
            for name in doing.action.names:
                steps = nodes.setdefault(doing.node, [])
                steps.append(self._step(f"{number}.{doing.node}.{len(steps) + 1}", doing, name))
        ordered = {node: tuple(steps) for node, steps in sorted(nodes.items())}
        return Wave(number, pack.cut.name, pack.act, self._why(number, pack, ordered), ordered)

    def _why(self, number: int, pack: Pack, nodes: Mapping[str, tuple[Step, ...]]) -> str:
        first = pack.doings[0].action
        if first.stop:
            back = self.moved[first.name, pack.doings[0].node]
            between = self.packs[number : back - 1]
            return words.halt(nodes, back, _movers(between))
        again = any(one.cut is pack.cut and one.act is pack.act for one in self.packs[: number - 1])
        return words.why(pack.act, nodes, again=again)

    def _step(self, label: str, doing: Doing, name: Name) -> Step:
        action, node = doing.action, doing.node
        before, after = doing.before[node, name], doing.after[node, name]
        shown = before if after is None else after
        copies = len(shown.seats) if shown else 0
        back = self.moved.get((name, node), 0) if action.stop else 0
        return Step(
            id=label,
            kind=action.act,
            service=name,
            node=node,
            copies=copies,
            before=self._shape(name, before),
            after=self._shape(name, after),
            why=_reason(action, name),
            restarts=copies if action.act is Act.RECREATE else 0,
            downtime=f"until wave {back} starts it again" if back else words.DOWNTIME[action.act],
            undo=words.UNDO[Act.REST if action.stop else action.act],
            charge=self._charge(node, name, shown),
        )

    def _move(self, number: int, pack: Pack) -> Wave:
        (doing,) = pack.doings
        action, source, target = doing.action, doing.node, doing.action.target
        copies = {change.service: many for change, many in action.movers}
        names = in_order(action.names, lambda name: self.needs.get(name, ()), lambda name: name)
        stateful = baggage.writes(self.scene, names)
        since = max((self.stopped.get(name, 0) for name in names), default=0)
        steps = []
        for index, name in enumerate(names, 1):
            before, after = doing.before[source, name], doing.after[target, name]
            steps.append(
                Step(
                    id=f"{number}.{source}.{index}",
                    kind=Act.MOVE,
                    service=name,
                    node=source,
                    copies=len(after.seats) if after else 0,
                    before=self._shape(name, before),
                    after=self._shape(name, after),
                    why=_reason(action, name),
                    restarts=copies[name],
                    downtime=words.move_downtime(since, stateful=stateful),
                    undo=f"move back to {source} with the current data" if stateful else f"move back to {source}",
                    charge=self._charge(target, name, after),
                )
            )
        carried = baggage.volumes(self.scene, names)
        paths = baggage.carried_paths(self.scene, names, target)
        move = Move(source, target, tuple(steps), carried, paths, stateful, bool(since))
        return Wave(number, pack.cut.name, Act.MOVE, words.move(move), {}, move)

    def _shape(self, name: Name, stand: Stand | None) -> Shape | None:
        if stand is None:
            return None
        known = self.scene.then.get(name) if stand.form.sized else None
        deployed = known or self.scene.now.get(name)
        return Shape(deployed.resources if deployed else {}, stand.form.made and name in self.scene.then)

    def _charge(self, node: str, name: Name, stand: Stand | None) -> dict[str, int | None]:
        each = self.charges.each(node, name, stand.form) if stand else {}
        return {resource: each.get(resource) for resource in (MEMORY, CPUS)}


def _reason(action: Action, name: Name) -> str:
    changes = [change for change, _ in action.movers if change.service == name]
    change = changes[0] if changes else action.change
    return action.why or (change.why if change else "")


def _movers(packs: Iterable[Pack]) -> list[Name]:
    return [name for pack in packs if pack.act is Act.MOVE for doing in pack.doings for name in doing.action.names]
