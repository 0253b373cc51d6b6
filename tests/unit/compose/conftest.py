"""Cases of the Compose reader: Compose files that carry what is expected of them in `x-expect`.

A case is `tests/cases/compose/<name>.yml`, or `<name>/compose.yml` with the files beside it that it needs. Keys of
`x-expect`: `files`, `profiles`, `services` (service → facts), `findings`, `compose` (what the real one does, where it
differs from what our findings say) and `why`. A file that is no YAML says it in its first line: `# expect: findings`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import pytest

CASES = Path(__file__).parents[2] / "cases" / "compose"
FIRST_LINE = re.compile(r"# expect: (.*)\n")


class Loader(yaml.SafeLoader):
    """Reads `x-expect`; the local tags around it mean nothing here."""


Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


@dataclass(frozen=True)
class Case:
    """One case: its files, and what is expected of them."""

    name: str
    files: tuple[Path, ...]
    profiles: tuple[str, ...] = ()
    env_file: Path | None = None
    services: dict[str, Any] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    compose: str = ""

    @property
    def folder(self) -> Path:
        """Where the first file stands."""
        return self.files[0].parent

    @property
    def accepted(self) -> bool:
        """Whether the real Compose reads it."""
        return (self.compose or ("refuses" if any("error" in one for one in self.findings) else "reads")) == "reads"


def read_case(path: Path) -> Case:
    """Return the case that starts with a file."""
    name = path.stem if path.parent == CASES else path.parent.name
    text = path.read_bytes().decode("utf-8", errors="replace")
    first = FIRST_LINE.match(text)
    if first:
        return Case(name, (path,), findings=tuple(first.group(1).split("; ")))
    said = (yaml.load(text, Loader) or {}).get("x-expect", {})  # noqa: S506 - a SafeLoader
    unknown = set(said) - {"files", "profiles", "env_file", "services", "findings", "compose", "why"}
    assert not unknown, f"{path}: {unknown}"
    return Case(
        name=name,
        files=tuple(path.parent / file for file in said.get("files", [path.name])),
        profiles=tuple(said.get("profiles", ())),
        env_file=path.parent / said["env_file"] if "env_file" in said else None,
        services=said.get("services", {}),
        findings=tuple(said.get("findings", ())),
        compose=said.get("compose", ""),
    )


def all_cases() -> list[Case]:
    """Return every case, by name."""
    return [read_case(path) for path in sorted([*CASES.glob("*.yml"), *CASES.glob("*/compose.yml")])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test that asks for a `case` all of them."""
    if "case" in metafunc.fixturenames:
        cases = all_cases()
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
