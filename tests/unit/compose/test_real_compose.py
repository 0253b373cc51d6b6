"""What we read is what Docker Compose reads: each case, and the Compose files of the example fleet.

Two ways: our canonical form against `docker-compose config`, and what Compose makes of our canonical form, written
as a file, against what it makes of the original. The second holds without any knowledge of our forms.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.compose.read import ComposeProject, read_project
from bayplan.model.units import UnitError, docker_memory
from bayplan.source import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .conftest import Case

FLEET = sorted((Path(__file__).parents[3] / "policies" / "bev" / "compose").glob("*.yml"))
HOME = "/nobody"
SECTIONS = ("volumes", "networks", "secrets", "configs")
MOVED = {
    "mem_limit": ("resources", "limits", "memory"),
    "cpus": ("resources", "limits", "cpus"),
    "pids_limit": ("resources", "limits", "pids"),
    "mem_reservation": ("resources", "reservations", "memory"),
    "scale": ("replicas",),
}
MEMORY = {"memory", "shm_size", "memswap_limit", "size"}
DURATIONS = {"interval", "timeout", "start_period", "start_interval", "stop_grace_period", "delay", "window", "monitor"}
WORDS = {"environment", "args", "labels", "annotations", "sysctls", "options", "driver_opts"}
"""Maps whose keys and values are the user's own."""
NOTHING: tuple[Any, ...] = (None, {}, [], "")


def real_compose() -> str:
    """Return the real docker-compose: beside this Python, or on PATH. Without it, these tests prove nothing."""
    beside = Path(sys.executable).with_name("docker-compose")
    found = str(beside) if beside.exists() else shutil.which("docker-compose")
    assert found, "docker-compose is missing: install the development lock"
    return found


