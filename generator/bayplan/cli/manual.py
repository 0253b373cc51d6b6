"""The pages of rules and the keys of the policy language, printed."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from rich.markdown import Markdown
from rich.text import Text

from bayplan import pages
from bayplan.check.enforced import row_of
from bayplan.check.enforcement import WORDS
from bayplan.errors import UsageError
from bayplan.policy.keys import Key, key_called, near
from bayplan.policy.manual import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from bayplan.check.enforcement import Means

_TARGETS = {"v1": "Compose, cgroup v1", "v2": "Compose, cgroup v2", "swarm": "Swarm", "kubernetes": "Kubernetes"}


def explain(console: Console, word: str) -> None:
    """Print the page of a rule, or what is said about a key.

    Raises:
        UsageError: if there is neither; with what may be meant.
    """
    page = pages.every().get(word)
    if page is not None:
        _show_page(console, page.text)
        return
    key = key_called(word)
    if key is None:
        raise UsageError(_unknown(word))
    _show_key(console, key)


def _show_page(console: Console, text: str) -> None:
    """Print a page: drawn where somebody looks, and as it is where a program reads."""
    if console.is_terminal:
        console.print(Markdown(text), soft_wrap=False)
    else:
        console.print(text, end="")


def _show_key(console: Console, key: Key) -> None:
    console.print(Text(key.name, style="bold"))
    for line in _facts(key):
        console.print(f"  {line}")
    where, text = excerpt(key.path, pages.reference())
    if where:
        console.print(f"\n  in the reference, {where}:\n")
        for line in text.splitlines():
            console.print(f"    {line}".rstrip())


def _facts(key: Key) -> Iterator[str]:
    if key.description:
        yield key.description
    parts = {
        "takes": key.takes or (", ".join(key.choices)),
        "default": key.default,
        "example": "  or  ".join(key.examples),
        "keys": ", ".join(key.keys),
    }
    yield from (f"{name}: {words}" for name, words in parts.items() if words)
    row = row_of(key.name)
    if row is not None:
        for target, title in _TARGETS.items():
            means: Means | None = getattr(row, target)
            if means is not None and not (target == "v2" and means == row.v1):
                name = "Compose" if target == "v1" and row.v1 == row.v2 else title
                yield f"on {name}: {means.by} ({WORDS[means.by]}); {means.how}"


_ALIKE = 0.7
"""How much a word must be like a rule to be a slip of it, rather than a path."""


def _unknown(word: str) -> str:
    rules = pages.every()
    if "/" in word:
        close = difflib.get_close_matches(word, rules, 1, _ALIKE)
        hint = f"did you mean {close[0]}?" if close else "bayplan rules lists them; a service needs POLICY SERVICE"
        return f"there is no rule {word}; {hint}"
    meant = [*near(word), *(rule for rule in rules if rule.partition("/")[2] == word)]
    hint = f"did you mean {' or '.join(meant)}?" if meant else "bayplan schema has all of them, bayplan rules the rules"
    return f"there is no key {word}; {hint}"
