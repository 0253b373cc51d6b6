"""Findings for other programs: nothing that people wrote gets out of where it stands, and nothing is lost in silence."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from markdown_it import MarkdownIt

from bayplan.finding import NOWHERE, Finding, Place, Severity, error, note, warning
from bayplan.pages import page
from bayplan.render.findings.comment import LONGEST, comment
from bayplan.render.findings.github import github
from bayplan.render.findings.report import Report, ranked, rooted
from bayplan.render.findings.sarif import sarif
from bayplan.source.ends import ends

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markdown_it.token import Token

SCHEMA = Path(__file__).parents[2] / "data" / "sarif-schema-2.1.0.json"
SARIF = Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
PAGE = page("# shop/closed\n\nThe shop is closed today.\n\n**warning**\n\nNobody can\nbuy.\n\n## Wrong\n\nno\n")
OPEN = error("shop/full", Place("policies/a b/ä#1.yml", 3, 5), "web", "is full", "wait", arithmetic="1 + 1 = 2 > 1")
SHUT = warning("shop/closed", Place("policies/shop.yml", 9, 14), "web", "is closed", write="open", also=(OPEN.place,))
LOST = note("shop/lost", NOWHERE, "web", "has no place")
BARE = note("shop/bare", Place("compose.yml"), "compose.yml", "is empty")
NASTY = [*"ab1 `|\\@#<>&[]()!*_~$:/.-{}%,\n\r\0\u2028\u202eé", "::error", "##[error]", "-->", "www.", "</details>"]
WORDS = st.lists(st.sampled_from(NASTY), max_size=30).map("".join)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["shop/full", "shop/closed"]),
    severity=st.sampled_from(Severity),
    place=st.builds(Place, WORDS, st.integers(0, 3), st.integers(1, 3)),
    subject=WORDS,
    message=WORDS,
    arithmetic=WORDS,
    remedy=WORDS,
    also=st.lists(WORDS.map(Place), max_size=2).map(tuple),
    paste=WORDS,
    write=WORDS,
)


def report(*findings: Finding, fleet: str = "shop") -> Report:
    """Return a report of a fleet in its only environment."""
    return Report(fleet, "default", ranked(findings), {"shop/closed": PAGE})


def plain(text: str) -> str:
    """Return what a workflow command says, its escapes undone as the runner undoes them."""
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "seen"),
    [
        ("policies/shop.yml", "fleet/policies/shop.yml"),
        ("./policies//shop.yml", "fleet/policies/shop.yml"),
        ("../compose.yml", "compose.yml"),
        ("/repo/fleet/a.yml", "fleet/a.yml"),
        ("/elsewhere/a.yml", "/elsewhere/a.yml"),
        ("../../a.yml", "/a.yml"),
        ("bayplan", "bayplan"),
    ],
)
def test_files_are_called_as_the_repository_calls_them(file: str, seen: str) -> None:
    finding = error("shop/full", Place(file), "web", "is full", also=(Place(file, 2, 1),))
    moved = rooted(finding, Path("/repo/fleet"), Path("/repo"))
    assert (moved.place, moved.also) == (Place(seen), (Place(seen if file != "bayplan" else "fleet/bayplan", 2, 1),))


# -- GitHub -----------------------------------------------------------------------------------------------------------


def test_annotations_stand_at_their_lines_errors_first() -> None:
    assert github(report(BARE, SHUT, LOST, OPEN)).splitlines() == [
        "::error file=policies/a b/ä#1.yml,line=3,col=5,title=shop/full::policies/a b/ä#1.yml:3:5: error shop/full: web is full%0A1 + 1 = 2 > 1%0A→ wait",
        "::warning file=policies/shop.yml,line=9,col=14,title=shop/closed::policies/shop.yml:9:14: warning shop/closed: web is closed%0A→ write open",
        "::notice title=bayplan check::shop (default): 1 error, 1 warning, 2 notes",
        "::notice title=shop/lost::bayplan: note shop/lost: web has no place",
        "::notice file=compose.yml,title=shop/bare::compose.yml: note shop/bare: is empty",
    ]


def test_what_github_does_not_show_is_counted_where_it_does() -> None:
    many = [error("shop/full", Place("a.yml", n, 1), "web", "is full") for n in range(1, 13)]
    notes = [note("shop/lost", Place("a.yml", n, 1), "web", "is lost") for n in range(1, 11)]
    lines = github(report(*many, *notes)).splitlines()
    assert len(lines) == 23
    assert lines[12].endswith(
        "shop (default): 12 errors, 10 notes; GitHub shows 10 of each kind beside the files, 3 more are in the log of this step"
    )


def test_nothing_found_is_said() -> None:
    assert github(report()) == "::notice title=bayplan check::shop (default): no findings\n"


@settings(derandomize=True, max_examples=100)
@given(st.lists(FINDINGS, max_size=4), WORDS)
def test_no_word_becomes_a_command(findings: list[Finding], fleet: str) -> None:
    some = report(*findings, fleet=fleet)
    text = github(some)
    assert "\r" not in text
    lines = text.removesuffix("\n").split("\n")
    read = [re.fullmatch(r"::(error|warning|notice) ([^\n]*?)::([^\n]*)", line) for line in lines]
    assert len(read) == len(findings) + 1
    told = [dict(one.split("=", 1) for one in match[2].split(",")) for match in read if match]
    titles = [one["title"] for one in told]
    assert sorted(titles) == sorted([*(one.rule for one in findings), "bayplan check"])
    files = {plain(one.get("file", "")) for one in told}
    assert files - {""} == {one.place.file for one in findings} - {""}


# -- a comment --------------------------------------------------------------------------------------------------------


def tokens(text: str) -> list[Token]:
    """Return a comment as Markdown with tables and HTML reads."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def cells(text: str) -> list[list[Token]]:
    """Return what stands in the cells of all rows of findings."""
    read = tokens(text)
    return [
        after.children or [] for before, after in pairwise(read) if before.type == "td_open" and after.type == "inline"
    ]


