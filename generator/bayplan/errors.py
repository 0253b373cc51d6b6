"""The exceptions of bayplan, drawn as a tree.

    BayplanError            shown to the user as a sentence, never as a traceback
    ├── UsageError          the command was called wrongly                      exit 64
    ├── PolicyError         the input has findings that stop the work           exit 1
    ├── ViolatedError       the policy is well formed, but cannot hold          exit 3
    ├── StaleError          what was planned no longer matches what is there    exit 4
    └── OutputError         a target could not be written                       exit 1

Anything else that escapes is a bug.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayplan.finding import Finding


class Exit(IntEnum):
    """Exit codes of every verb; 2, 5 and 6 are used by the verbs that touch nodes and by `--detailed-exitcode`."""

    FINE = 0
    ERROR = 1
    CHANGES = 2
    VIOLATED = 3
    STALE = 4
    ROLLED_BACK = 5
    HELD = 6
    USAGE = 64


class BayplanError(Exception):
    """An error of the user or of the surroundings, with a sentence that says what to do."""

    exit_code = Exit.ERROR


class UsageError(BayplanError):
    """The command was called wrongly."""

    exit_code = Exit.USAGE


class PolicyError(BayplanError):
    """The input has findings that stop the work; they are carried along to be shown."""

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        """Keep the findings beside the sentence."""
        super().__init__(message)
        self.findings = tuple(findings)


class ViolatedError(PolicyError):
    """The policy is well formed, but what it asks for cannot hold."""

    exit_code = Exit.VIOLATED


class StaleError(BayplanError):
    """What was planned no longer matches what is there."""

    exit_code = Exit.STALE


class OutputError(BayplanError):
    """A target could not be written; nothing half written is left behind."""
