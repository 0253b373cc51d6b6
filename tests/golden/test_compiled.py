"""The committed trees are what the policies give: a change of either shows up in review, and nowhere else."""

from pathlib import Path

import pytest

from bayplan import pipeline
from bayplan.policy.environment import DEFAULT
from bayplan.policy.folder import read_folder
from bayplan.workspace import workspace

ROOT = Path(__file__).parents[2]
AS_WRITTEN = "-as-written"


def _environments(policy: Path) -> list[str]:
    section = read_folder(policy)[0].get("environments")
    return sorted(name for name, _ in section.items()) if section is not None else [DEFAULT]


FLEETS = [
    path for path in sorted((ROOT / "policies").iterdir()) if path.is_dir() and not path.name.endswith(AS_WRITTEN)
]
TREES = [pytest.param(path, env, id=f"{path.name}-{env}") for path in FLEETS for env in _environments(path)]


@pytest.mark.parametrize(("policy", "env"), TREES)
def test_the_committed_tree_is_up_to_date(policy: Path, env: str) -> None:
    space = workspace(policy)
    stale = pipeline.stale(space, pipeline.read(space, env))
    assert stale.difference.lines() == []
    assert stale.findings == ()


def test_a_policy_that_cannot_hold_has_no_tree() -> None:
    assert not [path for path in (ROOT / "compiled").iterdir() if path.name.endswith(AS_WRITTEN)]
