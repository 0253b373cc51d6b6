"""Broken policies of whole fleets: each gives findings with a place, or a fleet that can be planned; no traceback."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mutate import broken_line

from bayplan import pipeline, place
from bayplan.analyse.ledger import ledger
from bayplan.errors import BayplanError
from bayplan.plan.sides import standing, wished
from bayplan.policy.fleet import read_policy
from bayplan.render import data as as_data
from bayplan.render.compose import compose_files
from bayplan.render.markdown import plan_markdown

ROOT = Path(__file__).parents[2]
FLEETS = ("home-lab", "reference", "sutazai", "acgs", "fixwurx")
MUTANTS = 100
"""Mutants of each fleet and batch."""
BATCHES = range(5)
PLANNED = 0.1
"""The share of mutants that are planned if they are whole: solving takes longer than reading."""


def _environment(path: Path) -> str | None:
    return {"acgs": "staging", "reference": "production"}.get(path.name)


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    def make(fleet: str) -> Path:
        target = tmp_path / "policies" / fleet
        shutil.copytree(ROOT / "policies" / fleet, target)
        return target

    return make


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("fleet", FLEETS)
def test_a_mutant_gives_findings_with_a_place_or_a_fleet(fleet: str, batch: int, copy: Callable[[str], Path]) -> None:
    dice = random.Random(f"{fleet} {batch}")
    path = copy(fleet)
    files = sorted(file for file in path.rglob("*") if file.suffix in {".yml", ".example"})
    inventory = ROOT / "inventory" / fleet
    broken = 0
    for _ in range(MUTANTS):
        file = dice.choice(files)
        original = file.read_text(encoding="utf-8")
        mutant = original
        for _ in range(dice.randint(1, 3)):
            mutant = broken_line(mutant, dice)
        file.write_text(mutant, encoding="utf-8", errors="surrogatepass")
        try:
            broken += _is_broken(path, inventory, planned=dice.random() < PLANNED)
        except Exception as fault:
            fault.add_note(f"{file.name}:\n{mutant}")
            raise
        finally:
            file.write_text(original, encoding="utf-8")
    assert broken > MUTANTS // 4, "mutation hardly breaks anything: this test would not find much"


def _is_broken(path: Path, inventory: Path, *, planned: bool) -> bool:
    """Read a policy, and if it is whole, go on to its files or its plan; return whether it was refused."""
    try:
        policy = read_policy(path, inventory, _environment(path))
    except BayplanError:
        return True
    for finding in policy.findings:
        assert finding.message
        assert finding.place.file
    if any(finding.is_error for finding in policy.findings):
        return True
    ledger(policy.as_is, standing(policy.as_is))
    placement = wished(policy.to_be)
    ledger(policy.to_be, placement.seats)
    assert all(text.endswith("\n") for text in compose_files(policy.to_be, placement, path.name).values())
    if planned:
        made = pipeline.make_plan(policy, place.decide(policy.to_be), None)
        assert plan_markdown(made)
        assert as_data.text("plan", as_data.plan(made))
    return False
