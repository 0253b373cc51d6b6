"""Not by answer key: one contradiction at a random place of a policy is found at its line, and nothing else is said.

Each seed is a place. What is planted is in plants.py, by family: into what a policy has, and beside guests (guests.py) who
bring what it has not (a card, a pool, a Compose file), so that every family is planted into every policy.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fleets import generated
from ground import ROOT, Ground, beside, new, planted, prepared, told, written
from guests import COMPOSE, FILE, joined
from plants import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ground import Patch, Where

    from bayplan.finding import Finding
    from bayplan.source import Node

    Mended = Callable[[Mapping[str, str], Finding], dict[str, str]]

PLACES = 3 if os.environ.get("BAYPLAN_FLEET") == "off" else 20
"""Random places of each family in each policy: a few where the suite is run again on another Python."""
REPAIRED = {
    "bev": None,
    "sutazai": None,
    "acgs": "staging",
    "fixwurx": None,
    "gpu-shop": "production",
    "home-lab": None,
}
GENERATED = tuple(f"generated-{seed}" for seed in range(3))


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ground]:
    """Return what prepares a policy to plant into, once."""
    known: dict[str, Ground] = {}

    def prepare(name: str) -> Ground:
        if name not in known:
            target = tmp_path_factory.mktemp("ground") / name
            source = ROOT / "policies" / name
            if name in GENERATED:
                source = tmp_path_factory.mktemp("source") / name
                source.mkdir()
                (source / "policy.yml").write_text(generated(int(name.rpartition("-")[2])), encoding="utf-8")
            known[name] = prepared(name, source, REPAIRED.get(name), target, {FILE: COMPOSE})
        return known[name]

    return prepare


@pytest.mark.parametrize("name", [*REPAIRED, *GENERATED])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_contradiction_is_found_at_its_line_and_nothing_else(
    family: str, name: str, ground: Callable[[str], Ground], mended: Mended
) -> None:
    """And what the finding gives to write or to paste ends it."""
    here = ground(name)
    for place in range(PLACES):
        rng = random.Random(f"{family} {name} {place}")
        patch = next((one for plant in shuffled(rng, FAMILIES[family]) if (one := plant(rng, here)) is not None), None)
        assert patch is not None, f"nothing of {family} can be planted into {name}"
        complaint = wrong(here, patch, mended)
        assert complaint == "", f"place {place}: {patch}\n{complaint}"


def shuffled(
    rng: random.Random, plants: tuple[Callable[[random.Random, Ground], Patch | None], ...]
) -> list[Callable[[random.Random, Ground], Patch | None]]:
    """Return the plants of a family in random order."""
    return rng.sample(plants, len(plants))


def made(tree: Node, planted_at: Where, path: Where) -> bool:
    """Whether a map on the way to what is planted was not there before."""
    if not path or planted_at[: len(path)] != path:
        return False
    for key in path:
        below = tree.get(key) if isinstance(key, str) else None
        if below is None:
            return True
        tree = below
    return False


def wrong(here: Ground, patch: Patch, mended: Mended) -> str:
    """Plant something, and return what is wrong with what is found: empty if it is found, nothing else, and mended."""
    here = beside(joined(here) if patch.guests else here, patch.more)
    text = written(planted(here.tree, patch.path, patch.value))
    inside = {line for path, line in text.lines.items() if path[: len(patch.path)] == patch.path}
    inside |= {line for path, line in text.lines.items() if made(here.tree, patch.path, path)}

    def there(finding: Finding) -> bool:
        places = (finding.place, *finding.also)
        return any(Path(at.file).name == "policy.yml" and at.line in inside for at in places)

    found = list(new(here, here.checked(here.folder, text.text)[1]))
    mine = next((one for one in found if one.rule == patch.rule and there(one)), None)
    if mine is None:
        return f"{patch.rule} is not found at {sorted(inside)}: {[str(one) for one in found]}"
    more = [one for one in found if not there(one) and (one.rule, one.subject) not in here.about]
    if more:
        return "\n".join(f"more is said: {told(one)}" for one in more)
    return still(here, text.text, mine, mended)


def still(here: Ground, text: str, finding: Finding, mended: Mended) -> str:
    """Do as a finding says, to the letter, and return what is then still said of the same: empty if nothing is."""
    if not (finding.paste or finding.write) or (finding.write and Path(finding.place.file).name != "policy.yml"):
        return ""
    after = mended({"policy.yml": text}, finding)["policy.yml"]
    left = new(here, here.checked(here.folder, after)[1])
    same = [told(one) for one in left if (one.rule, one.subject) == (finding.rule, finding.subject)]
    return f"{finding.write or finding.paste} does not end it: {same}" if same else ""
