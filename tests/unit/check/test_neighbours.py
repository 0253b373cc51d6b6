"""A service whose settings name a neighbour that moves away, without a dependency that would be bridged."""

from collections.abc import Callable

import pytest

from bayplan.check.neighbours import lost_names
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Seat
from bayplan.policy.fleet import Policy

NODES = "nodes: {a: {cpus: 4, memory: 8GiB}, b: {cpus: 4, memory: 8GiB}}\n"
POLICY = f"{NODES}sources: {{p: {{compose: c/compose.yml, node: a}}}}\n"


def _lost(policy: Policy, **seats: str) -> list[tuple[str, str]]:
    standing = {Instance(Name("p", name)): Seat(node) for name, node in seats.items()}
    return [(finding.subject, finding.message) for finding in lost_names(policy.to_be, standing)]


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ('environment: {ML_URL: "http://ml:3003"}', "environment ML_URL"),
        ('environment: ["DATABASE=postgres://u:p@ml/db"]', "environment DATABASE"),
        ('environment: {BROKER: "ml:9092"}', "environment BROKER"),
        ('command: ["serve", "--upstream", "http://ml/"]', "command"),
    ],
)
def test_a_name_in_the_settings_is_lost(setting: str, key: str, read: Callable[..., Policy]) -> None:
    compose = f"services: {{web: {{image: x, {setting}}}, ml: {{image: x}}}}"
    policy = read({"policy.yml": POLICY, "c/compose.yml": compose})
    sentence = f"names ml in its {key}, which stands on b: nothing makes that name known here"
    assert _lost(policy, web="a", ml="b") == [("p/web", sentence)]
    assert _lost(policy, web="a", ml="a") == []


@pytest.mark.parametrize(
    "compose",
    [
        'services: {web: {image: x, depends_on: [ml], environment: {U: "http://ml:1"}}, ml: {image: x}}',
        'services: {web: {image: x, environment: {U: "http://xml:1", V: "http://ml.example/", W: html}}, ml: {image: x}}',
        'services: {web: {image: x, networks: [n], environment: {U: "http://ml:1"}}, ml: {image: x}}\nnetworks: {n: }',
    ],
    ids=["declared", "other names", "no network in common"],
)
def test_nothing_is_lost(compose: str, read: Callable[..., Policy]) -> None:
    assert _lost(read({"policy.yml": POLICY, "c/compose.yml": compose}), web="a", ml="b") == []
