"""The documents tell the truth: what they show is what the program prints, and what they name is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bayplan.cli import VERBS
from bayplan.errors import Exit

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
"""Language and text of each block."""


@pytest.fixture(scope="module")
def printed() -> set[str]:
    said = {
        ("plan", "policies/bev", "--no-save"): Exit.FINE,
        ("analyze", "policies/bev-as-written"): Exit.FINE,
        ("check", "policies/acgs-as-written", "--env", "production"): Exit.VIOLATED,
    }
    runs = []
    for words, code in said.items():
        command = [sys.executable, "-m", "bayplan", *words]
        runs.append(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False))
        assert runs[-1].returncode == code
    return {line.rstrip() for run in runs for line in run.stdout.splitlines()}


def test_the_readme_shows_what_is_printed(printed: set[str]) -> None:
    shown = [line.rstrip() for kind, text in BLOCKS if not kind for line in text.splitlines() if line.strip()]
    assert len(shown) > 12
    assert [line for line in shown if line not in printed] == []


def test_the_readme_shows_what_is_compiled() -> None:
    (block,) = [text for kind, text in BLOCKS if kind == "yaml" and "deploy" in text]
    compiled = (ROOT / "compiled" / "bev" / "default" / "thanos" / "bev" / "compose.yaml").read_text(encoding="utf-8")
    assert block in compiled


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_readme_names_every_verb(verb: str) -> None:
    assert re.search(rf"^\|.*`{verb}`.*\|", README, re.MULTILINE)


def test_the_readme_names_every_exit_code() -> None:
    assert [code.value for code in Exit if not re.search(rf"(?<![\w.]){code.value} [a-z]", README)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [path.name for path in (ROOT / "generator" / "bayplan").iterdir() if (path / "__init__.py").exists()]
    assert [room for room in rooms if f"`{room}/`" not in text] == []
