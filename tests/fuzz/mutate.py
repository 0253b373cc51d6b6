"""How texts are broken, and what there is to break: the examples of all rules, small policies, Compose files, fleets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
Texts = dict[str, str]
"""Path in a policy folder → text."""

SNIPPETS = (
    "- ", "  ", "{", "}", "[", "]", ":", ": ", "null", "~", "!override ", "!reset ", "&a ", "*a", "<<: ", "'", '"',
    "|\n", "#", "-1", "0", "1e309", "99999999999999999999", "8G", "8GB", "0x1F", "on", "${X:?no}", "${", "$$", "\t",
    "\x00", "\ufeff", "é", "{{ lookup }}", "../../etc/passwd", "a/b/c", "cpus: ", "memory: [1, 2]", "services: ",
    "replicas: -3", "gpu: {}", "{}: {}",
    "? [a]\n: b", "---\n", "*", "?", "[a", "{a,b", "gpu[9:1]", "[1:99999]", "; rm -rf /", "`id`", "$(id)", "{% raw %}",
    "0..0", "9..1", "200%", "-5%", "1e-9", ".inf", ".nan", "2026-02-30", "1:30:00", "0o777", "\r", "\u2028", "%", "@",
)  # fmt: skip
NUMBERS = ("0", "1", "2", "7", "64", "999", "100000", "1000000000", "0.5", "0.001", "-1", "1e6", "00", "9" * 40)
DEEP, MANY, LONG = 300, 2000, 20_000
"""How deep a value is nested, how often a line repeated, how long a word made."""

_BLOCK = re.compile(r"^```(?:yaml|dockerfile) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NODES = "nodes: {one: {cpus: 8, memory: 32GiB}, two: {cpus: 4, memory: 16GiB}}\n"


def corpus() -> list[Texts]:
    """Return all that is small, in an order that does not change: what reads and checks in milliseconds.

    The examples more often: most of them are whole, and many mutants of them are, so that the rules see them too.
    """
    return [*(4 * list(_examples())), *_cases(), *_projects()]


def _examples() -> Iterator[Texts]:
    """Yield the examples of the rules' pages, wrong ones and right ones."""
    for page in sorted((ROOT / "docs" / "rules").rglob("*.md")):
        found: list[Texts] = []
        for name, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if not name:
                found.append({})
            if found:
                found[-1][name or "policy.yml"] = text
        yield from found


def _cases() -> Iterator[Texts]:
    """Yield the policies of the cases that are written down, each with its Compose file if it has one."""
    for file in sorted((ROOT / "tests" / "cases").glob("*/*.yml")):
        try:
            cases = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        for case in cases if isinstance(cases, list) else ():
            policy = case.get("policy") if isinstance(case, dict) else None
            if isinstance(policy, str):
                yield {"policy.yml": policy, **_files(case)}


def _files(case: dict[str, Any]) -> Texts:
    compose = case.get("compose")
    return {"compose.yml": compose} if isinstance(compose, str) else {}


def _projects() -> Iterator[Texts]:
    """Yield the Compose files of the cases, each as the only project of two nodes."""
    for file in sorted((ROOT / "tests" / "cases" / "compose").glob("**/*.yml")):
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        yield {
            "policy.yml": f"{_NODES}sources: {{shop: {{compose: c/compose.yml, node: one}}}}\n",
            "c/compose.yml": text,
        }


def mutated(texts: Texts, others: list[Texts], dice: random.Random) -> dict[str, bytes]:
    """Return the files with one of them changed in one to three ways."""
    name = dice.choice(sorted(texts))
    text = texts[name]
    for _ in range(dice.choice((1, 1, 2, 3))):
        text = dice.choice(_WAYS)(text, dice) if dice.random() < _OWN else spliced(text, dice.choice(others), dice)
    broken = text.encode(errors="surrogatepass")
    if dice.random() < _BYTES:
        at = dice.randrange(len(broken) + 1)
        broken = broken[:at] + dice.choice((b"\xff", b"\x00", b"\xc3", b"\xed\xa0\x80", b"\x1b[2J")) + broken[at:]
    return {**{path: one.encode() for path, one in texts.items()}, name: broken}


_OWN, _BYTES = 0.8, 0.03


def broken_line(text: str, dice: random.Random) -> str:
    """Return a text with one line left out, doubled, swapped or broken."""
    lines = text.split("\n")
    at = dice.randrange(len(lines))
    kind = dice.randrange(9)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[dice.randrange(len(lines))])
    elif kind == 2:
        lines[at] = dice.choice(SNIPPETS) + lines[at]
    elif kind == 3:
        lines[at] = lines[at] + dice.choice(SNIPPETS)
    elif kind == 4:
        spot = dice.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:spot] + dice.choice(SNIPPETS) + lines[at][spot:]
    elif kind == 5:
        head, colon, _ = lines[at].partition(": ")
        lines[at] = head + colon + dice.choice(SNIPPETS)
    elif kind == 6:
        lines[at] = lines[at].lstrip()
    elif kind == 7:
        words = lines[at].split(" ")
        words[dice.randrange(len(words))] = dice.choice(SNIPPETS)
        lines[at] = " ".join(words)
    else:
        other = dice.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


def other_number(text: str, dice: random.Random) -> str:
    """Return a text in which one number is another: most of these stay whole, and are reckoned with."""
    return _other(r"\d+(\.\d+)?", text, dice, lambda _: dice.choice(NUMBERS))


def other_word(text: str, dice: random.Random) -> str:
    """Return a text in which one word stands in the place of another, a key's or a value's."""
    words = re.findall(r"[A-Za-z_][\w./-]*", text)
    return _other(r"[A-Za-z_][\w./-]*", text, dice, lambda _: dice.choice(words)) if words else text


def out_of_size(text: str, dice: random.Random) -> str:
    """Return a text with something that is too deep, too often or too long, or with other ends of lines."""
    kind = dice.randrange(6)
    if kind == 0:
        return _other(r"[\w.-]+", text, dice, lambda _: "{a: " * DEEP + "1" + "}" * DEEP)
    if kind == 1:
        return _other(r"[^\n]*\n", text, dice, lambda found: found * MANY)
    if kind == 2:
        return _other(r"[\w.-]+", text, dice, lambda found: found * (LONG // len(found)))
    if kind == 3:
        bomb = "".join(f"x-{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else 'a'] * 9)}]\n" for n in range(9))
        return f"{bomb}{text}"
    return text.replace("\n", "\r\n") if kind == 4 else f"\ufeff{text}"


def spliced(text: str, other: Texts, dice: random.Random) -> str:
    """Return a text with some lines of another policy in it, put where they are as deep as what is there."""
    lines, theirs = text.split("\n"), dice.choice(sorted(other.values())).split("\n")
    start = dice.randrange(len(theirs))
    some = theirs[start : start + dice.randint(1, 4)]
    deep = len(some[0]) - len(some[0].lstrip())
    spots = [at for at, line in enumerate(lines) if len(line) - len(line.lstrip()) == deep] or [len(lines)]
    at = dice.choice(spots)
    return "\n".join([*lines[:at], *some, *lines[at:]])


def _other(pattern: str, text: str, dice: random.Random, new: Callable[[str], str]) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    one = dice.choice(found)
    return text[: one.start()] + new(one.group()) + text[one.end() :]


_WAYS = (*(broken_line,) * 3, *(other_number,) * 6, *(other_word,) * 3, out_of_size)
