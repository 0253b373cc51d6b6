"""Each role says what it takes, twice: in its arguments for people, in its defaults for Ansible; the two agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from ansible.plugins.filter.core import FilterModule
from jinja2 import Environment, meta

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
ROLES = sorted(folder.name for folder in (ROOT / "roles").iterdir())
MADE_BY_ANSIBLE = {"inventory_hostname", "hostvars", "ansible_check_mode", "item", "range"}
BLOCKS = ("block", "rescue", "always")
KEYWORDS = {"name", "vars", "when", "loop", "loop_control", "register", "changed_when", "failed_when"}
"""What else stands in a task, so that a typing error is none of Ansible's many other keywords."""


def read(role: str, file: str) -> Any:
    return yaml.safe_load((ROOT / "roles" / role / file).read_text())


def options(role: str) -> dict[str, dict[str, Any]]:
    return read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def tasks(role: str) -> list[dict[str, Any]]:
    """Return all tasks of a role, those in blocks too."""
    files = sorted((ROOT / "roles" / role).glob("tasks/*.yml"))
    return [task for file in files for task in flat(yaml.safe_load(file.read_text()))]


def flat(some: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in some:
        yield {key: value for key, value in task.items() if key not in BLOCKS}
        for part in BLOCKS:
            yield from flat(task.get(part, []))


def templates(value: Any) -> Iterator[str]:
    """Yield each string in a value."""
    if isinstance(value, str):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from templates(child)


def variables(role: str) -> set[str]:
    """Return the variables that a role's tasks read, as Jinja sees them."""
    jinja = Environment()  # noqa: S701 - it parses, and renders nothing
    jinja.filters |= FilterModule().filters()
    found: set[str] = set()
    for task in tasks(role):
        conditions = [f"{{{{ {one} }}}}" for word in ("when", "failed_when") for one in templates(task.pop(word, []))]
        for text in [*conditions, *templates(task)]:
            found |= meta.find_undeclared_variables(jinja.parse(text))
    return found


def registers(role: str) -> set[str]:
    return {task["register"] for task in tasks(role) if "register" in task}


@pytest.mark.parametrize("role", ROLES)
def test_the_defaults_are_those_that_the_arguments_name(role: str) -> None:
    file = ROOT / "roles" / role / "defaults" / "main.yml"
    said = yaml.safe_load(file.read_text()) if file.exists() else {}
    assert said == {name: option["default"] for name, option in options(role).items() if "default" in option}


@pytest.mark.parametrize("role", ROLES)
def test_an_argument_has_a_type_a_sentence_and_a_default_unless_it_must_be_given(role: str) -> None:
    for name, option in options(role).items():
        assert name.startswith(f"{role}_"), name
        assert option["type"] in {"str", "int", "bool", "path", "dict"}, name
        assert option["description"].endswith("."), name
        assert ("default" in option) != option.get("required", False), name


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_its_arguments_its_own_registers_and_nothing_else(role: str) -> None:
    known = set(options(role)) | registers(role) | MADE_BY_ANSIBLE
    assert variables(role) - known == set()
    assert set(options(role)) - variables(role) == set(), "an argument that no task reads"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_introduces_itself(role: str) -> None:
    info = read(role, "meta/main.yml")["galaxy_info"]
    assert info["description"] == read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["short_description"]
    assert info["license"] == "Apache-2.0"
    assert info["min_ansible_version"] == "2.18"
    assert {platform["name"] for platform in info["platforms"]} == {"Debian", "Ubuntu"}


@pytest.mark.parametrize("role", ROLES)
def test_a_task_has_a_name_and_calls_a_module_by_its_full_one(role: str) -> None:
    for task in tasks(role):
        calls = [word for word in task if "." in word]
        assert re.fullmatch(r"(\w+ \| )?[A-Z].*[^.]", task["name"])
        assert len(calls) <= 1, task
        assert all(word.startswith(("ansible.builtin.", "bayplan.fleet.")) for word in calls), task
        assert set(task) <= KEYWORDS | set(calls), task


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_registers_bears_its_name(role: str) -> None:
    assert all(name.startswith((f"__{role}_", f"{role}_")) for name in registers(role))
