"""Secrets in what people write: which names and options say one, so that it is found, and shown nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.compose import template

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(
    r"((?<!BY)(?<!COM)(?<!TRES)(?<!SUR)PASS|(?<=[_.-])PWD?|PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|NEO4J_AUTH|REDIS(CLI)?_AUTH|ROOT_TOKEN_ID"
    r"|ERLANG_COOKIE|SECRET_KEY_BASE"
    r"|(API|SECRET|ACCESS_SECRET|SECRET_ACCESS|PRIVATE|ENC(RYPTION)?|SIGNING|MASTER|FERNET|JWT)[_.-]?KEY)$",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(^|[_.-])(MAX|MIN|NUM|STOP|PAD|BOS|EOS|UNK|SEP|CLS|MASK)[_.-]?TOKEN$", re.IGNORECASE)
"""Tokens that are counted, or that a language model is told of."""
_FROM_ELSEWHERE = ("/", "./", "../", "~/", "vault:", "arn:aws:")
"""What a value begins with that only says where the secret is."""

_FIRST = r"(?:[^\s\"'$/,\]{}-]|\$\{\w{1,80}:?-(?=[^\s\"'$/}]))"
"""The first letter of what stands in the file: no option, no path, no variable, unless with a default."""
_OPTION = re.compile(
    r"(?P<name>--(?:[a-z.-]{1,40}[.-])?(?:requirepass|masterauth|password|passwd|secret|token|(?:api|secret|private|access)-?key)"
    r"|-D[\w.-]{0,80}(?:password|passwd|secret|token|api[_.-]?key))"
    rf"(?:=|[\"']?,?\s+)[\"']?(?!id=|\d+\b(?!:))(?P<at>){_FIRST}",
    re.IGNORECASE,
)
"""An option that says a secret; also where words stand in a list."""
_BETWEEN = r"[^|;&\n]{0,200}?[\s\"',\[]"
_LETTER = re.compile(
    rf"\b(?:mysql|mysqladmin|mysqldump|mariadb|mariadb-admin|mariadb-dump)\b{_BETWEEN}(?P<name>-p)(?P<at>)[^\s\"'$,\]]"
    rf"|\b(?:redis|valkey|keydb)-cli\b{_BETWEEN}(?P<name2>-a)[\"']?,?\s+[\"']?(?P<at2>){_FIRST}"
    rf"|\bcurl\b{_BETWEEN}(?P<name3>-u|--user)[\"']?,?\s+[\"']?[^\s\"'$:]{{1,80}}:(?P<at3>){_FIRST}"
)
"""An option of one letter of a program that is known."""
_ASSIGNED = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z_]\w{0,80})=[\"']?(?P<at>)(?P<value>[^\s\"'$;&|,\]]{1,200})")
_URL = re.compile(r"://[^/:@\s]*:(?P<at>)[^@/\s]+@")
_GO = re.compile(r"(?<![\w.-])[\w.-]{1,80}:(?P<at>)[^@\s:/$]{1,200}@(?:tcp|unix)\(")
_HOOK = re.compile(r"://(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks)/(?P<at>)[^\s$]")
"""Addresses that are secrets themselves."""
_INSIDE = re.compile(
    r"(?:^|[?&;\s])(?:password|passwd|pwd|accountkey|sharedaccesskey)\s{0,3}=\s{0,3}(?P<at>)[^\s&;$]", re.IGNORECASE
)
"""A password in a connection string."""
_PAIR = re.compile(
    r"[\"']?(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{0,80})[\"']?: [\"']?(?P<value>[^\s\"'{}\[\],][^\"'{}\[\],]{0,200})"
)
_HASHED = re.compile(r"\$(?:argon2\w{1,2}|2[abxy]|scrypt|pbkdf2[\w-]{0,20}|[156y]|apr1)\$")
"""What a value begins with that only proves that one knows the secret."""
_NONE = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "0", "1", "disabled", "enabled"})


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a variable is a secret by its name, a URL with a password, or options with one.

    What comes from a variable is none; the default of a variable stands in the file like any other value.
    """
    text, whole = _without_variables(value)
    named = whole and _NAME.search(name) and not _NO_SECRET.search(name)
    return bool((named and _is_word(text)) or _in_text(text) or _OPTION.search(value))


def options(text: str) -> list[tuple[str, int]]:
    """Return what a command says a secret with (an option, a variable, a URL), and where its first letter is."""
    found = [(_named(one, "name"), _at(one)) for one in (*_OPTION.finditer(text), *_LETTER.finditer(text))]
    found += [
        (one["name"], one.start("at")) for one in _ASSIGNED.finditer(text) if _is_named(one["name"], one["value"])
    ]
    found += [("a URL", one.start("at")) for pattern in (_URL, _GO, _HOOK) for one in pattern.finditer(text)]
    return sorted({at: (name, at) for name, at in found}.values(), key=lambda one: one[1])


def shows_one(text: str) -> bool:
    """Whether a fragment shows a secret, as far as can be told from what stands before it."""
    named = any(_is_named(one["name"], one["value"]) for one in _PAIR.finditer(text))
    return named or next(_shown(text), None) is not None


def hidden(text: str) -> str:
    """Return words with a mark in the place of each secret that they show."""
    for at in sorted(set(_shown(text)), reverse=True):
        end = re.compile(r"[\s\"',;&@\]}]|\Z").search(text, at)
        text = f"{text[:at]}***{text[end.start() if end else len(text) :]}"
    return text


def _shown(text: str) -> Iterator[int]:
    """Yield where the secrets of a text begin."""
    yield from (at for _, at in options(text))
    yield from (one.start("at") for one in _INSIDE.finditer(text))


def _in_text(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_URL, _GO, _HOOK, _INSIDE))


def _is_named(name: str, value: str) -> bool:
    return bool(_NAME.search(name)) and not _NO_SECRET.search(name) and "$" not in value and _is_word(value)


def _is_word(text: str) -> bool:
    """Whether a value says something, and not only where to look for it, or a hash of it."""
    refers = text.startswith(_FROM_ELSEWHERE) or "://" in text or ("{{" in text and "}}" in text)
    return text.lower() not in _NONE and not refers and not _HASHED.match(text)


def _at(found: re.Match[str]) -> int:
    return max(found.start(group) for group in found.re.groupindex if group.startswith("at"))


def _named(found: re.Match[str], group: str) -> str:
    return next(text for name, text in found.groupdict().items() if name.startswith(group) and text)


def _without_variables(text: str) -> tuple[str, bool]:
    """Return what a value is where nobody sets a variable, and whether that is all of it."""
    if "$" not in text:
        return text, True
    try:
        filled = template.fill(text, {})
    except template.TemplateError:
        return "", False
    return template.plain_text(filled.text), not (filled.missing or filled.required)
