"""Each case reads as it says: the facts of its services, and its findings at their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.compose.canonical import canonical_service
from bayplan.compose.read import ComposeProject, read_project
from bayplan.compose.service import to_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.finding import Finding
    from bayplan.model.service import Service

    from .conftest import Case


def read(case: Case) -> tuple[ComposeProject | None, tuple[Finding, ...]]:
    shown = [file.name for file in case.files]
    return read_project("shop", case.files, shown=shown, env_file=case.env_file, profiles=case.profiles)


def written(finding: Finding) -> str:
    """Return a finding as cases write it: where, how bad, which rule, whom."""
    return f"{finding.place} {finding.severity} {finding.rule} {finding.subject}"


def mount(service: Service) -> list[str]:
    return [f"{one.kind} {one.source}:{one.target}{' ro' if one.read_only else ''}" for one in service.mounts]


def network(service: Service) -> list[str]:
    return [" ".join(filter(None, (one.network, one.ipv4, one.ipv6, *one.aliases))) for one in service.networks]


def dependency(service: Service) -> list[str]:
    return [f"{one.name} {one.condition}{'' if one.required else ' optional'}" for one in service.depends_on]


def gpu(service: Service) -> Any:
    return service.gpu and {"access": service.gpu.access, "device_ids": list(service.gpu.device_ids)}


FACTS: dict[str, Callable[[Service], Any]] = {
    "image": lambda service: service.image,
    "build": lambda service: service.build,
    "platforms": lambda service: list(service.platforms),
    "requests": lambda service: {key: value.amount for key, value in service.requests.items()},
    "limits": lambda service: {key: value.amount for key, value in service.limits.items()},
    "limits_at": lambda service: {key: str(value.place) for key, value in service.limits.items()},
    "replicas": lambda service: service.replicas.count,
    "ports": lambda service: [str(port) for port in service.ports],
    "ports_at": lambda service: [str(port.place) for port in service.ports],
    "mounts": mount,
    "networks": network,
    "depends_on": dependency,
    "gpu": gpu,
    "container_name": lambda service: service.container_name,
    "network_mode": lambda service: service.network_mode,
    "active": lambda service: service.active,
    "place": lambda service: str(service.place),
    "body": lambda service: service.body,
}


def test_reads_as_it_says(case: Case) -> None:
    project, findings = read(case)
    said = list(findings)
    for key, facts in case.services.items():
        assert project is not None, [written(one) for one in findings]
        service, more = to_service("shop", key, project.services[key], profiles=case.profiles)
        said.extend(more)
        found = {fact: FACTS[fact](service) for fact in facts if fact != "body"}
        assert found == {fact: value for fact, value in facts.items() if fact != "body"}
        for name, value in facts.get("body", {}).items():
            assert service.body.get(name) == value, name
    assert tuple(written(one) for one in said) == case.findings


def test_reads_the_same_again(case: Case) -> None:
    assert read(case) == read(case)


def test_canonical_form_is_its_own_canonical_form(case: Case) -> None:
    project, _ = read(case)
    for node in project.services.values() if project else ():
        assert canonical_service(node) == (node, ())


def test_no_finding_lacks_a_remedy_or_a_line(case: Case) -> None:
    _, findings = read(case)
    for finding in findings:
        assert finding.message
        assert finding.remedy or finding.rule.startswith("source/")
        assert finding.place.line or finding.rule in {"source/unreadable", "compose/no-services"}


def test_a_broken_file_is_no_empty_project(case: Case) -> None:
    project, findings = read(case)
    assert project is None or project.services
    assert project is not None or any(finding.is_error for finding in findings)
