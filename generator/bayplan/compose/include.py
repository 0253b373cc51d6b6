"""Several files as one: the list of `-f`, and what a file includes."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.compose.document import real
from bayplan.compose.extends import with_extends
from bayplan.compose.forms import RESET, as_list, word
from bayplan.compose.merge import DOCUMENT, merge_long, settled
from bayplan.compose.paths import moved_document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bayplan.compose.document import Reader, Scope
    from bayplan.source import Node

MAX_FILES = 256
"""How many files `include` may bring in all: included twice, a file is loaded twice."""

MAX_CHAIN = 32
"""How many files deep `include` is followed."""


def load(reader: Reader, paths: Sequence[Path], scope: Scope) -> Node | None:
    """Return the files laid on each other, with all that they include and extend, or None if none can be read."""
    whole = _Load(reader).files(paths, scope, ())
    return settled(whole) if whole is not None else None


@dataclass(slots=True)
class _Load:
    reader: Reader
    loaded: list[Path] = field(default_factory=list)

    def files(self, paths: Sequence[Path], scope: Scope, chain: tuple[str, ...]) -> Node | None:
        whole: Node | None = None
        for path in paths:
            document = self.reader.document(path, scope)
            if document is not None:
                self.loaded.append(path)
                document = with_extends(self.reader, document, path, scope)
                whole = _over(whole, self.included(document, scope, (*chain, real(path))))
        return whole

    def included(self, document: Node, scope: Scope, chain: tuple[str, ...]) -> Node:
        """Return the document laid on what it includes."""
        entries = document.get("include")
        rest = document.with_value({key: child for key, child in document.items() if key != "include"})
        if entries is None or entries.tag == RESET:
            return rest
        if not entries.is_list:
            self._say("compose/include", entries, "must be a list of files")
            return rest
        whole: Node | None = None
        for entry in entries:
            part = self.entry(entry, scope, chain)
            if part is not None:
                whole = _over(whole, settled(part))
        return _over(whole, rest)

    def entry(self, entry: Node, scope: Scope, chain: tuple[str, ...]) -> Node | None:
        """Return what one entry of `include` brings, its paths said from the including file's folder."""
        paths = _words(entry, "path")
        if not paths:
            self._say("compose/include", entry, "names no file")
            return None
        again = [one for one in paths if real(scope.at(one)) in chain]
        if again:
            self._say("compose/include-cycle", entry, f"{again[0]} includes itself by way of this file")
            return None
        if len(chain) > MAX_CHAIN:
            self._say("compose/include", entry, f"is included by more than {MAX_CHAIN} files in a row")
            return None
        if len(self.loaded) > MAX_FILES:
            self._say("compose/include", entry, f"brings more than {MAX_FILES} files")
            return None
        folders = _words(entry, "project_directory") if entry.is_map else []
        folder = folders[0] if folders else posixpath.dirname(paths[0]) or "."
        inner = scope.below(folder)
        named = [(scope.at(one), entry.place) for one in _words(entry, "env_file")] if entry.is_map else []
        variables = self.reader.variables(named or [(inner.at(".env"), None)], scope.env)
        inner = replace(inner, env={**variables, **scope.env})
        for one in paths:
            self.reader.places[scope.at(one)] = entry.place
        whole = self.files([scope.at(one) for one in paths], inner, chain)
        return moved_document(whole, folder) if whole is not None else None

    def _say(self, rule: str, node: Node, message: str) -> None:
        self.reader.say(rule, node, "include", message, "name files that can be read on their own")


def _over(base: Node | None, over: Node) -> Node:
    return over if base is None else merge_long(settled(base), over, DOCUMENT)


def _words(entry: Node, key: str) -> list[str]:
    """Return the words under a key of an entry, or the entry itself where it is one word."""
    node = entry.get(key) if entry.is_map else entry
    return [found for item in as_list(node) if (found := word(item))] if node is not None else []
