"""Texts that are neither YAML nor JSON: templates of the folder `templates/`, filled in.

Templates decide nothing: what they are given is ready to be written. A name that they are not given is an error.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

import bayplan

_PACKAGE = Path(bayplan.__file__).parent
_FOLDERS = (_PACKAGE / "templates", _PACKAGE.parents[1] / "templates")
"""Where the folder lies: in the wheel, or beside the source root of a checkout."""


def text(template: str, **values: Any) -> str:
    """Return a template, named by its path in `templates/` without `.j2`, filled in with values."""
    return _environment().get_template(f"{template}.j2").render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDERS),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"one_line": one_line, "time": time}
    return environment


def one_line(words: object) -> str:
    """Return a text for a comment: without what would end it, or make the file unreadable."""
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(str(words).split()))


def time(milliseconds: int) -> str:
    """Return a time as nginx and systemd both read it."""
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"
