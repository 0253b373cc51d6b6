"""Volumes of one writer whose service is spread over several nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("volumes/single-on-several", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that is to be spread, while its data can be on one node only."""
    for service in survey.services:
        rule = service.placement
        copies = max(service.replicas.count, service.replicas.maximum)
        if not rule.spread or copies < 2:  # noqa: PLR2004 - a second copy
            continue
        keys = {mount.source for mount in service.mounts if mount.kind == "volume" and not mount.read_only}
        volumes = (survey.fleet.volumes.get(Name(service.name.project, key)) for key in sorted(keys))
        for volume in volumes:
            if volume is None or volume.access != "single":
                continue
            spread = survey.settings_of(service, "placement", "spread", "by")
            yield RULE.finding(
                spread.place if spread is not None else rule.place,
                service.name,
                f"is to be spread over {rule.spread}s, but {volume.name} can be mounted on one node only",
                arithmetic=f"{copies} copies, 1 node with {volume.name.name}",
                paste=survey.paste(("volumes", survey.volume_key(volume), "access"), "per-replica"),
                remedy="give each copy a volume of its own, or put it where every node reaches it (access: network)",
                also=(volume.place,),
            )
