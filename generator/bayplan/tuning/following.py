"""Tunings that make a service's settings follow its limit: its recipe, or its own settings as shares of the limit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.model.quantity import MEMORY
from bayplan.model.service import Tuning
from bayplan.model.units import GIB
from bayplan.tuning.command import words_of
from bayplan.tuning.images import RECIPES
from bayplan.tuning.settings import CACHE, CONNECTIONS, HEAP, HEAP_SHARE, MAXMEMORY, SHARED_BUFFERS, TOLD, WORK_MEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.tuning.settings import Application, Setting

_BY_SETTING = {MAXMEMORY: "redis", SHARED_BUFFERS: "postgres", WORK_MEM: "postgres", HEAP: "jvm", HEAP_SHARE: "jvm"}
_USUAL_CONNECTIONS = 100
_GAP = "\0"
"""Between words while options in them are looked for; an option may be one word or two."""
_SHARES = tuple(
    (re.compile(pattern), share)
    for pattern, share in (
        (r"(-Xm[sx])[^\s\"'\0]+", r"\1{memory*0.5|MiB}m"),
        (r"(-XX:(?:Max|Initial)HeapSize=)[^\s\"'\0]+", r"\1{memory*0.5|MiB}m"),
        (r"(-XX:MaxRAMPercentage=)[\d.]+", r"\g<1>50"),
        (r"(-XX:MaxRAMFraction=)\d+", r"\g<1>2"),
        (r"(-XX:ReservedCodeCacheSize=)[^\s\"'\0]+", r"\1{memory*0.05|MiB}m"),
        (r"(-XX:MaxDirectMemorySize=)[^\s\"'\0]+", r"\1{memory*0.2|MiB}m"),
        (r"(-XX:MaxMetaspaceSize=)[^\s\"'\0]+", r"\1{memory*0.1|MiB}m"),
        (r"(--max[-_]old[-_]space[-_]size[= ])\d+", r"\1{memory*0.75|MiB}"),
        (r"(--maxmemory[ =\0])[^\s\"'\0]+", r"\1{memory*0.75|MiB}mb"),
        (r"(--innodb[-_]buffer[-_]pool[-_]size[= \0])[^\s\"'\0]+", r"\1{memory*0.5|MiB}M"),
        (r"(shared[-_]buffers=)[^\s\"'\0]+", r"\1{memory*0.25|MiB}MB"),
        (r"(work[-_]mem=)[^\s\"'\0]+", r"\1{memory*0.0025|MiB}MB"),
        (r"((?:^|\0)-m\0?|--memory-limit[=\0])\d+(?=\0|$)", r"\1{memory*0.75|MiB}"),
    )
)


def followed(text: str) -> str:
    """Return a text in which every amount of memory that is known is a share of the limit."""
    for pattern, share in _SHARES:
        text = pattern.sub(share, text)
    return text


def tunings(known: Application, setting: Setting) -> Iterator[Tuning]:
    """Yield tunings of a service under which a setting may follow its limit, what is simplest to say first."""
    service = known.service
    said = service.tuning or Tuning()
    if not said.recipe:
        for recipe in dict.fromkeys((RECIPES.get(known.image.application), _BY_SETTING.get(setting.name))):
            if recipe:
                yield replace(said, recipe=recipe, options=_options(known, recipe))
    if setting.where == "command":
        words = said.command or words_of(service.body.get("command"))
        shared = tuple(followed(_GAP.join(_smaller(known, setting, words))).split(_GAP))
        if shared != words:
            yield replace(said, command=shared)
    elif setting.where in known.environment:
        text = said.environment.get(setting.where) or str(known.environment[setting.where])
        shared_text = followed(_bare(setting, text))
        if shared_text != text:
            yield replace(said, environment={**said.environment, setting.where: shared_text})


def _smaller(known: Application, setting: Setting, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a line of MongoDB with a cache of nearly half of the limit: it reads GiB, and shares are whole numbers."""
    limit = known.service.limits.get(MEMORY)
    if limit is None or "wiredTiger" not in setting.said:
        return words
    cache = f"{max(0.25, limit.amount * 2 // 5 / GIB):.2f}"
    ends = (setting.text, f"={setting.text}")
    return tuple(
        word.removesuffix(setting.text) + cache
        if word == ends[0] or ("wiredTiger" in word and word.endswith(ends))
        else word
        for word in words
    )


def _bare(setting: Setting, text: str) -> str:
    """Return the text of a variable as a share of the limit, where it is an amount and nothing else."""
    if setting.name not in (HEAP, CACHE, TOLD) or not re.fullmatch(r"[^-\s]+", text):
        return text
    if setting.text.isdigit():
        return "{memory*0.5}" if int(setting.text) == setting.amount else "{memory*0.5|MiB}"
    unit = {"GOMEMLIMIT": "MiB", "TS_TUNE_MEMORY": "MB"}.get(setting.where, "m")
    return ("{memory|MiB}" if setting.name == TOLD else "{memory*0.5|MiB}") + unit


def _options(known: Application, recipe: str) -> dict[str, str]:
    """Return what a recipe must be told so that it changes nothing but memory."""
    connections = known.last(CONNECTIONS)
    if recipe == "postgres" and connections and connections.amount not in (0, _USUAL_CONNECTIONS):
        return {"connections": str(connections.amount)}
    return {}
