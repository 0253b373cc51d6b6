"""One line of a wave: a service, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import limits
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel


@dataclass(frozen=True)
class Item:
    """A service of a wave. Limits are in their normal form; None: nothing is said of them."""

    step: str
    project: str
    service: str
    copies: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """Return `project/service`."""
        return f"{self.project}/{self.service}"

    @property
    def fence(self) -> str:
        """Return the name of the file that keeps the service from starting on this node."""
        return f"{self.project}.{self.service}"


def read(raw: Mapping[str, Any], kernel: Kernel) -> Item:
    """Return an item from plain data."""
    missing = [key for key in ("project", "service") if not raw.get(key)]
    if missing:
        raise NodeError(f"an item lacks {' and '.join(missing)}", "each needs project and service")
    before, after = raw.get("before"), raw.get("after")
    copies = raw.get("copies")
    return Item(
        str(raw.get("id") or ""),
        str(raw["project"]),
        str(raw["service"]),
        1 if copies is None else int(copies),
        None if before is None else limits.normal(before, kernel.every),
        None if after is None else limits.normal(after, kernel.every),
    )
