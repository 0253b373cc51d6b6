"""Secrets that stand in a file for everybody to read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line, overlay
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/literal-secret", Severity.WARNING)
_SECRET = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)$", re.IGNORECASE)
_CREDENTIALS = re.compile(r"://[^/:@\s]*:([^@/\s]+)@")
_NO_SECRET = frozenset({"", "true", "false", "yes", "no", "none", "null", "0", "1"})


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each variable that is a secret by its name, or holds one in a URL, as plain text.

    The value itself is never shown.
    """
    for service in survey.services:
        environment = line(service, "environment")
        for key, value in environment.items() if environment is not None else ():
            text = value.string
            inside = _CREDENTIALS.search(text)
            literal = _SECRET.search(key) and "$" not in text and text.lower() not in _NO_SECRET
            in_url = inside is not None and "$" not in inside[1]
            if not (literal or in_url):
                continue
            what = "has a secret as plain text" if literal else "has a URL with a password as plain text"
            yield RULE.finding(
                value.place,
                service.name,
                f"{what} in {key}: it is in the history of this file, and in docker inspect",
                paste=overlay(survey, service, "environment", f'{{{key}: "${{{key}:?set it in .env}}"}}'),
                remedy="and change it: who has seen the file knows it",
            )
