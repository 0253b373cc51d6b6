"""Images that bring along what they were built with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.check.caches import image_name
from bayplan.check.compose_lines import listed
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.compose.dockerfile import Image, Stage
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service

RULE = Rule("security/single-stage-build", Severity.NOTE)
_TOOLCHAINS = frozenset({"gcc", "golang", "gradle", "maven", "rust", "sdk"})
"""Images that are compilers; `sdk` is that of .NET."""
_TOOLS = frozenset(
    {
        "alpine-sdk", "build-base", "build-essential", "cargo", "clang", "cmake", "default-jdk", "g++", "gcc", "go",
        "golang", "golang-go", "gradle", "make", "maven", "rust", "rustc",
    }
)  # fmt: skip
_MANAGERS = frozenset({"apk", "apt", "apt-get", "dnf", "microdnf", "yum", "zypper"})
_INSTALL = frozenset({"add", "install"})
_REMOVE = frozenset({"autoremove", "del", "erase", "purge", "remove"})
_BETWEEN = re.compile(r"[&|;\n]+")
_QUOTES = str.maketrans('[]",', "    ")


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each Dockerfile of one stage whose image holds a compiler or a build tool."""
    users: dict[Image, list[tuple[Service, Place]]] = {}
    for service in survey.services:
        image = survey.images.get(service.name)
        if image is not None and image.alone:
            users.setdefault(image, []).append((service, service.place))
    for image, some in users.items():
        held = [one for stage in image.stages for one in _tools(stage)]
        if held:
            tools = ", ".join(dict.fromkeys(tool for _, tool in held))
            yield RULE.finding(
                held[0][0],
                some[0][0].name,
                f"is built in one stage, so its image keeps {tools}: more to pull, and tools for whoever gets in",
                arithmetic=listed(some),
                remedy="build in a first stage, and COPY --from= what was built into a small one",
                also=tuple(at for _, at in some),
            )


def _tools(stage: Stage) -> Iterator[tuple[Place, str]]:
    """Yield what a stage holds of compilers and build tools, each with the line that brings it."""
    if image_name(stage.base) in _TOOLCHAINS:
        yield stage.place, image_name(stage.base)
    for place, text in stage.runs:
        commands = [part.translate(_QUOTES).split() for part in _BETWEEN.split(text)]
        managing = [words for words in commands if not _MANAGERS.isdisjoint(words)]
        if all(_REMOVE.isdisjoint(words) for words in managing):
            asked = (word.partition("=")[0] for words in managing if not _INSTALL.isdisjoint(words) for word in words)
            yield from ((place, word) for word in asked if word in _TOOLS)
