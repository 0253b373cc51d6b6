"""Services that publish two of their own ports under one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.ports import published
from bayplan.check.compose_lines import instead, laid
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Port, Service

RULE = Rule("network/port-twice", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that wants one port of its node twice."""
    for service in survey.services:
        pairs = list(_twice(service))
        if not pairs:
            continue
        (first, second), *_ = pairs
        left_out = {str(later) for _, later in pairs}
        yield RULE.finding(
            second.place,
            service.name,
            f"publishes {second.published}/{second.protocol} twice, for {first.target} and for {second.target}, and "
            "does not start",
            arithmetic=f"{first}, {second}",
            paste=laid(
                survey, service, "ports", instead(one for one in map(str, service.ports) if one not in left_out)
            ),
            remedy="or publish the second one under another number",
            also=(first.place,),
        )


def _twice(service: Service) -> Iterator[tuple[Port, Port]]:
    seen: dict[tuple[int | None, str], list[Port]] = {}
    for port in published(service):
        same = seen.setdefault((port.published, port.protocol), [])
        clash = next((one for one in same if one.clashes_with(port) and one.target != port.target), None)
        if clash is not None:
            yield clash, port
        same.append(port)
