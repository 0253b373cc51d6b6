"""A number where Compose takes a word: what is to be written is that word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.finding import Finding

POLICY = "nodes: {n1: {cpus: 8, memory: 16GiB}}\nsources: {app: {compose: c/app.yml, node: n1}}\n"
COMPOSE = 'services:\n  web:\n    image: "nginx:1.29"\n    mem_limit: 1g\n    '


@pytest.mark.parametrize(
    ("said", "write"),
    [("cpuset: 6", '"6"'), ("hostname: 12", '"12"'), ("working_dir: 1.50", '"1.50"'), ("user: true", '"true"')],
)
def test_a_number_is_written_as_the_word_that_it_is(
    said: str,
    write: str,
    checked: Callable[..., tuple[Finding, ...]],
    mended: Callable[[Mapping[str, str], Finding], dict[str, str]],
) -> None:
    texts = {"policy.yml": POLICY, "c/app.yml": COMPOSE + said + "\n"}
    (found,) = [one for one in checked(texts) if one.rule == "compose/schema"]
    assert (found.write, found.place.line, found.place.column) == (write, 5, 7 + len(said.partition(":")[0]))
    after = mended({**texts, found.place.file: texts["c/app.yml"]}, found)
    assert not [one for one in checked({**texts, "c/app.yml": after[found.place.file]}) if one.is_error]


def test_what_is_no_scalar_has_no_word(checked: Callable[..., tuple[Finding, ...]]) -> None:
    texts = {"policy.yml": POLICY, "c/app.yml": COMPOSE + "cpuset: [6]\n"}
    (found,) = [one for one in checked(texts) if one.rule == "compose/schema"]
    assert (found.write, found.remedy) == ("", "write a word")