def test_a_comment_counts_first_and_folds_what_is_no_error() -> None:
    assert comment(report(BARE, SHUT, OPEN)) == (
        "<!-- bayplan check shop default -->\n"
        "### bayplan check: `shop` (`default`)\n"
        "\n"
        "**1 error, 1 warning, 1 note.** Errors stop a plan.\n"
        "\n"
        "<details open><summary>❌ 1 error of <code>shop/full</code></summary>\n"
        "\n"
        "| where | what | how much | what to do |\n"
        "|---|---|---|---|\n"
        "| `policies/a b/ä#1.yml:3:5` | `web is full` | `1 + 1 = 2 > 1` | `wait` |\n"
        "\n"
        "</details>\n"
        "\n"
        "<details><summary>⚠️ 1 warning of <code>shop/closed</code>: The shop is closed today.</summary>\n"
        "\n"
        "| where | what | how much | what to do |\n"
        "|---|---|---|---|\n"
        "| `policies/shop.yml:9:14`<br>also `policies/a b/ä#1.yml:3:5` | `web is closed` |  | `write open` |\n"
        "\n"
        "</details>\n"
        "\n"
        "<details><summary>💬 1 note of <code>shop/bare</code></summary>\n"
        "\n"
        "| where | what | how much | what to do |\n"
        "|---|---|---|---|\n"
        "| `compose.yml` | `is empty` |  |  |\n"
        "\n"
        "</details>\n"
        "\n"
        "`bayplan explain RULE` says more about a rule.\n"
    )


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("a|b", "`a`&#124;`b`"),
        ("||", "&#124;&#124;"),
        ("a\\|b", "`a\\`&#124;`b`"),
        ("`x`", "`` `x` ``"),
        ("a`b``c", "```a`b``c```"),
        ("two\n lines", "`two lines`"),
        ("<img src=x> @all #1 [a](b)", "`<img src=x> @all #1 [a](b)`"),
        ("x" * 700, f"`{'x' * 599}…`"),
    ],
)
def test_what_people_wrote_stands_as_code(words: str, shown: str) -> None:
    text = comment(report(Finding("shop/full", Severity.ERROR, Place("a.yml", 1, 1), "", words)))
    (row,) = [line for line in text.splitlines() if line.startswith("| `a.yml")]
    assert row == f"| `a.yml:1:1` | {shown} |  |  |"


