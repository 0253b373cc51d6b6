"""Policies and Compose files: what they make of nodes, services, volumes and networks, and what is said.

A case of `tests/cases/policy/*.yml`: `policy` is the text of policy.yml, `compose` that of c/compose.yml, `files` has
others by path (`observed/tower.yml` for facts), `env` chooses the environment. `findings` are all that is said. The
rest is expected of TO-BE (of AS-IS under `as-is`): name → what must be there, null for what must not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.policy.fleet import Policy

CASES = Path(__file__).parents[2] / "cases" / "policy"
TEXTS = {"policy": "policy.yml", "compose": "c/compose.yml"}
SECTIONS = ("nodes", "services", "volumes", "networks")


def cases() -> list[Any]:
    """Return the cases of all files, each named by its file and its own name."""
    return [
        pytest.param(case, id=f"{file.stem}: {case['name']}")
        for file in sorted(CASES.glob("*.yml"))
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


def texts(case: Mapping[str, Any]) -> dict[str, str]:
    """Return the files of a case."""
    return {**{TEXTS[key]: case[key] for key in TEXTS if key in case}, **case.get("files", {})}


@pytest.mark.parametrize("case", cases())
def test_policy(
    case: dict[str, Any],
    read: Callable[..., Policy],
    said: Callable[..., list[str]],
    facts: Callable[[Any], dict[str, str]],
) -> None:
    unknown = set(case) - {"name", "why", "policy", "compose", "files", "env", "findings", "as-is", *SECTIONS}
    assert not unknown
    policy = read(texts(case), env=case.get("env"))
    assert said(policy.findings) == case.get("findings", [])
    expect(case, policy.to_be, facts)
    expect(case.get("as-is", {}), policy.as_is, facts)


def expect(wanted: Mapping[str, Any], fleet: Fleet, facts: Callable[[Any], dict[str, str]]) -> None:
    """Compare a fleet with what is expected of it."""
    for section in SECTIONS:
        things = {str(name): thing for name, thing in getattr(fleet, section).items()}
        for name, keys in wanted.get(section, {}).items():
            found = facts(things[name])
            assert {key: found.get(key) for key in keys} == keys, name
