"""Names: a service, a volume or a network is `project/name`."""

from __future__ import annotations

from typing import NamedTuple


class Name(NamedTuple):
    """The identity of a service, a volume or a network within a fleet."""

    project: str
    name: str

    def __str__(self) -> str:
        """Return `project/name`."""
        return f"{self.project}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Name:
        """Return the name that `str` wrote; raises ValueError if there is no slash."""
        project, slash, name = text.partition("/")
        if not slash:
            msg = f"{text!r} is not project/name"
            raise ValueError(msg)
        return cls(project, name)


class Instance(NamedTuple):
    """One running copy of a service: `project/name#2`; copies count from 1, fleet-wide."""

    service: Name
    number: int = 1

    def __str__(self) -> str:
        """Return `project/name` for the first copy and `project/name#n` for the others."""
        return str(self.service) if self.number == 1 else f"{self.service}#{self.number}"
