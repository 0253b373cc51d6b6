from __future__ import annotations

import pytest

from bayplan.errors import Exit
from bayplan.rollout.apply import outcome
from bayplan.rollout.runner import STOPPED, Result


@pytest.mark.parametrize(
    ("result", "code", "words"),
    [
        (Result(code=0), Exit.FINE, "applied: nothing had to change"),
        (Result(code=0, changed={"front": 2}), Exit.FINE, "applied"),
        (Result(code=2, failed={"front": "it is not as it was"}, outcomes={"stale"}), Exit.STALE, "stale, nothing was touched: front: it is not as it was"),
        (Result(code=2, failed={"front": "ann has it"}, outcomes={"locked"}), Exit.ERROR, "locked, nothing was touched: front: ann has it"),
        (Result(code=2, failed={"front": "no health"}, outcomes={"rolled-back"}), Exit.ROLLED_BACK, "one step was taken back, the rest was not begun: front: no health"),
        (Result(code=2, failed={"back": "no health"}, outcomes={"held"}), Exit.HELD, "held for a person: back: no health"),
        (Result(code=4, unreachable={"back": "timed out"}), Exit.ERROR, "unreachable: back; nothing was touched. back: timed out"),
        (Result(code=4, unreachable={"back": "timed out"}, returned={"front": {"bayplan.fleet.lease": {"lease": {"plan": "p"}}}}), Exit.ERROR, "unreachable: back; no other node goes on. back: timed out. bayplan apply p --resume goes on"),
        (Result(code=2, failed={"front": "no room"}), Exit.ERROR, "not applied: front: no room"),
        (Result(code=1, output="no such file\n"), Exit.ERROR, "not applied: no such file"),
        (Result(code=STOPPED), 130, "stopped; bayplan apply p --resume goes on, bayplan rollback takes it back"),
    ],
)  # fmt: skip
def test_each_end_has_its_exit_code_and_its_sentence(result: Result, code: int, words: str) -> None:
    ended = outcome(result, "bayplan apply p")
    assert (ended.exit_code, ended.words) == (code, words)


def test_a_check_says_that_nothing_was_touched() -> None:
    assert outcome(Result(code=0, changed={"front": 3}), "", checked=True).words == "checked: nothing was touched"
