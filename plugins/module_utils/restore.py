"""The way back of one node: each service as it was before a plan, its limits, its definition, whether it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import (
    containers,
    earlier,
    engine,
    files,
    limiter,
    state,
    stopping,
)
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import HELD, NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.snapshot import by_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ansible_collections.bayplan.fleet.plugins.module_utils.stage import Stage

    Found = Mapping[str, list[dict[str, Any]]]


class Way:
    """What must be done on this node for some services to be as they were; none named: for all of them."""

    def __init__(self, stage: Stage, before: Mapping[str, Any], only: Iterable[str] = ()) -> None:
        self._stage, self._before = stage, before
        self.then = by_service(before["containers"])
        self.now = by_service(engine.of_projects(before["projects"]))
        wanted = set(only)
        self.names = sorted(name for name in {*self.then, *self.now} if not wanted or name in wanted)

    def steps(self) -> list[str]:
        """Return the services that are not as they were, in order: first those that came, then dependees first."""
        rank = {name: place for place, name in enumerate(dependees_first(self.then))}
        return sorted((name for name in self.names if self._differences(name)), key=lambda name: rank.get(name, -1))

    def differences(self) -> list[str]:
        """Return every way in which a service is not as it was."""
        return [f"{name}: {line}" for name in self.names for line in self._differences(name)]

    def told(self, name: str) -> str:
        """Return what will become of a service, in words."""
        return f"{name}: {'as before' if name in self.then else 'removed, it came with the plan'}"

    def take(self, name: str) -> None:
        """Make one service what it was.

        Raises:
            NodeError: with the outcome `held` if it is not, afterwards.
        """
        project, _, service = name.partition("/")
        before = self.then.get(name, [])
        files.remove(self._stage.hand.home.fences / f"{project}.{service}")
        images = earlier.keep(before)
        missing = [image for image, number in images.items() if not engine.image_id(number)]
        if missing:
            raise NodeError(f"the image {missing[0]} of {name} is gone from this node", "load it again", HELD)
        if before and self._stuck(name):
            earlier.find(self._stage, before[0])  # it must be there before anything is stopped
            for one in self.now[name]:
                stopping.stop(one)
                stopping.remove(one)
        left = earlier.put_back(self._stage, project, service, before, images)
        if before and not any(containers.is_running(one) for one in before):
            for one in engine.of_service(project, service):
                if containers.is_running(one):
                    stopping.stop(one)
        settled = (self._before["state"].get("settled") or {}).get(name)
        state.put(self._stage.state, "settled", name, settled)
        if left:
            raise NodeError(f"{name} is not as it was: {'; '.join(left)}", "", HELD)

    def _stuck(self, name: str) -> bool:
        """Whether containers that are still the same cannot get their old limits live: `no limit` is such a one."""
        old = {one["Id"]: containers.fact(one, self._stage.kernel)["configured"] for one in self.then[name]}
        same = [one for one in self.now.get(name, []) if one["Id"] in old]
        return any(limiter.refusals(one, old[one["Id"]], self._stage.kernel, 0) for one in same)

    def _differences(self, name: str) -> list[str]:
        then, now = self.then.get(name, []), self.now.get(name, [])
        found = earlier.compare(then, now, self._stage)
        runs, ran = (any(containers.is_running(one) for one in side) for side in (now, then))
        if then and now and ran != runs:
            found.append("it ran before" if ran else "it did not run before")
        if {one["Id"] for one in then} != {one["Id"] for one in now} and _made_of(then) != _made_of(now):
            found.append("another definition")
        return found


def _made_of(found: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what tells one definition from another; Compose's hash will not do: `--no-deps` makes another one."""
    return [
        (
            one["Image"],
            sorted(one["Config"].get("Env") or []),
            one["Config"].get("Cmd"),
            one["Config"].get("Entrypoint"),
            sorted(one["HostConfig"].get("ExtraHosts") or []),
            sorted(one["NetworkSettings"].get("Networks") or {}),
        )
        for one in found
    ]


def dependees_first(then: Found) -> list[str]:
    """Return services, each behind those that Compose noted it to depend on."""
    order: list[str] = []

    def visit(name: str, above: frozenset[str]) -> None:
        if name in order or name in above or name not in then:
            return
        for needed in containers.label(then[name][0], "depends_on").split(","):
            visit(f"{name.partition('/')[0]}/{needed.partition(':')[0]}", above | {name})
        order.append(name)

    for name in sorted(then):
        visit(name, frozenset())
    return order
