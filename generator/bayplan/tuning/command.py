"""Command lines of containers: options set in them, each once, whatever form the line has.

A line is a list of words, a text that Compose splits, or a script for a shell. Where none of the words is known to
read the options (a script of somebody's own), the line stays as it is: an option more could break it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

_SHELLS = frozenset({"sh", "bash", "ash", "dash"})
_SCRIPT_FOLLOWS = re.compile(r"-[a-z]*c")
_VARIABLE = r"\$\{(?:[^{}]|\{[^{}]*\})*\}"
_QUOTED = r"""'[^']*'|"(?:\\.|[^"\\])*\""""
# Compose splits a text at blanks outside of quotes, and reads no further than the first of these.
_WORD = re.compile(rf"(?P<end>[;&|<>])|(?P<blank>\s+)|(?P<part>{_VARIABLE}|{_QUOTED}|\\.|.)", re.DOTALL)
# One command of a script: up to what ends it outside of quotes.
_ONE_COMMAND = re.compile(rf"(?:\\.|{_QUOTED}|{_VARIABLE}|\$\([^()]*\)|[^;&|<>()\n])*", re.DOTALL)
_VALUE = rf"(?:{_VARIABLE}|{_QUOTED}|[^\s;&|<>()])+"


@dataclass(frozen=True, slots=True)
class Options:
    """Options to set: name → value, who reads them, and how they are written (`-c` or `--`)."""

    values: Mapping[str, str]
    programs: tuple[str, ...]
    style: str

    def words(self, name: str) -> tuple[str, str]:
        """Return the words that set an option."""
        value = self.values[name]
        return ("-c", f"{name}={value}") if self.style == "-c" else (f"--{name}", value)


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its options set: `command` or `entrypoint`, its words, and word → the option that it gives."""

    key: str
    words: tuple[str, ...]
    given: Mapping[int, tuple[str, ...]]


def split(text: str) -> list[str]:
    """Return the words that Compose makes of a text; a variable stays one word, whatever it holds."""
    words: list[str] = []
    current: list[str] | None = None
    for found in _WORD.finditer(text):
        if found["end"]:
            break
        if found["blank"]:
            words += ["".join(current)] if current is not None else []
            current = None
        else:
            current = [*(current or []), _unquoted(found["part"])]
    return [*words, "".join(current)] if current is not None else words


def _unquoted(part: str) -> str:
    if len(part) > 1 and part[0] == part[-1] == "'":
        return part[1:-1]
    if len(part) > 1 and part[0] == part[-1] == '"':
        return re.sub(r"\\(.)", r"\1", part[1:-1], flags=re.DOTALL)
    return part[1:] if part[0] == "\\" else part


def with_options(body: Mapping[str, Any], options: Options) -> Line | None:
    """Return the line of a Compose mapping with the options set; None if nothing there is known to read them."""
    command, entrypoint = words_of(body.get("command")), words_of(body.get("entrypoint"))
    if not options.values:
        return None
    if command:
        at = script_of(body, "command")
        if at is not None or _is_shell(command):
            return _in_script("command", command, at or 0, options)
        return _in_words("command", command, options) if _reads(command, entrypoint, options) else None
    if not entrypoint:
        return _in_words("command", (options.programs[0],), options)
    if _is_shell(entrypoint):
        return _in_script("entrypoint", entrypoint, _script_at(entrypoint), options)
    if _names(entrypoint, options):
        return _in_words("command", (), options)
    if entrypoint[-1].endswith("docker-entrypoint.sh"):
        return _in_words("command", (options.programs[0],), options)
    return None


def words_of(line: Any) -> tuple[str, ...]:
    """Return a line as words; one that is a text is split as Compose would."""
    if isinstance(line, str):
        return tuple(split(line))
    return tuple(str(word) for word in line) if isinstance(line, Sequence) else ()


def script_of(body: Mapping[str, Any], line: str) -> int | None:
    """Return which word of `command` or `entrypoint` is a script for a shell; None if none is."""
    words, entrypoint = words_of(body.get(line)), words_of(body.get("entrypoint"))
    if line == "command" and _is_shell(entrypoint) and _SCRIPT_FOLLOWS.fullmatch(entrypoint[-1]):
        return 0
    return (_script_at(words) or None) if _is_shell(words) else None


def is_own_script(body: Mapping[str, Any]) -> bool:
    """Whether a service starts with a script of somebody's own, of which nobody knows what it reads."""
    first = (words_of(body.get("entrypoint")) or ("docker-entrypoint.sh",))[0]
    starts = (words_of(body.get("command")) or ("",))[0]
    inside = PurePosixPath(starts).name in _SHELLS or PurePosixPath(first).name in _SHELLS
    return inside or starts.endswith((".sh", ".py")) or not first.endswith("entrypoint.sh")


