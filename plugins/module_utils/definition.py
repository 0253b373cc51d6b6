"""Is a service what the release says? Pure comparisons of definitions, labels and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import containers, limiter, limits, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel
    from ansible_collections.bayplan.fleet.plugins.module_utils.item import Item

_LIMITS = ("cpus", "cpu_count", "cpu_period", "cpu_quota", "cpu_shares", "cpuset", "mem_limit", "mem_reservation",
           "memswap_limit", "pids_limit")  # fmt: skip
"""Keys of a service that `docker update` can change; what `deploy` says of resources likewise."""


@dataclass(frozen=True)
class Wanted:
    """A service as a release says it.

    Attributes:
        spec: its definition, resolved.
        hashes: what Compose labels a container of it with, made with and without the services that it depends on.
        image_id: the image of its name on this node; empty: it is not here.
        settled: the hash of the release to which its limits were changed live; empty: none.
        file: the Compose file that says it.
        volumes: key → definition of the project's volumes.
    """

    spec: Mapping[str, Any]
    hashes: tuple[str, ...]
    image_id: str = ""
    settled: str = ""
    file: str = ""
    volumes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def places(self) -> list[str]:
        """Return the volumes and folders that the service keeps data in, as `volume:NAME` and `path:/folder`."""
        found = []
        for mount in self.spec.get("volumes") or []:
            source = str(mount.get("source") or "")
            if mount.get("type") == "volume" and source:
                name = (self.volumes.get(source) or {}).get("name") or source
                found.append(f"volume:{name}")
            elif mount.get("type") == "bind":
                found.append(f"path:{source}")
        return found


def due(item: Item, found: Sequence[Mapping[str, Any]], wanted: Wanted, kernel: Kernel, ids: set[str]) -> list[str]:
    """Return why the containers of a service have to be replaced; nothing: they are what the release says.

    Args:
        item: what the plan says.
        found: its containers.
        wanted: the release's definition.
        kernel: how to read limits.
        ids: the ids of all containers that there are, to know a borrowed network of one that is gone.
    """
    why: list[str] = []
    again = item.before is not None and item.before == item.after
    for one in found:
        number = containers.number_of(one)
        label = containers.label(one, "config-hash")
        if label not in wanted.hashes and wanted.settled not in wanted.hashes:
            why.append(f"container {number} was made from another definition")
        if one.get("Image") != wanted.image_id:
            why.append(f"container {number} runs another image")
        if _orphaned(one, ids):
            why.append(f"container {number} shares the network of a container that is gone")
        if again and containers.label(one, "project.config_files") != wanted.file:
            why.append(f"container {number} is to be replaced")
        if item.after is not None and (keys := limiter.due(one, item.after, kernel)):
            why.append(f"container {number} has other limits: {', '.join(sorted(keys))}")
    return why


def without_limits(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition less all that can be changed live."""
    rest = {key: value for key, value in spec.items() if key not in _LIMITS}
    deploy = {key: value for key, value in (spec.get("deploy") or {}).items() if key not in ("resources", "replicas")}
    devices = (((spec.get("deploy") or {}).get("resources") or {}).get("reservations") or {}).get("devices")
    return {**rest, "deploy": {key: value for key, value in deploy.items() if value}, "devices_": devices}


def picture(found: Sequence[Mapping[str, Any]], kernel: Kernel) -> str:
    """Return the containers of a service as text, to be compared."""
    lines: list[str] = []
    for one in found:
        seen = containers.fact(one, kernel)
        lines += [f"{seen['name']}:", f"  state: {'running' if containers.is_running(one) else 'not running'}"]
        lines += [f"  image: {seen['image']}"]
        lines += [f"  {line}" for line in show.lines(seen["configured"], limits.KEYS)]
    return "".join(f"{line}\n" for line in lines)


def expected(
    item: Item,
    found: Sequence[Mapping[str, Any]],
    kernel: Kernel,
    *,
    copies: int,
    running: bool | None,
    image: str = "",
) -> str:
    """Return the containers of a service as text, as they will be.

    Args:
        item: what the plan says.
        found: the containers that stay.
        kernel: how to read limits.
        copies: how many there will be.
        running: whether they will run; None: as now.
        image: what they will run; empty: as now.
    """
    lines: list[str] = []
    for number in range(1, copies + 1):
        one = found[number - 1] if number <= len(found) else None
        runs = containers.is_running(one) if running is None and one else bool(running)
        known = containers.fact(one, kernel) if one else {}
        lines += [f"{known.get('name') or f'{item.project}-{item.service}-{number}'}:"]
        lines += [f"  state: {'running' if runs else 'not running'}"]
        lines += [f"  image: {image or known.get('image') or ''}"]
        lines += [f"  {line}" for line in show.lines(item.after or known.get("configured"), limits.KEYS)]
    return "".join(f"{line}\n" for line in lines)


def _orphaned(inspected: Mapping[str, Any], ids: set[str]) -> bool:
    kind, _, other = str(inspected["HostConfig"].get("NetworkMode") or "").partition(":")
    return kind == "container" and other not in ids
