"""What the package brings along to read: a page for each rule (`docs/rules/`), and the reference policy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import bayplan
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = Path(bayplan.__file__).parent
_CHECKOUT = _PACKAGE.parents[1]
_RULES = (_PACKAGE / "docs" / "rules", _CHECKOUT / "docs" / "rules")
_REFERENCE = (_PACKAGE / "docs" / "reference", _CHECKOUT / "policies" / "reference")
"""Where the folders lie: in the wheel, or beside the source root of a checkout."""
_INDEX = "README.md"
_MARK = re.compile(r"\*\*(error|warning|note)\*\*")
_BLOCK = re.compile(r"^```(?:yaml|dockerfile) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """What is written about one id.

    Attributes:
        rule: the id, `family/what`.
        summary: one sentence that says what is wrong.
        severities: how much a finding matters, the commonest first.
        strict: how much it matters under `--strict`, if that is another thing.
        text: the whole page, Markdown.
    """

    rule: str
    summary: str
    severities: tuple[Severity, ...]
    strict: Severity | None
    text: str

    @property
    def family(self) -> str:
        """Return the first half of the id."""
        return self.rule.partition("/")[0]

    @property
    def body(self) -> str:
        """Return the page without its title, summary and severity."""
        return self.text.split("\n\n", 3)[3]

    def examples(self, heading: str) -> list[dict[str, str]]:
        """Return the policies under a heading (`Wrong`, `Right`): path → text; `policy.yml` begins the next one."""
        part = self.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        found: list[dict[str, str]] = []
        for name, text in _BLOCK.findall(part):
            if not name or not found:
                found.append({})
            found[-1][name or "policy.yml"] = text
        return found


def page(text: str) -> Page:
    """Return a page from its text: a title, a sentence, a line with the severity, then why and the examples.

    Raises:
        ValueError: if the text has not this form.
    """
    title, summary, severity, *rest = text.split("\n\n", 3)
    usual, _, strict = severity.partition(" (")
    marks, more = _MARK.findall(usual), _MARK.findall(strict)
    if not (title.startswith("# ") and marks and rest):
        raise ValueError(f"no page of a rule: {title}")
    return Page(
        title.removeprefix("# "),
        summary.replace("\n", " "),
        tuple(map(Severity, marks)),
        Severity(more[0]) if more else None,
        text,
    )


@cache
def every() -> Mapping[str, Page]:
    """Return id → page, by id."""
    files = {name: text for name, text in _texts(_RULES, "**/*.md").items() if name != _INDEX}
    found = [page(text) for text in files.values()]
    return {one.rule: one for one in sorted(found, key=lambda one: one.rule)}


def reference() -> Mapping[str, str]:
    """Return name → text of the files of the reference policy, by name."""
    return _texts(_REFERENCE, "*.yml")


def _texts(folders: tuple[Path, ...], pattern: str) -> dict[str, str]:
    """Return path → text of the files of the first folder that is there."""
    folder = next((folder for folder in folders if folder.is_dir()), None)
    files = sorted(folder.glob(pattern)) if folder else []
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files if folder}
