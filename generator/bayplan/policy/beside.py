"""Files that a Compose file names and that are only looked into: those in the repository are read, no others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Generic, TypeVar

from bayplan.policy.folder import policy_files
from bayplan.source import Budget, border_of, is_there, read_file, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bayplan.model.fleet import Fleet
    from bayplan.model.service import Service

_Found = TypeVar("_Found")


class Beside(Generic[_Found]):
    """Files of one kind; each is read once, and all together hold no more lines than one reading handles."""

    def __init__(self, policy: Path, reading: Callable[[str, str], _Found]) -> None:
        """Look from a policy.

        Args:
            policy: a policy folder, or one policy file.
            reading: what makes of a text, and of what the file is called, what is wanted; of a file that cannot be
                read, of an empty text: it need not be here.

        Raises:
            PolicyError: if there is no policy any more.
        """
        self.folder = policy_files(policy)[0].parent
        self._reading = reading
        self._border, self._budget = border_of(self.folder), Budget()
        self._found: dict[str, _Found] = {}

    def root(self, fleet: Fleet, service: Service) -> Path:
        """Return the folder from which the files of a service are named: that of its project's first file."""
        project = fleet.projects.get(service.name.project)
        return (self.folder / project.files[0]).parent if project is not None and project.files else self.folder

    def read(self, path: Path) -> _Found:
        """Return what a file holds."""
        name = os.path.normpath(path)
        if name not in self._found:
            self._found[name] = self._reading(self._text(path), shown(path))
        return self._found[name]

    def _text(self, path: Path) -> str:
        text, _ = read_file(path, border=self._border) if is_there(path) else (None, ())
        return text if text is not None and self._budget.take(text.count("\n")) else ""
