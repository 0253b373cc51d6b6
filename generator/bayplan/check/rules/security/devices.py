"""Containers that are given the memory or the disks of their machine, past its files and their owners."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bayplan.check.compose_lines import instead, laid, line
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.policy.values import word
from bayplan.source import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.source import Node

RULE = Rule("security/devices", Severity.WARNING)
_RAW = re.compile(
    r"/dev/?|/dev/(?:mem|kmem|port|mapper/.+|dm-\d+|md\d+|disk/.+|(?:[shv]d|xvd)[a-z]+\d*|nvme\d+n\d+(?:p\d+)?|mmcblk\d+(?:p\d+)?)"
)
_EVERY = re.compile(r"[abc]\s+\*:\*\s+\w*[rw]\w*")


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that is given memory, disks or every device of its machine."""
    for service in survey.services:
        for key, suits in (("devices", _is_raw), ("device_cgroup_rules", _is_every)):
            said = tuple(line(service, key) or ())
            raw = [one for one in said if suits(one)]
            if raw:
                left = [_short(one) for one in said if one not in raw]
                yield RULE.finding(
                    raw[0].place,
                    service.name,
                    f"is given {', '.join(map(_named, raw))}: it reads and writes there whatever the files of its "
                    "machine hold, and whosever they are",
                    paste=laid(survey, service, key, instead(left)),
                    remedy="give it the files that it needs, or the one device that is no disk",
                    also=tuple(one.place for one in raw[1:]),
                )


def _is_raw(device: Node) -> bool:
    return _RAW.fullmatch(_named(device)) is not None


def _is_every(rule: Node) -> bool:
    return _EVERY.fullmatch(_named(rule).strip()) is not None


def _short(device: Node) -> Any:
    """Return a device in Compose's short form, if that says all of it."""
    said = plain(device)
    usual = isinstance(said, dict) and said.keys() <= {"source", "target", "permissions"}
    if not usual or said.get("permissions", "rwm") != "rwm" or ":" in f"{said.get('source')}{said.get('target')}":
        return said
    return f"{said['source']}:{said['target']}"


def _named(one: Node) -> str:
    """Return which device of the machine is meant, or a rule as it is written."""
    if one.is_map:
        return word(one.get("source"))
    return one.string.partition(":")[0] if one.string.startswith("/") else one.string
