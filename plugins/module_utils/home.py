"""Where bayplan keeps what on a node."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

ROOT = "/var/lib/bayplan"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def checked(word: str, what: str) -> str:
    """Return a word that may be part of a path: no slashes, no dots in front."""
    if not _NAME.fullmatch(word):
        raise NodeError(
            f"{what} is '{word}'", "use letters, digits, '-', '_' and '.', and begin with one of the former"
        )
    return word


@dataclass(frozen=True)
class Home:
    """The folder of one fleet on this node."""

    root: Path

    @classmethod
    def of(cls, root: str, fleet: str) -> Home:
        """Return the folder of a fleet."""
        return cls(Path(root) / checked(fleet, "fleet"))

    @property
    def journal(self) -> Path:
        """What was done here."""
        return self.root / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """Who may act: the lease."""
        return self.root / "lock"

    @property
    def busy(self) -> Path:
        """Held by the step at work; it may outlive the control process that began it."""
        return self.root / "work.lock"

    @property
    def state(self) -> Path:
        """What the containers themselves cannot say: settled hashes, disarmed restart policies."""
        return self.root / "state.json"

    @property
    def current(self) -> Path:
        """The release that holds."""
        return self.root / "current"

    @property
    def fences(self) -> Path:
        """Services that must not start here any more."""
        return self.root / "fences"

    @property
    def incomplete(self) -> Path:
        """Volumes and folders whose copy is not proven yet."""
        return self.root / "incomplete"

    def release(self, plan: str) -> Path:
        """Return the folder of a release."""
        return self.root / "releases" / checked(plan, "release_plan")

    def backup(self, plan: str) -> Path:
        """Return the folder of what was there before a plan."""
        return self.root / "backups" / checked(plan, "release_plan")

    def copy(self, plan: str, wave: int) -> Path:
        """Return the folder of one copy: keys, and who is known."""
        return self.root / "copy" / f"{checked(plan, 'release_plan')}-{wave}"

    def current_plan(self) -> str:
        """Return the digest of the release that holds; empty: there is none."""
        return self.current.readlink().name if self.current.is_symlink() else ""
