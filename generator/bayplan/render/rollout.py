"""A plan as data for the hands: rollout.json. Memory in bytes, CPU in thousandths, times in seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bayplan.analyse.charge import charge_on
from bayplan.model.names import Name
from bayplan.model.placement import Seat
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.plan.order.baggage import root_of
from bayplan.plan.state import mode, resources, weight
from bayplan.plan.steps import Act
from bayplan.render.compose import made_here
from bayplan.render.edges import switches
from bayplan.render.emit import bare
from bayplan.render.limits import limits_of
from bayplan.render.node import needs
from bayplan.render.service import service_body
from bayplan.render.standing import standings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Node
    from bayplan.model.placement import Placement
    from bayplan.plan.plan import Plan
    from bayplan.plan.steps import Move, Shape, Step, Wave

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class _Part:
    """One service of a compiled Compose file: mostly all copies of a service that stand on a node."""

    name: str
    copies: int
    body: Mapping[str, Any]


def rollout_data(plan: Plan, digest: str, files: Mapping[str, str]) -> dict[str, Any]:
    """Return what the hands need to know of a plan.

    Args:
        plan: one that has a placement.
        digest: its name.
        files: `<node>/<path>` → text of what the nodes get.

    Raises:
        ValueError: if it has no placement.
    """
    if plan.placement is None:
        raise ValueError("a plan without a placement cannot be rolled out")
    writer = _Writer(plan, plan.placement)
    return {
        "schema_version": SCHEMA_VERSION,
        "fleet": plan.to_be.name,
        "environment": plan.to_be.environment,
        "plan": digest,
        "policy": f"policies/{plan.policy}",
        "confirm_within": plan.confirm_within,
        "keep_source": plan.keep_source,
        "nodes": {name: writer.node(node, files) for name, node in sorted(plan.to_be.nodes.items())},
        "waves": [writer.wave(wave) for wave in plan.waves],
    }


class _Writer:
    def __init__(self, plan: Plan, placement: Placement) -> None:
        self.plan = plan
        self.fleet = plan.to_be
        self.needs = needs(plan.to_be, placement)
        self.placement = placement
        self.parts: dict[tuple[str, Name], list[_Part]] = {}
        for standing in standings(plan.to_be, placement):
            parts = standing.parts(standing.service.name)
            self.parts[standing.node.name, standing.service.name] = [
                _Part(name, len(copies), bare(service_body(replace(standing, copies=copies))))
                for name, copies in parts.items()
            ]
        self.now = {copy: Seat(node) for copy, node in sorted(plan.as_is.standing.items())}

    def node(self, node: Node, files: Mapping[str, str]) -> dict[str, Any]:
        """Return what is to be true of a node."""
        needed = self.needs.get(node.name)
        folder = f"{node.name}/"
        own = {path.removeprefix(folder): text for path, text in files.items() if path.startswith(folder)}
        return {
            "address": node.address or node.name,
            "connection": node.connection,
            "lines": {MEMORY: node.line(MEMORY), CPUS: node.line(CPUS)},
            "reserve": {MEMORY: node.reserved(MEMORY), CPUS: node.reserved(CPUS)},
            "facts": dict(self.plan.facts.get(node.name, {})),
            "cgroup_driver": needed.cgroup_driver if needed else "",
            "projects": {project: {"root": root_of(self.fleet, project)} for project in self._projects(node.name)},
            "files": {path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(own.items())},
            "folders": list(needed.folders) if needed else [],
            "networks": self._networks(node.name),
            "expected": dict(sorted(self._expected(node))),
        }

    def _projects(self, node: str) -> list[str]:
        """Return the projects that stand on a node at either end."""
        then = {copy.service.project for copy, seat in self.placement.seats.items() if seat.node == node}
        now = {copy.service.project for copy, where in self.plan.as_is.standing.items() if where == node}
        return sorted(then | now)

    def _networks(self, node: str) -> list[str]:
        """Return the networks that are made on a node because Compose expects them to be there."""
        wanted = {
            Name(name.project, key)
            for (where, name), parts in self.parts.items()
            for part in parts
            if where == node
            for key in part.body.get("networks") or {"default": None}
        }
        found = (self.fleet.networks.get(name) for name in wanted)
        return sorted(one.real_name for one in found if one is not None and made_here(one))

    def _expected(self, node: Node) -> Iterator[tuple[str, dict[str, Any]]]:
        for (where, name), parts in self.parts.items():
            service = self.fleet.services[name]
            for part in parts if where == node.name else ():
                amounts = {key: charge_on(self.fleet, service, node, key) for key in (MEMORY, CPUS)}
                yield (
                    f"{name.project}/{part.name}",
                    {
                        "copies": part.copies,
                        "run": mode(self.fleet, service),
                        "limits": limits_of({**resources(service), **weight(part.body)}, part.body, node),
                        "charge": {key: amount.amount if amount else None for key, amount in amounts.items()},
                    },
                )

    def wave(self, wave: Wave) -> dict[str, Any]:
        """Return a wave."""
        head = {"number": wave.number, "stage": wave.stage, "kind": wave.kind.value, "why": wave.why}
        if wave.move is not None:
            return {**head, **self._move(wave.move)}
        nodes = wave.nodes.items()
        return {
            **head,
            "nodes": {node: [one for step in steps for one in self._items(step, node)] for node, steps in nodes},
        }

    def _move(self, move: Move) -> dict[str, Any]:
        edges = [switch for step in move.steps for switch in self._switches(move, step)]
        return {
            "source": move.source,
            "target": move.target,
            "services": [item for step in move.steps for item in self._items(step, move.target)],
            "volumes": [
                {
                    "project": one.name.project,
                    "key": one.name.name,
                    "name": one.real_name or f"{one.name.project}_{one.name.name}",
                    "size": one.size.amount if one.size else None,
                }
                for one in move.volumes
            ],
            "paths": list(move.paths),
            "stateful": move.stateful,
            "stop_first": move.stop_first,
            "edges": edges,
        }

    def _switches(self, move: Move, step: Step) -> tuple[dict[str, Any], ...]:
        """Return what proxies learn when copies have moved: those of earlier waves stand on their targets already."""
        before = dict(self.now)
        here = [copy for copy, seat in before.items() if copy.service == step.service and seat.node == move.source]
        target = Seat(move.target)
        ends = {copy: self.placement.seats.get(copy, target) for copy in here}
        going = sorted(here, key=lambda copy: (ends[copy].node != move.target, copy))[: step.restarts]
        self.now.update((copy, target) for copy in going)
        return switches(self.fleet, before, self.now, step.service)

    def _items(self, step: Step, node: str) -> Iterator[dict[str, Any]]:
        """Yield a step as items: one for each service of the Compose file that it is about."""
        parts = self.parts.get((node, step.service), [])
        made = step.after is not None and step.after.made
        if len(parts) > 1 and made:
            for index, part in enumerate(parts, 1):
                yield self._item(step, node, f"{step.id}.{index}", part.name, part.copies, part)
        else:
            name = parts[0].name if parts and made else step.service.name
            yield self._item(step, node, step.id, name, step.copies, parts[0] if parts else None)

    def _item(self, step: Step, node: str, label: str, name: str, copies: int, part: _Part | None) -> dict[str, Any]:
        return {
            "id": label,
            "project": step.service.project,
            "service": name,
            "copies": copies,
            "why": step.why,
            "before": self._limits(step, step.before, step.node, part),
            "after": self._limits(step, step.after, node, part),
            "charge": dict(step.charge),
            "restarts": copies if step.kind is Act.RECREATE else step.restarts,
            "undo": step.undo,
        }

    def _limits(self, step: Step, shape: Shape | None, node: str, part: _Part | None) -> dict[str, Any] | None:
        if shape is None:
            return None
        old = self.plan.as_is.services.get(step.service)
        body = part.body if part is not None and (shape.made or old is None) else (old.body if old else {})
        return limits_of(shape.sizes, body, self.fleet.nodes[node])
