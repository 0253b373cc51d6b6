"""The repository is also a collection: built and installed without a network, it brings its roles and plugins only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
INSIDE = [
    "CHANGELOG.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "meta",
    "playbooks",
    "plugins",
    "roles",
]


def ansible(program: str, *words: str, home: Path) -> str:
    programs = Path(sys.executable).parent
    environment = {**os.environ, "ANSIBLE_HOME": str(home), "ANSIBLE_COLLECTIONS_PATH": str(home / "collections")}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    environment.pop("ANSIBLE_CONFIG", None)
    done = subprocess.run(
        [programs / program, *words], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_collection_is_built_installed_and_documented_offline(tmp_path: Path) -> None:
    ansible("ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(tmp_path), home=tmp_path)
    tarball = tmp_path / "bayplan-fleet-0.1.0.tar.gz"
    with tarfile.open(tarball) as files:
        names = [Path(member.name) for member in files if member.isfile()]
    assert sorted({name.parts[0] for name in names}) == INSIDE
    assert {name.suffix for name in names if name.parts[0] == "plugins"} == {".py"}

    install = ["collection", "install", str(tarball), "--offline", "--collections-path", str(tmp_path / "collections")]
    ansible("ansible-galaxy", *install, home=tmp_path)
    modules = sorted(file.stem for file in (ROOT / "plugins" / "modules").glob("*.py"))
    full = [f"bayplan.fleet.{name}" for name in modules]
    told = json.loads(ansible("ansible-doc", "--type", "module", "--json", *full, home=tmp_path))
    assert sorted(told) == full
    assert "/collections/ansible_collections/bayplan/fleet/" in told["bayplan.fleet.services"]["doc"]["filename"]
    roles = json.loads(ansible("ansible-doc", "--type", "role", "--json", "bayplan.fleet.move", home=tmp_path))
    assert roles["bayplan.fleet.move"]["entry_points"]["main"]["options"]["move_wave"]["required"]
