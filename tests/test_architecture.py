"""The house stands: rooms import from below only, few touch the world, files are short, and starting is quick."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bayplan

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "generator" / "bayplan"
FILES = sorted(HOUSE.rglob("*.py"))
FLOORS = {
    "finding": 0, "interrupt": 0, "schema": 0, "errors": 1, "model": 1,
    "pages": 1,  # what is written about each rule
    "source": 2,
    "compose": 3, "analyse": 3,
    "policy": 4,  # reads Compose files; compose and analyse know nothing of policies
    "tuning": 4,  # what images read; reads Compose trees too
    "check": 5, "place": 5,
    "plan": 6,
    "render": 7,
    "rollout": 8, "runtime": 8,  # they write what they find as render writes what was decided
    "workspace": 8,  # which folders belong to a policy
    "pipeline": 9,
    "checkup": 10,  # the rules' own table of contents
    "cli": 11, "__main__": 12,
}  # fmt: skip
"""Room → floor. A room imports itself and what is below its own floor, never beside or above."""
OUTSIDE = {
    "source/file.py": {"open", "stat", "cwd"},  # the only reader of files
    "policy/folder.py": {"is_file", "is_dir", "iterdir"},  # which files a policy has; source reads them
    "policy/fleet.py": {"is_dir"},  # whether it is a folder or one file
    "policy/observed.py": {"is_dir", "glob"},  # which facts there are
    "render/placement.py": {"is_file"},  # whether anything was decided
    "policy/validate.py": {"read_text"},  # the schema in the package itself
    "compose/schema.py": {"read_text"},  # likewise
    "pages.py": {"is_dir", "glob", "read_text"},  # what the package brings along to read
}
"""What else touches the world, and how: looking where files are, and the package's own data."""
FREE = ("cli/", "interrupt.py", "workspace.py", "render/tree.py", "rollout/", "runtime/")
"""Those who may: the command line, who hears signals, who knows the folders, the one writer, and the hands."""
TOUCHING = frozenset(
    {
        "open", "read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob", "rglob", "is_file", "is_dir",
        "exists", "stat", "mkdir", "rmdir", "unlink", "rename", "touch", "symlink_to", "readlink", "cwd", "home",
        "getenv", "getcwd", "chdir", "listdir", "scandir", "system", "popen", "Popen",
        "urlopen", "socket", "connect", "rmtree", "mkstemp", "mkdtemp", "NamedTemporaryFile", "fsync", "flock",
    }
)  # fmt: skip
WORLD = frozenset({"subprocess", "socket", "shutil", "tempfile", "urllib.request", "http.client", "fcntl", "signal"})
"""Modules whose import alone says that the world is touched."""


def name(path: Path) -> str:
    """Return a file's path in the package."""
    return path.relative_to(HOUSE).as_posix()


def room(path: Path) -> str:
    """Return the room that a file belongs to."""
    return name(path).partition("/")[0].removesuffix(".py")


def tree(path: Path) -> ast.Module:
    """Return a file parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports anywhere: at the top, in functions, for types."""
    found: set[str] = set()
    for part in ast.walk(tree(path)):
        if isinstance(part, ast.Import):
            found |= {alias.name for alias in part.names}
        elif isinstance(part, ast.ImportFrom):
            assert part.level == 0, f"{path} imports relatively"
            found |= {f"{part.module}.{alias.name}" for alias in part.names}
    return found


def ours(path: Path) -> set[str]:
    """Return the rooms that a file imports; the package itself (its version) is none."""
    modules = [one.split(".") for one in imported(path)]
    return {
        parts[1] for parts in modules if parts[0] == "bayplan" and parts[1:] and not parts[1].startswith("__version")
    }


def at_the_top(path: Path) -> set[str]:
    """Return the top-level packages that importing a file imports."""
    found: set[str] = set()
    for part in tree(path).body:
        if isinstance(part, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in part.names}
        elif isinstance(part, ast.ImportFrom):
            found.add((part.module or "").partition(".")[0])
    return found


def test_every_room_has_a_floor() -> None:
    assert FILES
    assert {room(path) for path in FILES} - {"__init__"} <= set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_room_imports_from_below_only(path: Path) -> None:
    own = room(path)
    floor = FLOORS.get(own, 0)  # the package itself stands on the ground
    assert {other for other in ours(path) if other != own and FLOORS[other] >= floor} == set()


def test_the_model_knows_findings_and_nothing_else_of_ours() -> None:
    assert {other for path in FILES if room(path) == "model" for other in ours(path)} == {"model", "finding"}


def test_the_model_and_analyse_know_no_yaml() -> None:
    for path in FILES:
        if room(path) in {"model", "analyse"}:
            assert not {"yaml", "bayplan.source"} & {one.partition(".")[0] for one in imported(path)}
            assert "source" not in ours(path)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_few_touch_the_world(path: Path) -> None:
    if name(path).startswith(FREE):
        return
    called = [part.func for part in ast.walk(tree(path)) if isinstance(part, ast.Call)]
    methods = {one.attr for one in called if isinstance(one, ast.Attribute)}
    assert methods & TOUCHING == OUTSIDE.get(name(path), set())
    assert not {one.id for one in called if isinstance(one, ast.Name)} & {"open", "exec", "eval", "__import__"}
    assert {one for one in imported(path) if one in WORLD or one.rpartition(".")[0] in WORLD} == set()


def test_nobody_reads_the_environment_of_the_process() -> None:
    """The same files give the same plan on every machine."""
    readers = {
        name(path)
        for path in FILES
        for part in ast.walk(tree(path))
        if (isinstance(part, ast.Attribute) and part.attr in {"environ", "getenv"})
        or (isinstance(part, ast.Name) and part.id in {"environ", "getenv"})
    }
    # Ansible is run in the user's own environment; what it finds there decides how nodes are reached, never what is planned.
    assert {one for one in readers if not one.startswith("cli/")} == {"rollout/runner.py"}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_file_is_longer_than_three_hundred_lines(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 300


def test_the_solver_is_imported_late_and_by_place_alone() -> None:
    """It takes a second to import: only who solves waits for it."""
    assert [name(path) for path in FILES if "ortools" in at_the_top(path) and room(path) != "place"] == []
    code = "import sys, bayplan.place, bayplan.pipeline; print('ortools' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]], ids=str)
def test_saying_the_version_loads_nothing_large(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from bayplan.cli import cli\n"
        "try:\n"
        f"    cli.main({arguments!r}, prog_name='bayplan')\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "large = {'rich', 'yaml', 'jsonschema', 'ortools', 'docker', 'jinja2', 'ansible_runner'}\n"
        "print(sorted(large & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "bayplan" in done.stdout.splitlines()[0]


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert bayplan.__version__ == project["project"]["version"]
