"""Dockerfiles, as far as it matters what is in an image that comes of one: its stages, what they run, health checks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bayplan.finding import NOWHERE, Place

_ESCAPE = re.compile(r"#[ \t]*escape[ \t]*=[ \t]*([\\`])[ \t]*", re.IGNORECASE)
_INSTRUCTION = re.compile(r"([A-Za-z]+)[ \t]+(.*)", re.DOTALL)
_HEREDOC = re.compile(r"<<-?(['\"]?)(\w+)\1")


@dataclass(slots=True)
class Stage:
    """One FROM and what follows it.

    Attributes:
        base: the image, or the name of an earlier stage.
        name: what it is called, in small letters, or empty.
        place: where it begins.
        runs: what its RUN lines run, each with its place.
        asks: whether its last HEALTHCHECK asks something; None without one.
    """

    base: str
    name: str = ""
    place: Place = NOWHERE
    runs: list[tuple[Place, str]] = field(default_factory=list)
    asks: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """What comes of a Dockerfile.

    Attributes:
        stages: those that it consists of, from its base image on; what is only copied from another one is not in it.
        alone: whether the file has no other stages.
    """

    stages: tuple[Stage, ...]
    alone: bool

    @property
    def asks(self) -> bool:
        """Whether it brings a health check with it."""
        said = [stage.asks for stage in self.stages if stage.asks is not None]
        return bool(said and said[-1])


def built(stages: tuple[Stage, ...], target: str = "") -> Image | None:
    """Return the image of the last stage or of the one that is called `target`; None if there is no such stage."""
    at = _named(stages, target, len(stages)) if target else len(stages) - 1
    found: list[Stage] = []
    while at is not None and at >= 0:
        found.append(stages[at])
        at = _named(stages, stages[at].base, at)
    return Image(tuple(reversed(found)), len(found) == len(stages)) if found else None


def _named(stages: tuple[Stage, ...], name: str, before: int) -> int | None:
    """Return which of the first stages has a name: the last one that has."""
    return next((at for at in range(before - 1, -1, -1) if stages[at].name and stages[at].name == name.lower()), None)


def read_dockerfile(text: str, name: str) -> tuple[Stage, ...]:
    """Return the stages of a Dockerfile. What is no instruction is passed over: Docker tells it better."""
    stages: list[Stage] = []
    for number, words in _instructions(text):
        place = Place(name, number, 1)
        found = _INSTRUCTION.fullmatch(words)
        key, rest = (found[1].upper(), found[2].strip()) if found else ("", "")
        if key == "FROM":
            stages.append(_stage(rest, place))
        elif key == "RUN" and stages:
            stages[-1].runs.append((place, rest))
        elif key == "HEALTHCHECK" and stages:
            stages[-1].asks = rest.upper() != "NONE"
    return tuple(stages)


def _stage(rest: str, place: Place) -> Stage:
    image, *more = [word for word in rest.split() if not word.startswith("--")] or [""]
    return Stage(image, more[1].lower() if len(more) > 1 and more[0].upper() == "AS" else "", place)


def _instructions(text: str) -> list[tuple[int, str]]:
    """Return the instructions with the numbers of their lines: continued lines as one, comments left out."""
    lines = text.replace("\r\n", "\n").split("\n")
    given = _ESCAPE.fullmatch(lines[0])
    escape = given[1] if given else "\\"
    found: list[tuple[int, list[str]]] = []
    continued, closing = False, ""
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if closing:
            closing = "" if bare == closing else closing
            found[-1][1].append(f"\n{bare}")
        elif bare and not bare.startswith("#"):
            piece = bare.removesuffix(escape)
            if continued:
                found[-1][1].append(f" {piece}")
            else:
                found.append((number, [piece]))
            continued = piece != bare
            heredoc = _HEREDOC.search(piece)
            closing = heredoc[2] if heredoc and not continued else ""
    return [(number, "".join(pieces)) for number, pieces in found]
