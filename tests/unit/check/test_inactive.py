"""A service of a profile that nobody lists is named, with the line that makes it run."""

from collections.abc import Callable

from bayplan.check.inactive import inactive
from bayplan.policy.fleet import Policy

POLICY = "nodes: {a: {cpus: 4, memory: 8GiB}}\nsources: {p: {compose: c/compose.yml, node: a%s}}\n"
COMPOSE = "services: {web: {image: x}, job: {image: x, profiles: [nightly]}}"


def _said(read: Callable[..., Policy], profiles: str) -> list[tuple[str, str]]:
    policy = read({"policy.yml": POLICY % profiles, "c/compose.yml": COMPOSE})
    return [(finding.subject, finding.remedy) for finding in inactive(policy.to_be)]


def test_it_is_named(read: Callable[..., Policy]) -> None:
    assert _said(read, "") == [("p/job", "sources: {p: {profiles: [nightly]}} if it is to run")]


def test_a_listed_profile_runs(read: Callable[..., Policy]) -> None:
    assert _said(read, ", profiles: [nightly]") == []


def test_what_is_listed_stays_listed(read: Callable[..., Policy]) -> None:
    assert _said(read, ", profiles: [daily]") == [
        ("p/job", "sources: {p: {profiles: [daily, nightly]}} if it is to run")
    ]
