"""Volumes of one writer whose service has several copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.caches import image_name
from bayplan.check.rule import Rule
from bayplan.check.rules.volumes.data_unnamed import FOLDERS
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Mount, Service

RULE = Rule("volumes/single-on-several", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that is to be spread, while its data can be on one node only.

    Also for copies on one node, where the policy says that there is one writer, or the program knows no other way.
    `scaling/single-volume` tells those that may come by scaling.
    """
    yield from _two_writers(survey)
    for service in survey.services:
        rule = service.placement
        copies = max(service.replicas.count, service.replicas.maximum)
        if copies < 2 or (service.replicas.scaled and not rule.spread):  # noqa: PLR2004 - a second copy
            continue
        keys = {mount.source for mount in service.mounts if mount.kind == "volume" and not mount.read_only}
        volumes = (survey.fleet.volumes.get(Name(service.name.project, key)) for key in sorted(keys))
        for volume in volumes:
            alone = "access" in (volume.said if volume is not None else ()) or image_name(service.image) in FOLDERS
            if volume is None or volume.access != "single" or not (rule.spread or alone):
                continue
            spread = survey.settings_of(service, "placement", "spread", "by")
            where = spread.place if spread is not None else rule.place
            yield RULE.finding(
                where if rule.spread else service.replicas.place,
                service.name,
                f"is to be spread over {rule.spread}s, but {volume.name} can be mounted on one node only"
                if rule.spread
                else f"has {copies} copies, but {volume.name} has one writer at a time",
                arithmetic=f"{copies} copies, 1 {'node with' if rule.spread else 'writer of'} {volume.name.name}",
                paste=survey.paste(("volumes", survey.volume_key(volume), "access"), "per-replica"),
                remedy="give each copy a volume of its own, or put it where every node reaches it (access: network)",
                also=(volume.place, service.replicas.place) if rule.spread else (volume.place,),
            )


def _two_writers(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each volume that is said to have one writer, and that several services may write."""
    writers: dict[Name, list[tuple[Service, Mount]]] = {}
    for service in survey.services:
        for mount in service.mounts:
            if mount.kind == "volume" and not mount.read_only:
                writers.setdefault(Name(service.name.project, mount.source), []).append((service, mount))
    for name, some in sorted(writers.items()):
        volume = survey.fleet.volumes.get(name)
        names = sorted({service.name.name for service, _ in some})
        if volume is None or volume.access != "single" or "access" not in volume.said or len(names) == 1:
            continue
        said = survey.at("volumes", survey.volume_key(volume), "access")
        yield RULE.finding(
            said.place if said is not None else volume.place,
            name,
            f"has one writer, says the policy, but {len(names)} services mount it and may write",
            arithmetic=", ".join(names),
            write="shared" if said is not None else "",
            remedy="or mount it read-only (:ro) everywhere but once",
            also=tuple(mount.place for _, mount in some),
        )
