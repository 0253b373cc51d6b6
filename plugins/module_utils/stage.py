"""What the steps of one module run share: the release, the kernel, the containers, and the words they leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from ansible_collections.bayplan.fleet.plugins.module_utils import engine, item, progress, state
from ansible_collections.bayplan.fleet.plugins.module_utils.definition import Wanted
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand
    from ansible_collections.bayplan.fleet.plugins.module_utils.item import Item


@dataclass(frozen=True)
class Stage:
    """Where services are changed."""

    hand: Hand
    kernel: Kernel
    timeout: int
    margin: int
    stateful: bool = False

    @property
    def state(self) -> Path:
        """The file with what containers cannot say themselves."""
        return self.hand.home.state

    @property
    def release(self) -> str:
        """The release that services are made from: the plan's, or, without a plan, the current one."""
        return self.hand.plan or self.hand.home.current_plan()

    @cached_property
    def done(self) -> set[tuple[str, str]]:
        """What and step id of all that earlier runs of the plan have done on this node."""
        return progress.done(self.hand)

    def items(self, raw: Iterable[Mapping[str, Any]]) -> list[Item]:
        """Return items from plain data."""
        return [item.read(one, self.kernel) for one in raw]

    def project(self, one: Item) -> Project | None:
        """Return the project of a service, if the release knows the service."""
        project = Project.of_release(self.hand.home, self.release, one.project)
        return project if project and one.service in project.services() else None

    def wanted(self, one: Item, project: Project) -> Wanted:
        """Return a service as the release says it."""
        spec = project.services()[one.service]
        settled = state.read(self.state)["settled"].get(one.name) or {}
        return Wanted(
            spec,
            project.hashes(one.service),
            engine.image_id(image_of(spec, one)),
            str(settled.get("hash") or ""),
            str(project.files[0]),
            project.volumes(),
        )

    def containers(self, one: Item) -> list[dict[str, Any]]:
        """Return the containers of a service."""
        return engine.of_service(one.project, one.service)

    def refuse(self, one: Item, places: Iterable[str]) -> None:
        """Refuse to start a service that left this node, or whose data is a copy that nobody has compared yet."""
        if (self.hand.home.fences / one.fence).exists():
            raise NodeError(
                f"{one.name} was moved away from this node; what is here is its old data",
                "start it where it is now; data state=lifted lets it start here again",
            )
        half = sorted(set(places) & incomplete(self.hand.home.incomplete))
        if half:
            raise NodeError(
                f"{one.name} would start on a copy that is not complete: {', '.join(half)}", "copy it again"
            )


def image_of(spec: Mapping[str, Any], one: Item) -> str:
    """Return the name of a service's image; one that is built has Compose's name."""
    return str(spec.get("image") or f"{one.project}-{one.service}")


def incomplete(folder: Path) -> set[str]:
    """Return the volumes and folders whose copy was begun and is not proven."""
    return {unquote(one.name) for one in folder.iterdir()} if folder.is_dir() else set()


def mark_of(folder: Path, place: str) -> Path:
    """Return the file that marks a volume or folder as incomplete."""
    return folder / quote(place, safe=":")
