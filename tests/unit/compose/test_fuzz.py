"""Whatever a file holds, reading it gives findings or a project, and never an exception."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.compose.canonical import canonical_service
from bayplan.compose.merge import merge_service
from bayplan.compose.read import read_project
from bayplan.compose.service import to_service
from bayplan.source import plain, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CASES = "tests/cases/compose"
ROUNDS = 200
VALUES = (
    *("", "null", "~", "0", "-1", "true", "[]", "{}", "[[]]", "{a: {b: [c]}}", "1e400", "0x7fffffffffffffffff"),
    *("${", "${A:-${B", "$$", "${A?}", "!reset null", "!override [a]", "*a", "&a b", "'", '"', "|", ">", "- a"),
    *("1-2:3", "65536", "a:b:c:d", "::", "80:80/x", "/", ".", "~", "service:a", "9" * 50, "\x00", "\ufeff", "é", "😀"),
    *("x: 1", "extends: a", "include: [a]", "<<: *a", "<<: 1", "99999999999g", "1.5.5", "-1g", "[{}]", "[null]"),
)


def replace_value(lines: list[str], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    head, colon, _ = lines[at].partition(":")
    lines[at] = f"{head}{colon} {chance.choice(VALUES)}"


def replace_key(lines: list[str], chance: random.Random) -> None:
    at, other = chance.randrange(len(lines)), chance.choice(lines)
    _, colon, rest = lines[at].partition(":")
    lines[at] = f"{other.partition(':')[0]}{colon}{rest}"


def drop(lines: list[str], chance: random.Random) -> None:
    del lines[chance.randrange(len(lines))]


def repeat(lines: list[str], chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))


def indent(lines: list[str], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    lines[at] = chance.choice((f"  {lines[at]}", lines[at].lstrip(), f"- {lines[at].strip()}"))


def inject(lines: list[str], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    column = chance.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:column] + chance.choice(VALUES) + lines[at][column:]


def swap_flow(lines: list[str], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    lines[at] = lines[at].translate(str.maketrans(chance.choice(("[]", "{}", ":,", "[{", "}]")), "{}"))


CHANGES: tuple[Callable[[list[str], random.Random], None], ...] = (
    *(replace_value, replace_value, replace_key, drop, repeat, indent, inject, swap_flow),
)


def mutated(text: str, chance: random.Random) -> bytes:
    """Return a text with a few lines changed, and sometimes a byte that is no text."""
    lines = text.splitlines() or [""]
    for _ in range(chance.randint(1, 5)):
        chance.choice(CHANGES)(lines, chance)
        lines = lines or [""]
    data = bytearray("\n".join(lines).encode("utf-8", errors="surrogatepass"))
    if chance.random() < 0.05 and data:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def grafted(tree: Any, chance: random.Random) -> Any:
    """Return a tree with one of its values replaced by another part of it, or by something odd."""
    places = list(paths(tree))
    at, other = chance.choice(places), chance.choice(places)
    odd: Any = chance.choice((*VALUES, None, True, 0, -1, 1.5, 10**30, [], {}, [[]], [None], {"": None}, {"a": [1]}))
    new = look(tree, other) if chance.random() < 0.6 else odd
    return put(tree, at, new, chance.random() < 0.1)


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


def look(tree: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def put(tree: Any, path: tuple[Any, ...], value: Any, rename: bool) -> Any:  # noqa: FBT001 - a coin
    if not path:
        return value
    if isinstance(tree, list):
        return [put(child, path[1:], value, rename) if at == path[0] else child for at, child in enumerate(tree)]
    name = str(value)[:20] if rename and len(path) == 1 else path[0]
    inner = tree[path[0]] if rename and len(path) == 1 else put(tree[path[0]], path[1:], value, rename)
    return {**{key: child for key, child in tree.items() if key != path[0]}, name: inner}


def hold(files: list[Path], chance: random.Random) -> int:
    """Read files in every way there is; return how many services were there."""
    project, findings = read_project("shop", files, profiles=["*"], interpolate_all=chance.random() < 0.3)
    assert project or any(finding.is_error for finding in findings)
    before = None
    for key, node in project.services.items() if project else ():
        service, _ = to_service("shop", key, node)
        json.dumps(service.body)
        assert canonical_service(node)[0] == node
        merge_service(node, before or node)
        before = node
    return len(project.services) if project else 0


def texts(folder: Path) -> list[str]:
    return [path.read_text(errors="replace") for path in sorted((folder / CASES).rglob("*.yml"))]


@pytest.mark.parametrize("seed", range(8))
def test_mutated_texts_never_raise(seed: int, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    chance = random.Random(seed)
    known = texts(pytestconfig.rootpath)
    first, second = tmp_path / "a.yml", tmp_path / "b.yml"
    readable = 0
    for _ in range(ROUNDS):
        first.write_bytes(mutated(chance.choice(known), chance))
        second.write_bytes(mutated(chance.choice(known), chance))
        readable += hold([first, second] if chance.random() < 0.3 else [first], chance)
    assert readable


@pytest.mark.parametrize("seed", range(8))
def test_grafted_trees_never_raise(seed: int, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    chance = random.Random(seed)
    trees = [plain(node) for text in texts(pytestconfig.rootpath) if (node := read_text(text, "x")[0]) and node.is_map]
    first, second = tmp_path / "a.yml", tmp_path / "b.yml"
    readable = 0
    for _ in range(ROUNDS):
        for file in (first, second):
            tree = chance.choice(trees)
            for _ in range(chance.randint(1, 4)):
                tree = grafted(tree, chance) if isinstance(tree, dict) and tree else tree
            file.write_text(json.dumps(tree))
        readable += hold([first, second] if chance.random() < 0.3 else [first], chance)
    assert readable > ROUNDS / 2


@pytest.mark.parametrize("text", ["${" * 400, "${A:-" * 400 + "}" * 400, "$" * 1000, "}" * 1000])
def test_deep_templates_never_raise(text: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(f"services: {{a: {{image: '{text}', environment: {{A: '{text}'}}}}}}")
    project, findings = read_project("shop", [file])
    assert project or findings


def test_a_file_that_includes_itself_many_times_ends(tmp_path: Path) -> None:
    for number in range(30):
        following = f"{number + 1}.yml"
        (tmp_path / f"{number}.yml").write_text(f"include: [{following}, {following}]\nservices: {{}}\n")
    (tmp_path / "30.yml").write_text("services: {a: {image: x}}\n")
    _, findings = read_project("shop", [tmp_path / "0.yml"])
    assert any(finding.rule == "compose/include" for finding in findings)


def test_a_folder_or_nothing_is_a_finding(tmp_path: Path) -> None:
    for files in ([tmp_path], [tmp_path / "none.yml"], []):
        project, findings = read_project("shop", files)
        assert project is None
        assert findings


def test_a_long_row_of_files_that_include_each_other_ends(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.yml").write_text(f"include: [{number + 1}.yml]\nservices: {{}}\n")
    (tmp_path / "300.yml").write_text("services: {a: {image: x}}\n")
    _, findings = read_project("shop", [tmp_path / "0.yml"], shown=["0.yml"])
    said = [(str(one.place), one.rule, one.message) for one in findings]
    assert ("32.yml:1:11", "compose/include", "is included by more than 32 files in a row") in said


def test_a_large_service_that_thousands_extend_is_refused_where_it_becomes_too_much(tmp_path: Path) -> None:
    large = ", ".join(f"V{number}: x" for number in range(1000))
    extending = "".join(f"  s{number}: {{extends: base}}\n" for number in range(2000))
    (tmp_path / "c.yml").write_text(f"services:\n  base: {{image: x, environment: {{{large}}}}}\n{extending}")
    project, findings = read_project("shop", [tmp_path / "c.yml"], shown=["c.yml"])
    assert project is None
    (finding,) = [one for one in findings if one.is_error]
    assert (finding.rule, str(finding.place)) == ("source/too-many-values", "c.yml:995:10")