def test_the_marker_is_one_comment_whatever_a_fleet_is_called() -> None:
    first = comment(report(fleet="a --> <b>@all</b>")).splitlines()[0]
    assert first == "<!-- bayplan check a%20--%3E%20%3Cb%3E%40all%3C%2Fb%3E default -->"


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(FINDINGS, min_size=1, max_size=4), WORDS)
def test_no_word_becomes_markup(findings: list[Finding], fleet: str) -> None:
    text = comment(report(*findings, fleet=fleet))
    read = cells(text)
    assert len(read) == 4 * len(findings)
    for token in (token for cell in read for token in cell):
        assert token.type in {"text", "code_inline", "html_inline"}
        assert token.type != "html_inline" or token.content == "<br>"
        assert token.type != "text" or re.fullmatch(r"[| ]*(also ?)?[| ]*", token.content)
    whole = tokens(text)
    assert sum(token.type == "html_block" for token in whole) == 1 + 2 * len(
        {(one.severity, one.rule) for one in findings}
    )
    (heading,) = [after for before, after in pairwise(whole) if before.type == "heading_open"]
    assert {token.type for token in heading.children or []} <= {"text", "code_inline"}


def flood(many: int, words: str) -> Iterable[Finding]:
    """Return many findings of each severity with the same long words."""
    for n in range(many):
        for make in (error, warning, note):
            yield make(f"shop/{make.__name__}", Place("a.yml", n + 1, 1), "web", words, arithmetic=words)


@pytest.mark.parametrize("words", ["x" * 590, "ä|" * 250, "🐳" * 300])
def test_a_comment_is_never_too_long_and_says_what_it_lacks(words: str) -> None:
    text = comment(report(*flood(200, words)))
    assert len(text.encode()) < LONGEST
    assert len(text.encode()) > LONGEST - 6_000
    errors = len(re.findall(r"^\| `a\.yml", text, re.MULTILINE))
    assert 0 < errors < 200
    last = f"**Left out, because a comment takes no more: {200 - errors} errors, 200 warnings, 200 notes.**"
    assert text.splitlines()[-1].startswith(last)


def test_small_groups_do_not_overtake_errors_that_are_left_out() -> None:
    text = comment(report(*(one for one in flood(200, "x" * 590) if one.is_error), BARE))
    assert "shop/bare" not in text
    assert "1 note.**" in text


# -- SARIF ------------------------------------------------------------------------------------------------------------


def read_sarif(text: str) -> Any:
    """Return the only run of a document that is SARIF."""
    whole = json.loads(text)
    assert [fault.message for fault in SARIF.iter_errors(whole)] == []
    (run,) = whole["runs"]
    return run


def test_the_schema_refuses_what_is_no_sarif() -> None:
    Draft4Validator.check_schema(SARIF.schema)
    run = read_sarif(sarif(report(OPEN), {}))
    run["results"][0]["level"] = "fatal"
    (fault,) = SARIF.iter_errors({"version": "2.1.0", "runs": [run]})
    assert fault.message.startswith("'fatal' is not one of")


def test_sarif_has_rules_places_fixes_and_what_stays() -> None:
    run = read_sarif(sarif(report(SHUT, OPEN, LOST), {SHUT.place: Place(SHUT.place.file, 9, 20)}))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["shop/closed", "shop/full", "shop/lost"]
    assert rules[0] == {
        "id": "shop/closed",
        "shortDescription": {"text": "The shop is closed today."},
        "fullDescription": {"text": "Nobody can buy."},
        "help": {"text": PAGE.text, "markdown": PAGE.text},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["shop"]},
    }
    full, closed, lost = run["results"]
    here = {
        "physicalLocation": {
            "artifactLocation": {"uri": "policies/a%20b/%C3%A4%231.yml", "uriBaseId": "SRCROOT"},
            "region": {"startLine": 3, "startColumn": 5},
        }
    }
    assert full["locations"] == [here]
    assert full["message"] == {"text": "web is full\n1 + 1 = 2 > 1\n→ wait"}
    assert (full["ruleId"], full["ruleIndex"], full["level"]) == ("shop/full", 1, "error")
    assert closed["relatedLocations"] == [{"id": 1, **here}]
    assert closed["fixes"] == [
        {
            "description": {"text": "write open"},
            "artifactChanges": [
                {
                    "artifactLocation": {"uri": "policies/shop.yml", "uriBaseId": "SRCROOT"},
                    "replacements": [
                        {
                            "deletedRegion": {"startLine": 9, "startColumn": 14, "endLine": 9, "endColumn": 20},
                            "insertedContent": {"text": "open"},
                        }
                    ],
                }
            ],
        }
    ]
    assert (lost["locations"], lost["level"]) == ([], "note")


