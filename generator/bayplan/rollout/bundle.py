"""The folder of a plan, `plans/<digest>/`, as the hands read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.errors import StaleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
ROLLOUT = "rollout.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A plan that can be applied: where it lies, and what rollout.json says."""

    folder: Path
    data: Mapping[str, Any]

    @property
    def plan(self) -> str:
        """Return the digest that names it."""
        return str(self.data["plan"])

    @property
    def fleet(self) -> str:
        """Return the fleet that it is for."""
        return str(self.data["fleet"])

    @property
    def waves(self) -> tuple[Mapping[str, Any], ...]:
        """Return the waves in order."""
        return tuple(self.data["waves"])

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the nodes that it is for, sorted."""
        return tuple(sorted(self.data["nodes"]))

    def inventory(self, given: Path | None = None) -> Path:
        """Return the inventory to use: the one given, else the user's own for this fleet, else the plan's."""
        own = self.folder.resolve().parent.parent / "inventory" / self.fleet / "hosts.yml"
        if given is not None:
            return given / "hosts.yml" if given.is_dir() else given
        return own if own.is_file() else self.folder / "inventory.yml"


def read_bundle(folder: Path) -> Bundle:
    """Read the plan in a folder.

    Raises:
        UsageError: if there is no plan.
        StaleError: if another version of bayplan wrote it.
    """
    file = folder / ROLLOUT
    if not file.is_file():
        raise UsageError(f"{folder} holds no plan that can be applied; bayplan plan POLICY makes one")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise UsageError(f"{file} cannot be read ({fault}); make the plan again") from fault
    if data.get("schema_version") != SCHEMA_VERSION:
        raise StaleError(f"{file} was written by another version of bayplan; make the plan again")
    return Bundle(folder, data)
