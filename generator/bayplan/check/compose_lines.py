"""Lines of a service's Compose file: where a value stands, and what to paste to have another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.check.paste import Raw, flow
from bayplan.compose.template import plain_text
from bayplan.model.names import Name
from bayplan.policy.values import word
from bayplan.source import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Place
    from bayplan.model.service import Mount, Service
    from bayplan.source import Node


def line(service: Service, *path: str) -> Node | None:
    """Return the node at a path of a service's canonical Compose tree, or None."""
    node: Node | None = service.tree
    for key in path:
        node = node.get(key) if node is not None else None
    return node


def laid(survey: Survey, service: Service, key: str, value: object) -> str:
    """Return a fragment that lays a value of one Compose key over a service."""
    return survey.paste(survey.path_of(service, "compose", key), value)


def laid_each(survey: Survey, key: str, values: Iterable[tuple[Service, Any]]) -> str:
    """Return a fragment that lays a value of one Compose key over each of some services."""
    return survey.paste_each({survey.path_of(service, "compose", key): value for service, value in values})


def instead(values: Iterable[Any]) -> Raw:
    """Return a list that replaces the one of the Compose file, where Compose would add to it."""
    return Raw(f"!override {flow(list(values))}")


@dataclass(frozen=True, slots=True)
class HostPath:
    """A path of the machine that a service mounts, and the line that says so: its mount, or the volume's definition."""

    mount: Mount
    path: str
    place: Place


def host_paths(survey: Survey, service: Service) -> Iterator[HostPath]:
    """Yield the paths of its machine that a service mounts, by binds and by named volumes that are bound to one."""
    for mount in service.mounts:
        if mount.kind == "bind":
            yield HostPath(mount, mount.source, mount.place)
            continue
        volume = survey.fleet.volumes.get(Name(service.name.project, mount.source))
        options = volume.body.get("driver_opts") if volume is not None and mount.kind == "volume" else None
        if volume is not None and options and "bind" in str(options.get("o", "")).split(","):
            yield HostPath(mount, str(options.get("device", "")), volume.place)


def other_mounts(service: Service, mounts: Iterable[Mount]) -> list[Any]:
    """Return what a service mounts beside some mounts, as plain data in the order of its file."""
    left_out = {mount.target for mount in mounts}
    nodes = line(service, "volumes") or ()
    return [_short(plain(one)) for one in nodes if plain_text(word(one.get("target"))) not in left_out]


def _short(mount: dict[str, Any]) -> Any:
    """Return a mount in Compose's short form, if that says all of it."""
    source, target, kind = str(mount.get("source", "")), str(mount.get("target", "")), str(mount.get("type"))
    bind, volume = dict(mount.get("bind", {})), dict(mount.get("volume", {}))
    created = bind.pop("create_host_path", False) is True
    words = ["ro"] if mount.get("read_only") else []
    words += [str(bind.pop(key)) for key in ("propagation", "selinux") if key in bind]
    words += ["nocopy"] if kind == "volume" and volume.pop("nocopy", False) is True else []
    more = mount.keys() - {"type", "source", "target", "read_only", "bind", "volume"}
    usual = created == (kind == "bind") and kind in ("bind", "volume") and not (bind or volume or more)
    if not usual or not source or ":" in source + target:
        return mount
    return ":".join([source, target, *([",".join(words)] if words else [])])


def by_project(services: Iterable[tuple[Service, Place]]) -> dict[str, list[tuple[Service, Place]]]:
    """Return project → its services with the places of what is said about them: one finding for each project."""
    found: dict[str, list[tuple[Service, Place]]] = {}
    for service, place in services:
        found.setdefault(service.name.project, []).append((service, place))
    return found


def listed(services: Iterable[tuple[Service, Place]], most: int = 8) -> str:
    """Return the names of services, the first few of many."""
    names = [service.name.name for service, _ in services]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
