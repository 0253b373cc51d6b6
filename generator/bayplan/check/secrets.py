"""Secrets in what people write: which names and options say one, so that it is found, and shown nowhere."""

from __future__ import annotations

import re

from bayplan.compose import template

_NAME = re.compile(
    r"(PASS|PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|NEO4J_AUTH|ROOT_TOKEN_ID"
    r"|(API|SECRET|ACCESS_SECRET|SECRET_ACCESS|PRIVATE|ENCRYPTION|SIGNING|MASTER|FERNET|JWT)_?KEY)$",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(^|_)(MAX|MIN|NUM)_?TOKEN$", re.IGNORECASE)
_OPTION = re.compile(
    r"(--(?:[a-z-]{1,20}-)?(?:requirepass|masterauth|password|passwd|api-key)|-D[\w.-]{0,80}(?:password|passwd|secret))"
    r"(?:=|[\"']?,?\s+)[\"']?[^\s\"'$/,\]}-]",
    re.IGNORECASE,
)
"""An option that says a secret, with the first letter of it; also where words stand in a list."""
_URL = re.compile(r"://[^/:@\s]*:[^@/\s]+@")
_NONE = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "0", "1", "disabled", "enabled"})


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a variable is a secret by its name, a URL with a password, or options with one.

    What comes from a variable is none; the default of a variable stands in the file like any other value.
    """
    text, whole = _without_variables(value)
    named = whole and _NAME.search(name) and not _COUNTED.search(name)
    is_word = text.lower() not in _NONE and not text.startswith("/") and "://" not in text
    return bool((named and is_word) or _URL.search(text) or _OPTION.search(value))


def options(text: str) -> list[tuple[str, int]]:
    """Return the options of a command that say a secret, with the position of its first letter."""
    return [(found[1], found.end() - 1) for found in _OPTION.finditer(text)]


def shows_one(text: str) -> bool:
    """Whether a text shows a secret, as far as can be told from what stands before it."""
    return bool(_OPTION.search(text) or _URL.search(text))


def _without_variables(text: str) -> tuple[str, bool]:
    """Return what a value is where nobody sets a variable, and whether that is all of it."""
    if "$" not in text:
        return text, True
    try:
        filled = template.fill(text, {})
    except template.TemplateError:
        return "", False
    return template.plain_text(filled.text), not (filled.missing or filled.required)