def test_a_whole_file_has_no_region_and_an_unknown_end_no_fix() -> None:
    (result,) = read_sarif(sarif(report(BARE), {}))["results"]
    assert "region" not in result["locations"][0]["physicalLocation"]
    (result,) = read_sarif(sarif(report(SHUT), {}))["results"]
    assert "fixes" not in result


def test_a_file_elsewhere_is_called_by_its_whole_path() -> None:
    (result,) = read_sarif(sarif(report(error("shop/full", Place("/a b.yml", 1, 1), "web", "is full")), {}))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///a%20b.yml"}


def test_braces_are_no_placeholders_and_brackets_no_links() -> None:
    finding = error("shop/full", Place("a.yml", 1, 1), "web", "see [a](1) and {0}", paste="services: {web: {gpu: 1}}")
    (result,) = read_sarif(sarif(report(finding), {}))["results"]
    text = "web see [a] (1) and {{0}}\n→ services: {{web: {{gpu: 1}}}}"
    assert (result["message"]["text"], result["properties"]["paste"]) == (text, finding.paste)


def test_a_fingerprint_outlives_moved_lines_and_other_amounts() -> None:
    def prints(*findings: Finding) -> list[str]:
        results = read_sarif(sarif(report(*findings), {}))["results"]
        return [one["partialFingerprints"]["bayplanFinding/v1"] for one in results]

    def full(line: int, message: str, subject: str = "web") -> Finding:
        return error("shop/full", Place("a.yml", line, 1), subject, message)

    assert prints(full(1, "asks for 2 GiB")) == prints(full(9, "asks for 2.5 GiB"))
    assert prints(full(1, "asks for 2 GiB")) != prints(full(1, "asks for 2 GiB", "api"))
    assert prints(full(1, "asks for 2 GiB")) != prints(full(1, "wants 2 GiB"))
    first, second = prints(full(1, "is full"), full(2, "is full"))
    assert first != second
    assert prints(full(1, "is full")) == [first]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(FINDINGS, max_size=3), WORDS)
def test_whatever_is_written_it_is_sarif(findings: list[Finding], fleet: str) -> None:
    behind = {one.place: Place(one.place.file, one.place.line, 9) for one in findings if one.place.line}
    run = read_sarif(sarif(report(*findings, fleet=fleet), behind))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        for location in result["locations"]:
            assert re.fullmatch(r"[!-~]*", location["physicalLocation"]["artifactLocation"]["uri"])


# -- where values end -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "end"),
    [
        ("a: 8G", 1, 4, (1, 6)),
        ("é: 'it''s'  # why", 1, 4, (1, 11)),
        ("a: {b: 2 , c: 3}", 1, 8, (1, 9)),
        ("a: plain words # why", 1, 4, (1, 15)),
        ("a:\n  - 8G\n", 2, 5, (2, 7)),
        ("a: &x 8G", 1, 4, None),
        ("a: !override 8G", 1, 4, None),
        ("a: two\n  lines", 1, 4, None),
        ("a: |\n  8G\n", 1, 4, None),
        ("a: [8G]", 1, 4, None),
        ("a: 8G", 1, 5, None),
        ("a: 8G\nb: [", 1, 4, None),
    ],
)
def test_where_a_value_ends(text: str, line: int, column: int, end: tuple[int, int] | None) -> None:
    place = Place("a.yml", line, column)
    assert ends(text, [place]) == ({place: Place("a.yml", *end)} if end else {})
