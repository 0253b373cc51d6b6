"""Options that command lines give already: which, with what value, and in which word they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.tuning.command import script_of, split, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Given:
    """An option in a line: its name, its value as written, the line (`command`, `entrypoint`) and its word's number."""

    name: str
    value: str
    line: str
    index: int


def given(body: Mapping[str, Any], names: Sequence[str], style: str) -> Iterator[Given]:
    """Yield the options of some names that a service's lines give, in the order in which they are read.

    Args:
        body: the Compose mapping.
        names: of the options, in the form `name_of_two`; lines may say `name-of-two` as well.
        style: `-c` for `-c name=value` (and `--name=value`), `--` for `--name value` (and `--name=value`).
    """
    for line in ("entrypoint", "command"):
        words = words_of(body.get(line))
        at = script_of(body, line)
        if at is None:
            yield from (Given(name, value, line, index) for name, value, index in _of(words, names, style))
        elif at < len(words):
            # The words of a script, whatever commands they belong to: no other program has these options.
            inside = split(re.sub(r"[;&|<>()\n\\]", " ", words[at]))
            yield from (Given(name, value, line, at) for name, value, _ in _of(inside, names, style))


def options_in(text: str, names: Sequence[str], style: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of the options in a text, such as a variable that is put behind a command."""
    for name, value, _ in _of(split(text), names, style):
        yield name, value


def _of(words: Sequence[str], names: Sequence[str], style: str) -> Iterator[tuple[str, str, int]]:
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        for name, value, further in _ways(word, following, style):
            plain = name.strip().replace("-", "_")
            if plain in names and value and "$" not in value:
                yield plain, value.strip().strip("'\""), index + further


def _ways(word: str, following: str, style: str) -> Iterator[tuple[str, str, int]]:
    """Yield what a word can mean with the one behind it: name, value, and whether the value stands in that one."""
    if style == "-c" and word == "-c":
        name, _, value = following.partition("=")
        yield name, value, 1
    elif style == "-c" and word.startswith("-c"):
        name, _, value = word[2:].partition("=")
        yield name, value, 0
    elif word.startswith("--"):
        name, sign, value = word[2:].partition("=")
        first, blank, rest = word[2:].partition(" ")
        if sign:
            yield name, value, 0
        elif blank:
            yield first, rest, 0
        elif style == "--":
            yield name, following, 1
