"""Where the reference policy shows a key: the documented example is the manual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.policy.keys import ITEM, key_at
from bayplan.source import read_text, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.policy.keys import Path

_MOST = 12
"""Lines of an excerpt."""


def excerpt(path: Path, files: Mapping[str, str]) -> tuple[str, str]:
    """Return the lines of the reference that show a key, with their comments: its file and line, and the text.

    Args:
        path: the key's path, `*` for any name.
        files: name → text of the reference.

    Returns:
        Two empty texts if the reference does not show it.
    """
    found = sorted(_shown(path, files), key=lambda one: not one[2])
    if not found:
        return "", ""
    name, line, _ = found[0]
    lines = files[name].splitlines()
    first, last = _block(lines, line - 1)
    text = lines[first:last]
    margin = min(len(one) - len(one.lstrip()) for one in text if one.strip())
    return f"{name}:{line}", "\n".join(one[margin:] for one in text)


def _shown(path: Path, files: Mapping[str, str]) -> Iterator[tuple[str, int, bool]]:
    """Yield where the files have a key, and whether it begins its line there."""
    for name, text in sorted(files.items()):
        document, _ = read_text(text, name)
        if document is None:
            continue
        lines = text.splitlines()
        for steps, node in walk(document):
            if len(steps) == len(path) and _is(steps, path):
                row = lines[node.here.line - 1]
                yield name, node.here.line, not row[: node.here.column - 1].strip(" -")


def _is(steps: tuple[str | int, ...], path: Path) -> bool:
    key = key_at(tuple(ITEM if isinstance(step, int) else step for step in steps))
    return key is not None and key.path == path


def _block(lines: list[str], row: int) -> tuple[int, int]:
    """Return the first line of the comment above a line, and the end of what belongs to it below."""
    first = row
    while first and lines[first - 1].lstrip().startswith("#") and _indent(lines[first - 1]) == _indent(lines[row]):
        first -= 1
    last = row + 1
    while last < len(lines) and lines[last].strip() and _indent(lines[last]) > _indent(lines[row]):
        last += 1
    return first, min(last, row + _MOST)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
