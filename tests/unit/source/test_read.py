"""YAML with places: types of YAML 1.2, faults named where they stand, and nothing that can hang or crash."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.finding import Place
from bayplan.source import Border, Node, border_of, plain, read_file, read_text, read_yaml, shown, walk
from bayplan.source.file import MAX_BYTES
from bayplan.source.read import MAX_DEPTH, MAX_NODES

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parents[2] / "cases" / "source"
SCALARS: list[list[str]] = yaml.safe_load((CASES / "scalars.yml").read_text(encoding="utf-8"))
FAULTS: list[dict[str, Any]] = yaml.safe_load((CASES / "faults.yml").read_text(encoding="utf-8"))
TYPES = {"text": str, "int": int, "float": float, "bool": bool, "none": type(None)}


def tree(text: str) -> Node:
    """Return the tree of a text without faults."""
    node, findings = read_text(text, "f.yml")
    assert findings == ()
    assert node is not None
    return node


def at(text: str, *path: str | int) -> Node:
    """Return the node at a path."""
    return dict(walk(tree(text)))[path]


@pytest.mark.parametrize("case", SCALARS, ids=lambda case: case[0])
def test_a_plain_scalar_has_the_type_of_yaml_1_2(case: list[str]) -> None:
    written, kind, *value = case
    node = at(f"[{written}]", 0)
    assert type(node.value) is TYPES[kind]
    assert (json.dumps(node.value) if value else node.value) == (value[0] if value else written)
    assert node.text == written


@pytest.mark.parametrize("written", ["1.50", "0x1F", "+12", "1e3", "True", "012", "1.0"])
def test_a_plain_scalar_remembers_how_it_was_written(written: str) -> None:
    assert at(f"v: {written}", "v").string == written


@pytest.mark.parametrize("written", ["'12'", '"12"', "|-\n  12", "!!str 12"])
def test_what_is_quoted_stays_text(written: str) -> None:
    node = at(f"v: {written}", "v")
    assert (node.value, node.text) == ("12", "")


@pytest.mark.parametrize(("written", "value"), [("", None), ("''", ""), ('""', ""), ("~", None)])
def test_nothing_is_null_and_an_empty_text_is_not(written: str, value: str | None) -> None:
    node = at(f"v: {written}", "v")
    assert node.value == value
    assert node.string == ("~" if written == "~" else "")


def test_every_value_knows_its_place_and_that_of_its_key() -> None:
    text = "services:\n  web:\n    ports: [80,\n      '443']\n  # a comment\n  'api': {image: nginx}\n"
    assert {path: (node.key and (node.key.line, node.key.column), (node.place.line, node.place.column))
            for path, node in walk(tree(text))} == {
        (): (None, (1, 1)),
        ("services",): ((1, 1), (2, 3)),
        ("services", "web"): ((2, 3), (3, 5)),
        ("services", "web", "ports"): ((3, 5), (3, 12)),
        ("services", "web", "ports", 0): (None, (3, 13)),
        ("services", "web", "ports", 1): (None, (4, 7)),
        ("services", "api"): ((6, 3), (6, 10)),
        ("services", "api", "image"): ((6, 11), (6, 18)),
    }  # fmt: skip


def test_columns_count_characters_not_bytes() -> None:
    assert at("{größe: [ä, ö]}", "größe", 1).place == Place("f.yml", 1, 13)


def test_here_is_the_key_if_there_is_one() -> None:
    assert at("a:\n  - 1", "a").here == Place("f.yml", 1, 1)
    assert at("a:\n  - 1", "a", 0).here == Place("f.yml", 2, 5)


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case["name"])
def test_faults(case: dict[str, Any], said: Callable[..., list[str]]) -> None:
    node, findings = read_text(case["text"], "f.yml")
    assert said(findings) == case["findings"]
    assert (None if node is None else plain(node)) == case["read"]
    assert all(finding.remedy for finding in findings)


def test_both_places_of_a_duplicate_key_are_known() -> None:
    _, (finding,) = read_text("a: 1\nb: 2\na: 3\n", "f.yml")
    assert (finding.place, finding.also) == (Place("f.yml", 3, 1), (Place("f.yml", 1, 1),))


def test_all_duplicate_keys_are_named_at_once_also_before_a_fault_that_ends_reading() -> None:
    _, findings = read_text("a: 1\na: 2\nb: {c: 1, c: 2}\nd: *nowhere\n", "f.yml")
    assert [(one.rule, one.place.line) for one in findings] == [
        ("source/duplicate-key", 2),
        ("source/duplicate-key", 3),
        ("source/yaml", 4),
    ]


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "---\n...\n", "{}"])
def test_an_empty_document_is_an_empty_map(text: str) -> None:
    assert plain(tree(text)) == {}


def test_a_document_that_says_null_is_not_empty() -> None:
    assert tree("~").value is None


class TestMerge:
    """The merge key (<<), as its specification has it."""

    def test_own_keys_win_wherever_the_merge_key_stands(self) -> None:
        for text in ("b: &b {x: 1, y: 1}\na: {<<: *b, y: 2}", "b: &b {x: 1, y: 1}\na: {y: 2, <<: *b}"):
            assert plain(at(text, "a")) == {"x": 1, "y": 2}

    def test_the_earlier_of_two_sources_wins(self) -> None:
        text = "one: &one {x: 1}\ntwo: &two {x: 2, y: 2}\na: {<<: [*one, *two]}"
        assert plain(at(text, "a")) == {"x": 1, "y": 2}

    def test_it_is_not_deep(self) -> None:
        assert plain(at("b: &b {m: {x: 1}}\na: {<<: *b, m: {y: 2}}", "a")) == {"m": {"y": 2}}

    def test_a_merged_value_keeps_the_place_where_it_is_written(self) -> None:
        assert at("b: &b\n  x: 1\na:\n  <<: *b\n", "a", "x").here == Place("f.yml", 2, 3)

    def test_merged_maps_merge_on(self) -> None:
        text = "c: &c {x: 1}\nb: &b {<<: *c, y: 2}\na: {<<: *b, z: 3}"
        assert plain(at(text, "a")) == {"x": 1, "y": 2, "z": 3}

    def test_a_quoted_one_is_an_ordinary_key(self) -> None:
        assert plain(tree("'<<': {x: 1}")) == {"<<": {"x": 1}}

    def test_what_is_merged_is_no_duplicate(self) -> None:
        assert read_text("b: &b {x: 1}\na: {<<: *b, x: 2}", "f.yml")[1] == ()


def test_an_alias_stands_for_its_anchor_and_keeps_the_key_of_its_own_line() -> None:
    node = at("a: &x [1, 2]\nb: *x\n", "b")
    assert plain(node) == [1, 2]
    assert (node.key, node.place) == (Place("f.yml", 2, 1), Place("f.yml", 1, 4))


def test_an_anchor_written_again_counts_from_there() -> None:
    assert plain(tree("[&x 1, *x, &x 2, *x]")) == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        ("v: !reset", "!reset", None),
        ("v: !reset null", "!reset", None),
        ("v: !override [1]", "!override", [1]),
        ("v: !override {a: 1}", "!override", {"a": 1}),
        ("v: !override 12", "!override", 12),
        ("v: !override '12'", "!override", "12"),
        ("v: !override ''", "!override", ""),
        ("v: !!str 12", "", "12"),
        ("v: [1]", "", [1]),
    ],
)
def test_local_tags_are_kept_and_the_value_beside_them(text: str, tag: str, value: object) -> None:
    node = at(text, "v")
    assert (node.tag, plain(node)) == (tag, value)


class TestBounds:
    """Hostile input is refused with a finding, at once."""

    @staticmethod
    def rule(text: str) -> str:
        node, findings = read_text(text, "f.yml")
        assert node is None
        return findings[-1].rule

    def test_aliases_that_grow_to_billions(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
        assert self.rule("\n".join(lines)) == "source/too-many-values"

    def test_merge_keys_that_grow_to_billions(self) -> None:
        lines = ["a0: &a0 {k: v}"]
        lines += [f"a{n}: &a{n} {{<<: *a{n - 1}, l{n}: *a{n - 1}, r{n}: *a{n - 1}}}" for n in range(1, 30)]
        assert self.rule("\n".join(lines)) == "source/too-many-values"

    def test_merge_keys_that_repeat_a_large_map(self) -> None:
        large = "b: &b {" + ",".join(f"k{n}: 1" for n in range(1000)) + "}\n"
        assert self.rule(large + "c: [" + "{<<: *b}," * 1000 + "]") == "source/too-many-values"
        assert self.rule(large + "c: {<<: [" + "*b," * 1000 + "]}") == "source/too-many-values"

    def test_a_long_list_is_left_where_it_becomes_too_long(self) -> None:
        node, (finding,) = read_text("[" + "1,\n" * (MAX_NODES + 1) + "&a !never read, *b", "f.yml")
        assert node is None
        assert (finding.rule, finding.place.line) == ("source/too-many-values", MAX_NODES + 1)

    def test_aliases_that_stand_for_something_deep(self) -> None:
        lines = ["a0: &a0 [x]"]
        lines += [f"a{n}: &a{n} {'[' * 30}*a{n - 1}{']' * 30}" for n in range(1, 40)]
        _, (finding,) = read_text("\n".join(lines), "f.yml")
        assert (finding.rule, str(finding.place)) == ("source/too-deep", "f.yml:4:39")

    def test_the_deepest_that_is_read_and_one_more(self) -> None:
        assert tree("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).is_list
        assert self.rule("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2)) == "source/too-deep"

    def test_far_too_deep(self) -> None:
        assert self.rule("[" * 200_000) == "source/too-deep"

    @pytest.mark.parametrize("text", ["a: \x00", "a: b\x07", "a: [\ufffe]"])
    def test_characters_that_yaml_does_not_allow(self, text: str) -> None:
        assert self.rule(text) == "source/character"

    def test_the_place_and_the_code_of_such_a_character(self) -> None:
        _, (finding,) = read_text("a: 1\nb: \x00\n", "f.yml")
        assert (str(finding.place), finding.message) == (
            "f.yml:2:4",
            "holds the character U+0000, which YAML does not allow",
        )


class TestFiles:
    """From bytes to text."""

    @staticmethod
    def write(folder: Path, data: bytes) -> Path:
        path = folder / "f.yml"
        path.write_bytes(data)
        return path

    def test_a_byte_order_mark_is_no_part_of_the_first_key(self, tmp_path: Path) -> None:
        node, findings = read_yaml(self.write(tmp_path, b"\xef\xbb\xbfa: 1\n"))
        assert findings == ()
        assert node is not None
        assert plain(node) == {"a": 1}
        assert node.value["a"].here.column == 1

    def test_line_ends_of_windows(self, tmp_path: Path) -> None:
        node, findings = read_yaml(self.write(tmp_path, b"a: 1\r\nb: x y\r\nc: [1,\r\n  2]\r\n"))
        assert findings == ()
        assert node is not None
        assert plain(node) == {"a": 1, "b": "x y", "c": [1, 2]}
        assert (node.value["c"].here.line, node.value["c"].here.column) == (3, 1)

    def test_other_encodings_are_refused_at_the_byte(self, tmp_path: Path) -> None:
        node, (finding,) = read_yaml(self.write(tmp_path, b"a: 1\nb: gr\xfcn\n"), "f.yml")
        assert node is None
        assert (finding.rule, str(finding.place)) == ("source/encoding", "f.yml:2:6")
        assert finding.message == "byte 0xfc is not UTF-8"

    def test_the_column_of_a_wrong_byte_counts_characters(self, tmp_path: Path) -> None:
        _, (finding,) = read_yaml(self.write(tmp_path, "gr\u00fc\u00df: ".encode() + b"\xff\n"), "f.yml")
        assert str(finding.place) == "f.yml:1:7"

    def test_a_byte_order_mark_does_not_shift_the_place_of_a_wrong_byte(self, tmp_path: Path) -> None:
        _, (finding,) = read_yaml(self.write(tmp_path, b"\xef\xbb\xbfa: \xfc1\n"), "f.yml")
        assert (str(finding.place), finding.message) == ("f.yml:1:4", "byte 0xfc is not UTF-8")

    def test_utf_16_is_refused(self, tmp_path: Path) -> None:
        _, (finding,) = read_yaml(self.write(tmp_path, "a: 1".encode("utf-16")))
        assert finding.rule == "source/encoding"

    def test_a_file_that_is_too_large_is_not_parsed(self, tmp_path: Path) -> None:
        _, (finding,) = read_yaml(self.write(tmp_path, b"#" * (MAX_BYTES + 1)))
        assert (finding.rule, finding.message) == ("source/too-large", "is larger than 8 MiB")

    @pytest.mark.parametrize("name", ["gone.yml", "", "a\0b.yml"])
    def test_what_is_no_file_is_a_finding(self, tmp_path: Path, name: str) -> None:
        text, (finding,) = read_file(tmp_path / name)
        assert text is None
        assert finding.rule == "source/unreadable"
        assert finding.message.startswith("cannot be read: ")

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "f.yml")
        assert self.refusal(tmp_path / "f.yml") == "cannot be read: it is a pipe, a socket or a device"

    def test_a_folder_and_a_device_are_no_files(self, tmp_path: Path) -> None:
        assert self.refusal(tmp_path) == "cannot be read: it is a folder"
        assert self.refusal(Path("/dev/zero")) == "cannot be read: it is a pipe, a socket or a device"

    def test_links_in_a_circle(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
        assert self.refusal(tmp_path / "a") == "cannot be read: Too many levels of symbolic links"

    def test_no_more_is_read_than_is_needed_to_see_that_a_file_is_too_large(self, tmp_path: Path) -> None:
        with (tmp_path / "f.yml").open("wb") as handle:
            handle.truncate(2**40)  # takes no room on disk
        assert self.refusal(tmp_path / "f.yml") == "is larger than 8 MiB"

    @staticmethod
    def refusal(path: Path) -> str:
        text, (finding,) = read_file(path, "f.yml")
        assert text is None
        assert finding.remedy
        return finding.message

    def test_names_that_are_no_text_are_shown_as_text(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert shown(tmp_path / os.fsdecode(b"a\xff\n.yml")) == "a\\udcff\\n.yml"

    def test_files_below_the_working_directory_are_shown_relative_to_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert shown(tmp_path / "a" / "b.yml") == "a/b.yml"
        assert shown(Path("a/b.yml")) == "a/b.yml"
        assert shown(tmp_path.parent / "b.yml") == str(tmp_path.parent / "b.yml")


class TestBorder:
    """Nothing is read from outside of the repository."""

    def test_it_is_the_nearest_folder_that_holds_git(self, tmp_path: Path) -> None:
        (tmp_path / "repo" / ".git").mkdir(parents=True)
        (tmp_path / "repo" / "policies" / "shop").mkdir(parents=True)
        assert border_of(tmp_path / "repo" / "policies" / "shop").root == str(tmp_path / "repo")
        (tmp_path / "repo" / "policies" / "shop" / ".git").write_text("gitdir: elsewhere\n")
        assert border_of(tmp_path / "repo" / "policies" / "shop").root == str(tmp_path / "repo" / "policies" / "shop")

    @pytest.mark.parametrize(
        ("around", "border"), [("mine", "mine"), ("mine/policies", "mine"), ("policies/a", "policies/a")]
    )
    def test_without_git_it_is_the_folder_around(self, tmp_path: Path, around: str, border: str) -> None:
        folder = tmp_path / around / "shop"
        folder.mkdir(parents=True)
        assert border_of(folder).root == str(tmp_path / border)
        (tmp_path / "link").symlink_to(folder)
        assert border_of(tmp_path / "link").root == str(tmp_path / border)

    def test_it_is_never_everything(self) -> None:
        assert border_of(Path("/policies/shop")).root == "/policies"

    @pytest.mark.parametrize(
        ("path", "inside"),
        [
            ("shop/a.yml", True),
            ("shop/gone.yml", True),
            ("shop/../other/a.yml", True),
            ("", True),
            ("shop/../../secret", False),
            ("/etc/passwd", False),
            ("../border-beside", False),
            ("out", False),
            ("out/passwd", False),
            ("in", True),
            ("circle", True),
            ("a\0b", True),
            ("a" * 5000, True),
        ],
    )
    def test_links_and_dots_are_followed_before_it_is_looked_where_a_file_lies(
        self, tmp_path: Path, path: str, *, inside: bool
    ) -> None:
        root = tmp_path / "border"
        (root / "shop").mkdir(parents=True)
        (root / "out").symlink_to("/etc")
        (root / "in").symlink_to(root / "shop")
        (root / "circle").symlink_to("circle")
        assert Border(str(root)).holds(root / path) is inside

    def test_what_lies_outside_is_not_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "in").mkdir()
        text, (finding,) = read_file(tmp_path / "in" / ".." / "pipe", "f.yml", Border(str(tmp_path / "in")))
        assert (text, finding.rule, str(finding.place)) == (None, "source/outside", "f.yml")
        assert finding.message == f"lies outside of {tmp_path}/in: nothing is read from there"


# YAML takes no bare control characters, and the parser still breaks lines at U+2028 and U+2029 as YAML 1.1 did.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp")), max_size=6)
DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXT, below, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(TEXT, DATA, min_size=1, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_json_is_read_as_json_reads_it(data: dict[str, Any]) -> None:
    node, findings = read_text(json.dumps(data, ensure_ascii=False), "f.yml")
    assert findings == ()
    assert node is not None
    assert plain(node) == data


@given(st.text(alphabet=st.sampled_from("ab1 :-[]{},&*!<>|'\"#%@\n\t~?"), max_size=40))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_whatever_is_written_there_is_a_tree_or_a_finding(text: str) -> None:
    node, findings = read_text(text, "f.yml")
    assert node is not None or findings
    lines = text.split("\n")
    for finding in findings:
        assert finding.place.line <= len(lines) + 1
    if node is not None:
        assert all(one.place.line >= 1 for _, one in walk(node))


def test_not_a_number_is_a_float() -> None:
    assert math.isnan(at("[.nan]", 0).value)
