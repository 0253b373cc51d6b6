"""Services that grow to several copies of which only one may write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("scaling/single-volume", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that may scale beyond one copy while it has a volume of one writer."""
    for service in survey.services:
        if not service.replicas.scaled or service.replicas.maximum < 2:  # noqa: PLR2004 - a second copy
            continue
        mounts = (mount for mount in service.mounts if mount.kind == "volume" and not mount.read_only)
        names = sorted({Name(service.name.project, mount.source) for mount in mounts if mount.source})
        single = [one for name in names if (one := survey.fleet.volumes.get(name)) and one.access == "single"]
        if not single:
            continue
        place = survey.settings_of(service, "scale", "max")
        yield RULE.finding(
            place.place if place else service.replicas.place,
            service.name,
            f"may grow to {service.replicas.maximum} copies, but {single[0].name} has one writer at a time",
            arithmetic=f"{service.replicas.maximum} copies, 1 volume of access: single",
            paste=survey.paste(("volumes", survey.volume_key(single[0]), "access"), "per-replica"),
            remedy="give each copy a volume of its own, or share it as access: shared or network",
            also=(single[0].place,),
        )
