"""The repository keeps its promises: pinned by hash, bound to no host, a front door that lists itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip._internal.models.index import PyPI

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt")
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")


def project() -> dict[str, list[str]]:
    """Return what pyproject.toml asks for, by the lock that has to hold it."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = table["dependency-groups"]
    run = table["project"]["dependencies"] + groups["build"]
    return dict(zip(LOCKS, (run, run + groups["dev"]), strict=True))


def locked(lock: str) -> Iterator[str]:
    """Yield each entry of a lock as one line, without its comments."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE)
    yield from text.replace("\\\n", "").splitlines()


def pins(lock: str, python: str, machine: str) -> dict[str, list[str]]:
    """Return the versions that a lock installs on one kind of machine, by package."""
    where = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
        "sys_platform": "linux",
    }
    found: dict[str, list[str]] = {}
    for line in locked(lock):
        entry = Requirement(line.split("--hash")[0])
        if entry.marker is None or entry.marker.evaluate(where):
            version = str(entry.specifier).removeprefix("==")
            found.setdefault(canonicalize_name(entry.name), []).append(version)
    return found


def make(*args: str) -> subprocess.CompletedProcess[str]:
    """Run make as if from a shell, even when make runs these tests."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *args], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def registry_hosts() -> set[str]:
    """Return the hosts that pip and apt download from here, as they know them themselves."""
    apt = Path("/etc/apt")
    sources = [apt / "sources.list", *apt.glob("sources.list.d/*")]
    text = "".join(source.read_text() for source in sources if source.is_file())
    return {PyPI.netloc, PyPI.file_storage_domain, *re.findall(r"https?://([\w.-]+)", text)}


def test_no_file_names_a_registry() -> None:
    """Whoever installs decides from where: a mirror, a proxy, a folder."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    hosts = [host.encode() for host in registry_hosts()]
    assert files
    assert not [(str(file), host) for file in files for host in hosts if host in file.read_bytes()]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_address(lock: str) -> None:
    entry = re.compile(r"[\w.-]+==[\w.!+]+( ; [^-]+)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    lines = list(locked(lock))
    assert lines
    assert not [line for line in lines if not entry.fullmatch(line)]
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_one_fitting_version_of_all_that_is_asked_for(lock: str, python: str, machine: str) -> None:
    pinned = pins(lock, python, machine)
    assert not {name: versions for name, versions in pinned.items() if len(versions) > 1}
    for asked in map(Requirement, project()[lock]):
        assert asked.specifier.contains(pinned[canonicalize_name(asked.name)][0]), asked


@pytest.mark.parametrize("python", PYTHONS)
def test_developers_run_the_versions_that_users_run(python: str) -> None:
    users, developers = (pins(lock, python, "x86_64") for lock in LOCKS)
    assert users.items() <= developers.items()


def test_the_wheel_and_the_source_bring_along_what_explain_shows(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,), (source,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as packed, tarfile.open(source) as sources:
        inside, original = set(packed.namelist()), {name.partition("/")[2] for name in sources.getnames()}
    rules = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/rules/**/*.md")}
    reference = {path.name for path in ROOT.glob("policies/reference/*.yml")}
    assert len(rules) > 150
    assert {f"bayplan/{name}" for name in rules} <= inside
    assert {f"bayplan/docs/reference/{name}" for name in reference} <= inside
    assert rules | {f"policies/reference/{name}" for name in reference} <= original


def test_make_alone_lists_every_target() -> None:
    phony = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    targets = {name for line in phony for name in line.split()}
    assert targets == set(re.findall(r"^  ([\w-]+) ", make().stdout, flags=re.MULTILINE))


@pytest.mark.parametrize("verb", ["plan", "compile", "check", "analyze", "apply"])
def test_an_unknown_fleet_is_answered_with_those_that_exist(verb: str) -> None:
    fleets = sorted(folder.name for folder in (ROOT / "policies").iterdir() if folder.is_dir())
    answer = make(verb, "FLEET=nowhere")
    assert answer.returncode != 0
    assert answer.stdout == ""
    assert f"there are: {' '.join(fleets)}." in answer.stderr
    assert answer.stderr.count("\n") == 1
