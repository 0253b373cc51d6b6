"""Windows that never open, or in a time zone that there is not."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("rollout/window", Severity.ERROR)
_WINDOW = re.compile(r"(\d\d?):(\d\d) *- *(\d\d?):(\d\d)(?: +(\S+))?")


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for a window that is no time, or whose hours there are not."""
    said = survey.at("rollout", "window")
    found = _WINDOW.fullmatch(said.string.strip()) if said is not None else None
    if said is None or found is None:
        return
    first, last = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))
    zone = f" {found[5]}" if found[5] else ""
    if first == last:
        yield RULE.finding(
            said.place, "rollout", "has a window that never opens", arithmetic=f"{said.string}: 0 minutes",
            write=f'"{found[1]}:{found[2]}-{(int(found[3]) + 4) % 24:02}:{found[4]}{zone}"',
        )  # fmt: skip
    elif max(first, last) >= 24 * 60 or int(found[2]) > 59 or int(found[4]) > 59:  # noqa: PLR2004 - a clock
        times = ((min(int(found[at]), 23), min(int(found[at + 1]), 59)) for at in (1, 3))
        hours = "-".join(f"{hour:02}:{minute:02}" for hour, minute in times)
        yield RULE.finding(said.place, "rollout", "has a window at hours that no clock shows", write=f'"{hours}{zone}"')
    elif found[5] and found[5] not in available_timezones():
        shown = said.string.removesuffix(found[5]).strip()
        near = get_close_matches(found[5], available_timezones(), 1)
        message = f"has a window in the time zone {found[5]}, which there is not"
        yield RULE.finding(said.place, "rollout", message, write=f'"{shown} {(*near, "UTC")[0]}"')
