"""The folders of one policy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of one policy: where it stands, what was observed, and where its compiled files go."""

    policy: Path
    inventory: Path
    compiled: Path
    plans: Path

    @property
    def fleet(self) -> str:
        """Return the fleet's name: the policy folder's."""
        whole = _real(self.policy)
        return whole.name if whole.is_dir() else whole.parent.name


def workspace(policy: Path, inventory: Path | None = None, out: Path | None = None) -> Workspace:
    """Return the folders that belong to a policy.

    A policy in a folder `policies/` has its `inventory/`, `compiled/` and `plans/` beside that; any other has them in
    the folder that the command was started in.
    """
    whole = _real(policy)
    folder = whole if whole.is_dir() else whole.parent
    root = folder.parent.parent if folder.parent.name == "policies" else Path.cwd()
    name = folder.name
    return Workspace(
        policy=policy,
        inventory=inventory or root / "inventory" / name,
        compiled=out or root / "compiled" / name,
        plans=root / "plans",
    )


def repository() -> tuple[Path, Path]:
    """Return where the command was started, and the root of the repository around that; the same if there is none."""
    here = Path.cwd()
    return here, next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def _real(path: Path) -> Path:
    """Return a path with its links followed; Path.resolve() raises where they lead in a circle."""
    return Path(os.path.realpath(path))