def config(files: Sequence[Path], profiles: Sequence[str] = (), env_file: Path | None = None) -> Any:
    """Return what Compose makes of the files, or None if it refuses them; it sees no variable of this process."""
    command = [real_compose(), "--project-name", "shop", "--project-directory", str(files[0].parent)]
    command += [part for file in files for part in ("--file", str(file))]
    command += [part for profile in profiles for part in ("--profile", profile)]
    command += ["--env-file", str(env_file)] if env_file else []
    env = {"PATH": os.environ["PATH"], "HOME": HOME}
    command += ["config", "--no-env-resolution", "--format", "json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def read(case: Case, *, everything: bool) -> ComposeProject:
    project, findings = read_project(
        "shop", case.files, env_file=case.env_file, profiles=case.profiles, interpolate_all=everything
    )
    assert project is not None, findings
    return project


def as_file(project: ComposeProject) -> dict[str, Any]:
    """Return a project as the Compose file that it is."""
    sections = {"services": project.services} | {name: getattr(project, name) for name in SECTIONS}
    return {name: {key: plain(node) for key, node in entries.items()} for name, entries in sections.items()}


def comparable(document: dict[str, Any], folder: Path, active: Sequence[str]) -> dict[str, Any]:
    """Return what both sides must agree on. This is the whole list of how our form differs from Compose's.

    - Compose fills in defaults (Dockerfile, ingress, the default network, names of volumes, targets of secrets).
    - Compose prints absolute paths, bytes and one way to write a duration; we keep what was written.
    - Compose keeps keys of version 2 and `gpus` beside `deploy`; we have one place for each amount.
    - Compose says in `depends_on` what links and shared namespaces imply; our model does, our body does not.
    - Compose drops what no active service uses.
    - Compose cuts a command at `;`, `&&`, `|`; we leave such a command as it is written, for Compose to cut.
    """
    services = {key: _service(document["services"][key], folder) for key in active}
    found: dict[str, Any] = {"services": services}
    for section in SECTIONS:
        for key, entry in (document.get(section) or {}).items():
            kept = _tidy(entry, folder)
            if kept.get("name") == (key if kept.get("external") else f"shop_{key}"):
                del kept["name"]
            found.setdefault(section, {})[key] = kept
    return found


def _service(service: dict[str, Any], folder: Path) -> dict[str, Any]:
    found = {key: value for key, value in service.items() if not key.startswith("x-") and key != "profiles"}
    _fold(found)
    waits = found.get("depends_on") or {}
    for name in _implied(found) & set(waits):
        if waits[name].get("condition") == "service_started":
            del waits[name]
    if found.get("networks") in ({"default": None}, {"default": {}}):
        del found["networks"]
    for key in ("command", "entrypoint"):
        if isinstance(found.get(key), str):
            found[key] = _cut(found[key])
    for limit, value in (found.get("ulimits") or {}).items():
        if isinstance(value, int):
            found["ulimits"][limit] = {"soft": value, "hard": value}
    found["extra_hosts"] = sorted(line.replace("=", ":", 1) for line in found.get("extra_hosts", []))
    found["ports"] = [{**port, "mode": port.get("mode", "ingress")} for port in found.get("ports", [])]
    for secret in found.get("secrets", []):
        secret.setdefault("target", f"/run/secrets/{secret['source']}")
    if "build" in found:
        found["build"].setdefault("dockerfile", "Dockerfile")
    return dict(_tidy(found, folder))


def _fold(found: dict[str, Any]) -> None:
    """Say with `deploy` what the keys of version 2 and `gpus` say."""
    for old, path in MOVED.items():
        if old in found:
            _put(found, ("deploy", *path), found.pop(old))
    for request in found.pop("gpus", None) or ():
        devices = found.setdefault("deploy", {}).setdefault("resources", {}).setdefault("reservations", {})
        devices.setdefault("devices", []).append({**request, "capabilities": ["gpu"]})


def _implied(service: dict[str, Any]) -> set[str]:
    shared = [service.get(key, "") or "" for key in ("network_mode", "ipc", "pid")]
    names = {value.partition(":")[2] for value in shared if value.startswith("service:")}
    return names | {link.partition(":")[0] for link in (*service.get("links", []), *service.get("volumes_from", []))}


def _cut(command: str) -> list[str]:
    """Split a command as Compose does: up to what a shell would take as the end of it."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    words = list(lexer)
    ends = [at for at, word in enumerate(words) if set(word) <= set(";&|<>") and word]
    return words[: ends[0]] if ends else words


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
    tree.setdefault(path[-1], value)


def _tidy(value: Any, folder: Path, key: str = "") -> Any:
    """Return a tree without what is empty, its amounts, durations and paths in one way to write them."""
    if isinstance(value, dict):
        tree = {name: _tidy(child, folder, name) for name, child in value.items()}
        if key == "additional_contexts":
            return {name: _absolute(child, folder, key) for name, child in tree.items()}
        if key in WORDS:
            return {name: child for name, child in tree.items() if child is not None or key != "args"}
        defaults = {("bind", "create_host_path"): True, ("networks", "default"): {}}
        return {
            name: child
            for name, child in tree.items()
            if child not in NOTHING and defaults.get((key, name)) != child and (name, child) != ("required", True)
        }
    if isinstance(value, list):
        return [_tidy(child, folder, key) for child in value]
    return _word(value, folder, key)


def _word(value: Any, folder: Path, key: str) -> Any:
    if key == "cpus":
        return float(value)
    if key in MEMORY:
        try:
            return docker_memory(value)
        except UnitError:
            return value
    if key in DURATIONS and isinstance(value, str):
        return seconds(value)
    if key == "count" and value == "all":
        return -1
    if key in {"published", "replicas", "soft", "hard", "pids"}:
        return str(value)
    if isinstance(value, str) and key in {"context", "source", "path", "file", "label_file"}:
        return _absolute(value, folder, key)
    return value


def _absolute(value: str, folder: Path, key: str) -> str:
    if key == "source" and not value.startswith((".", "~", "/")):
        return value
    if "://" in value or value.startswith("git@"):
        return value
    path = Path(os.path.normpath(folder / re.sub(r"^~", HOME, value)))
    return os.path.relpath(path, folder) if path.is_relative_to(folder.parent) else str(path)


def seconds(text: str) -> float:
    units = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(h|ms|us|ns|m|s)", text))


def used_only(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Return our sections without what no active service uses, which Compose drops."""
    return {
        section: {
            key: entry for key, entry in entries.items() if section == "services" or key in theirs.get(section, {})
        }
        for section, entries in ours.items()
        if theirs.get(section)
    }


def without_default(document: dict[str, Any]) -> dict[str, Any]:
    networks = {key: entry for key, entry in document.get("networks", {}).items() if key != "default" or entry}
    return {**document, "networks": networks}


def flat(tree: Any, path: str = "") -> dict[str, Any]:
    """Return a tree as path → value: a difference shows as one line."""
    if isinstance(tree, dict) and tree:
        return {key: value for name in tree for key, value in flat(tree[name], f"{path}/{name}").items()}
    if isinstance(tree, list) and tree:
        return {key: value for at, item in enumerate(tree) for key, value in flat(item, f"{path}/{at}").items()}
    return {path: tree}


def test_canonical_form_is_what_compose_reads(case: Case) -> None:
    theirs = config(case.files, case.profiles, case.env_file)
    assert (theirs is not None) == case.accepted
    if theirs is None or any("error" in one for one in case.findings):
        return
    active = sorted(theirs["services"])
    ours = comparable(as_file(read(case, everything=True)), case.folder, active)
    wanted = without_default(comparable(theirs, case.folder, active))
    assert flat(without_default(used_only(ours, wanted))) == flat(wanted)


def test_what_we_write_means_the_same_to_compose(case: Case, tmp_path: Path) -> None:
    theirs = config(case.files, case.profiles, case.env_file)
    if theirs is None or any("error" in one for one in case.findings):
        return
    folder = tmp_path / "copy"
    shutil.copytree(case.folder, folder) if case.name == case.folder.name else folder.mkdir()
    written = folder / "written.json"
    written.write_text(json.dumps(as_file(read(case, everything=False))))
    env_file = folder / case.env_file.name if case.env_file else None
    again = config([written], case.profiles, env_file)
    assert again is not None
    active = sorted(theirs["services"])
    assert flat(comparable(again, folder, active)) == flat(comparable(theirs, case.folder, active))


@pytest.mark.parametrize("file", FLEET, ids=lambda file: file.stem)
def test_the_example_fleet_reads_as_compose_reads_it(file: Path, tmp_path: Path) -> None:
    env = tmp_path / "all.env"
    names = sorted(set(re.findall(r"\$\{(\w+)", file.read_text())))
    env.write_text("".join(f"{name}=value-of-{name.lower()}\n" for name in names))
    theirs = config([file], ["*"], env)
    assert theirs is not None
    project, findings = read_project("shop", [file], env_file=env, profiles=["*"], interpolate_all=True)
    assert project is not None
    assert not findings
    active = sorted(theirs["services"])
    assert active == sorted(project.services)
    wanted = without_default(comparable(theirs, file.parent, active))
    ours = comparable(as_file(project), file.parent, active)
    assert flat(without_default(used_only(ours, wanted))) == flat(wanted)
