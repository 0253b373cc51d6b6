"""One Compose file from disk: read, variables filled in, checked, every value in its long form."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.compose.canonical import long_document
from bayplan.compose.dotenv import read_variables
from bayplan.compose.forms import RESET
from bayplan.compose.interpolate import Interpolation
from bayplan.compose.schema import NAME
from bayplan.compose.structure import SECTIONS, well_formed
from bayplan.finding import Finding, Place, error, warning
from bayplan.source import Border, Budget, Node, is_there, outside, read_file, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MAX_NAME = 100
"""How long a name may be: with others before and behind it, it still has to fit into the name of a file."""

_OTHER_SECTIONS = frozenset({"include", "name", "version"})
_NOT_CARRIED = frozenset({"jobs", "models"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a file stands, and what holds for what it says.

    Attributes:
        folder: the folder that its relative paths refer to.
        env: the variables there are.
    """

    folder: Path
    env: Mapping[str, str]

    def at(self, path: str) -> Path:
        """Return a path that a file of this scope names."""
        return self.folder / path

    def below(self, folder: str) -> Scope:
        """Return the scope of a folder that is named from here."""
        return Scope(self.folder / folder, self.env)


@dataclass(slots=True)
class Reader:
    """Reads the files of one project; what it finds on the way is gathered.

    Attributes:
        everything: fill in variables also where they are kept otherwise.
        verbatim: fill in none at all.
        names: file → what findings call it.
        places: file → where it is named.
        border: what all files must lie inside of, if that matters.
        budget: how much may still be read.
        used: the variables that were filled in.
        findings: all findings.
        files: every Compose file that was read, as shown.
        broken: whether a file could not be read at all.
        full: whether there was more than may be read.
    """

    everything: bool = False
    verbatim: bool = False
    names: Mapping[Path, str] = field(default_factory=dict)
    places: dict[Path, Place] = field(default_factory=dict)
    border: Border | None = None
    budget: Budget = field(default_factory=Budget)
    used: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    broken: bool = False
    full: bool = False
    _documents: dict[tuple[str, str, frozenset[tuple[str, str]]], Node | None] = field(default_factory=dict)

    def document(self, path: Path, scope: Scope) -> Node | None:
        """Return one file in long form, each file of a scope read once; None if it cannot be read."""
        if not self.inside(path):
            self.broken = True
            return None
        key = (real(path), real(scope.folder), frozenset(scope.env.items()))
        if key not in self._documents:
            self._documents[key] = self._read(path, scope)
        found = self._documents[key]
        return found if found is None or self.afford(found, self.places.get(path, found.place)) else None

    def inside(self, path: Path) -> bool:
        """Whether a file may be read; where it lies outside of the border, that is said."""
        if self.border is None or self.border.holds(path):
            return True
        name = self.shown(path)
        self.findings.append(outside(self.places.get(path, Place(name)), name, self.border))
        return False

    def afford(self, node: Node, place: Place) -> bool:
        """Whether a tree may be handled once more; where that is too much, it is said once, and the project broken."""
        if self.budget.covers(node):
            return True
        if not self.full:
            self.findings.append(self.budget.refusal(place, place.file))
        self.broken = self.full = True
        return False

    def say(self, rule: str, node: Node, subject: str, message: str, remedy: str) -> None:
        """Add an error at the place of a node."""
        self.findings.append(error(rule, node.here, subject, message, remedy))

    def shown(self, path: Path) -> str:
        """Return what findings call a file: as the user named it, or seen from the first file that was named."""
        known = self.names.get(path)
        if known is not None:
            return known
        for named, name in self.names.items():
            relative = os.path.relpath(path, named.parent)
            return posixpath.normpath(posixpath.join(posixpath.dirname(name), relative))
        return str(path)

    def variables(self, files: Sequence[tuple[Path, Place | None]], known: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that env files set, the last word counting; one without a place may be missing."""
        values: dict[str, str] = {}
        for path, place in files:
            if place is None and not is_there(path):
                continue
            name = self.shown(path)
            if place is not None:
                self.places[path] = place
            text, findings = read_file(path, name) if self.inside(path) else (None, ())
            self.findings.extend(findings)
            if text is not None and not self.budget.take(text.count("\n")):
                self.findings.append(self.budget.refusal(Place(name), name))
            elif text is not None:
                more, faults = read_variables(text, name, {**known, **values})
                values |= more
                self.findings.extend(faults)
        return values

    def _read(self, path: Path, scope: Scope) -> Node | None:
        name = self.shown(path)
        if name not in self.files:
            self.files.append(name)
        node, findings = read_yaml(path, name)
        self.findings.extend(findings)
        if node is None or not node.is_map:
            self.broken = True
            if node is not None:
                message = "is not a Compose file: it holds no map of services"
                self.say("compose/not-a-map", node, name, message, "start it with services:")
            return None
        if not self.verbatim:
            interpolation = Interpolation(scope.env, self.everything)
            node = interpolation.document(node)
            self.findings.extend(interpolation.findings)
            self.used.update(interpolation.used)
        return long_document(self._checked(node, name), self.findings)

    def _checked(self, node: Node, name: str) -> Node:
        """Return the file without what is not Compose."""
        value: dict[str, Node] = {}
        for section, child in node.items():
            if section in SECTIONS:
                checked = self._section(section, child)
                if checked is not None:
                    value[section] = checked
            elif section in _OTHER_SECTIONS or section.startswith("x-"):
                value[section] = child
            elif section in _NOT_CARRIED:
                message = f"the section '{section}' is not carried into what is compiled"
                self.findings.append(
                    warning("compose/not-carried", child.here, name, message, "start what it holds by other means")
                )
            else:
                remedy = "remove it, or start it with x- if it is a note of yours"
                self.say("compose/unknown-key", child, name, f"Compose knows no section '{section}'", remedy)
        return node.with_value(value)

    def _section(self, section: str, node: Node) -> Node | None:
        if node.tag == RESET:
            return node
        if node.is_map:
            return node.with_value(dict(self._entries(section, node)))
        if node.value is not None or section == "services":
            what = "nothing" if node.value is None else "a list" if node.is_list else f"'{node.string}'"
            self.say("compose/not-a-map", node, section, f"must be a map, not {what}", f"write {section} as a map")
            self.broken = self.broken or section == "services"
        return None

    def _entries(self, section: str, node: Node) -> list[tuple[str, Node]]:
        entries = []
        for key, child in node.items():
            if key.startswith("x-"):
                continue
            if child.tag == RESET:
                entries.append((key, child))
                continue
            if fault := _misnamed(key):
                self.say("compose/name", child, section, *fault)
                continue
            entry, findings = well_formed(section, key, child)
            self.findings.extend(findings)
            if entry is not None:
                entries.append((key, entry))
        return entries


def _misnamed(key: str) -> tuple[str, str] | None:
    """Return what is wrong with a name, and what to do; names become those of files and words of a command line."""
    if not re.search(NAME, key):
        return f"'{key}' is not a name that Compose takes", "use letters, digits, dots, dashes and _ only"
    if key in {".", ".."} or key.startswith("-"):
        return f"'{key}' would be a folder, or an option of a command", "start it with a letter or a digit"
    if len(key) > MAX_NAME:
        return f"'{key[:40]}…' is longer than {MAX_NAME} letters", "write a shorter name"
    return None


def real(path: Path) -> str:
    """Return a path that is the same for every way to write it, also by way of links."""
    try:
        return os.path.realpath(path)
    except ValueError:  # no path at all: whoever opens it says so
        return str(path)