def _is_shell(words: Sequence[str]) -> bool:
    return bool(words) and PurePosixPath(words[0]).name in _SHELLS


def _script_at(words: Sequence[str]) -> int:
    """Return which word is the script: the one behind `-c`, `-lc`, `-ec`; 0 if there is none."""
    return next((i + 1 for i, word in enumerate(words[:-1]) if _SCRIPT_FOLLOWS.fullmatch(word)), 0)


def _names(words: Sequence[str], options: Options) -> bool:
    return any(PurePosixPath(word).name in options.programs for word in words)


def _reads(command: Sequence[str], entrypoint: Sequence[str], options: Options) -> bool:
    """Whether the program reads this line: it is named, or the image puts it before options and a .conf file."""
    return _names((*command, *entrypoint), options) or command[0].startswith("-") or command[0].endswith(".conf")


def _in_words(key: str, words: Sequence[str], options: Options) -> Line:
    kept: list[str] = []
    index = 0
    while index < len(words):
        width = _width(words, index, options)
        if not width:
            kept.append(words[index])
        index += width or 1
    given: dict[int, tuple[str, ...]] = {}
    for name in options.values:
        kept.extend(options.words(name))
        given[len(kept) - 1] = (name,)
    return Line(key, tuple(kept), given)


def _width(words: Sequence[str], index: int, options: Options) -> int:
    """Return how many words from `index` on set an option that is set anew, 0 if they do not."""
    word = words[index]
    if options.style == "-c":
        if word == "-c" and index + 1 < len(words):
            return 2 if _is_set(words[index + 1], options) else 0
        if word.startswith("--"):  # postgres reads --shared-buffers=1GB as well
            return 1 if _is_set(word[2:].replace("-", "_"), options) else 0
        return 1 if word.startswith("-c") and _is_set(word[2:], options) else 0
    name, blank, _ = word.partition(" ")
    if not name.startswith("--") or name[2:] not in options.values:
        return 0
    return 1 if blank else 2


def _is_set(assignment: str, options: Options) -> bool:
    return assignment.partition("=")[0].strip() in options.values


def _in_script(key: str, words: Sequence[str], at: int, options: Options) -> Line | None:
    """Return a shell's line with the options set where its script starts the program; None if it does not."""
    script = "" if at == 0 and _is_shell(words) else words[at]
    programs = "|".join(re.escape(program) for program in options.programs)
    started = re.search(rf"(?:^|[\s;&|(/])(?:{programs})(?=\s|$)", script)
    if started is None:
        return None
    first = _ONE_COMMAND.match(script, started.end())
    end = first.end() if first else len(script)
    call = script[started.end() : end]
    for name in options.values:
        written = rf"-c\s*{name}\s*=\s*{_VALUE}" if options.style == "-c" else rf"--{name}\s+{_VALUE}"
        call = re.sub(rf"\s+{written}(?=\s|$)", "", call)
    tail = call[len(call.rstrip()) :]
    ours = " ".join(word for name in options.values for word in options.words(name))
    changed = f"{script[: started.end()]}{call.rstrip()} {ours}{tail}{script[end:]}"
    return Line(key, tuple(changed if i == at else word for i, word in enumerate(words)), {at: tuple(options.values)})
