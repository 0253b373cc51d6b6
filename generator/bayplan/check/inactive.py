"""Services that rest because nobody lists their profile: said once, so that nobody misses them in what is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.finding import Finding, note

if TYPE_CHECKING:
    from bayplan.model.fleet import Fleet


def inactive(fleet: Fleet) -> list[Finding]:
    """Return a note for each service of a profile that is not listed: it is neither charged nor compiled."""
    findings: list[Finding] = []
    for name, service in fleet.services.items():
        if service.active:
            continue
        profiles = [str(one) for one in service.body.get("profiles") or ()]
        message = f"is of the profile {', '.join(profiles)}, which is not listed: it is neither charged nor compiled"
        listed = [*(fleet.projects[name.project].profiles if name.project in fleet.projects else ()), *profiles]
        remedy = f"sources: {{{name.project}: {{profiles: [{', '.join(listed)}]}}}} if it is to run"
        findings.append(note("sources/inactive", service.place, str(name), message, remedy))
    return findings
