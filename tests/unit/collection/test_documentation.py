"""What a module says that it takes is what it takes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.bayplan.fleet.plugins.doc_fragments.common import ModuleDocFragment
from ansible_collections.bayplan.fleet.plugins.module_utils.hand import COMMON

PLUGINS = Path(__file__).parents[3] / "plugins"
MODULES = sorted(file.stem for file in (PLUGINS / "modules").glob("*.py"))
ACTIONS = sorted(file.stem for file in (PLUGINS / "action").glob("*.py"))
ON_CONTROL = ["ended", "stale", "wave"]
"""Action plugins that need no module of their own; a file of that name holds their documentation."""
DEFAULTS: dict[str, Any] = {"required": False, "default": None, "choices": None, "elements": None}


def options(text: str) -> dict[str, dict[str, Any]]:
    said = yaml.safe_load(text)["options"]
    return {name: {key: one.get(key, DEFAULTS.get(key)) for key in ("type", *DEFAULTS)} for name, one in said.items()}


def takes(spec: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: one.get(key, DEFAULTS.get(key)) for key in ("type", *DEFAULTS)} for name, one in spec.items()}


def module(name: str) -> Any:
    return import_module(f"ansible_collections.bayplan.fleet.plugins.modules.{name}")


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ON_CONTROL])
def test_a_module_takes_what_its_documentation_says(name: str) -> None:
    documented = options(ModuleDocFragment.DOCUMENTATION) | options(module(name).DOCUMENTATION)
    assert documented == takes({**COMMON, **module(name).SPEC})


@pytest.mark.parametrize("name", MODULES)
def test_a_module_documents_itself_with_an_example(name: str) -> None:
    said = yaml.safe_load(module(name).DOCUMENTATION)
    assert said["module"] == name
    assert yaml.safe_load(module(name).RETURN)
    assert all(f"bayplan.fleet.{name}" in task for task in yaml.safe_load(module(name).EXAMPLES))


def test_every_action_has_a_module_of_its_name() -> None:
    assert set(ACTIONS) <= set(MODULES)
    assert set(ON_CONTROL) <= set(ACTIONS)


@pytest.mark.parametrize("name", ON_CONTROL)
def test_a_file_that_only_documents_holds_no_code(name: str) -> None:
    names = {name for name in vars(module(name)) if not name.startswith("__")}
    assert names == {"annotations", "DOCUMENTATION", "EXAMPLES", "RETURN"}
