"""Ask bayplan about broken inputs, one after the other, and print what it did not bear; see `test_inputs.py`.

    python asked.py SEED COUNT

Each input is read and checked as `bayplan check` does it; its findings are written in one of the forms. A process of its
own, so that its memory is the inputs' alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from mutate import corpus, mutated

from bayplan import checkup, pipeline
from bayplan.cli.options import folders
from bayplan.cli.reports import FORMS, written
from bayplan.errors import BayplanError
from bayplan.finding import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

SECONDS, BYTES = 2.0, 500 * 10**6
"""What one input may take: of the processor, and of memory with the program itself in it."""
HOPELESS = 5 * SECONDS
TRIES = 3
"""How often a slow one is asked: others on the machine only ever add time, so the least is nearest to its own."""


def main() -> None:
    """Ask about as many inputs as are wanted; print a line for each bad one, then the counts."""
    dice, many = random.Random(f"inputs {sys.argv[1]}"), int(sys.argv[2])
    signal.signal(signal.SIGVTALRM, _stop)
    known = corpus()
    refused, slowest, largest = 0, 0.0, 0
    for _ in range(many):
        files = mutated(dice.choice(known), known, dice)
        form = dice.choice([form for form in FORMS if form != "text"])
        _forget()
        start = time.process_time()
        fault = ""
        try:
            refused += _asked(files, form)
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            fault = traceback.format_exc()
        took, used = time.process_time() - start, _most()
        if not fault:
            took = _least(took, files, form)
        slowest, largest = max(slowest, took), max(largest, used)
        if fault or took > SECONDS or used > BYTES:
            texts = {name: data[:4000].decode(errors="replace") for name, data in files.items()}
            _tell({"fault": fault[-2500:], "seconds": took, "bytes": used, "files": texts})
    _tell({"asked": many, "refused": refused, "slowest": slowest, "largest": largest})


def _least(took: float, files: Mapping[str, bytes], form: str) -> float:
    """Return the least time of an input that took `took` seconds; see TRIES."""
    for _ in range(TRIES - 1):
        if took <= SECONDS:
            break
        start = time.process_time()
        _asked(files, form)
        took = min(took, time.process_time() - start)
    return took


def _tell(facts: Mapping[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(facts)}\n")


def _asked(files: Mapping[str, bytes], form: str) -> bool:
    """Check a policy; return whether it was refused."""
    with tempfile.TemporaryDirectory() as made, contextlib.chdir(made):
        for name, data in files.items():
            path = Path("policies/shop", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        signal.setitimer(signal.ITIMER_VIRTUAL, HOPELESS)
        try:
            space = folders(Path("policies/shop"), None, None)
            found = pipeline.read(space, None)
            broken = any(finding.is_error for finding in found.findings)
            findings = in_order(found.findings if broken else checkup.check(space, found, strict=True))
            assert all(finding.message and finding.place.file for finding in findings)
            assert written(form, found, findings)
        except BayplanError:
            return True
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        return broken


def _stop(_: int, __: FrameType | None) -> None:
    raise TimeoutError(f"not done after {HOPELESS:g} s of the processor")


def _forget() -> None:
    """Have the kernel measure the most memory anew (proc(5), `clear_refs`)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _most() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    os.umask(0o077)
    main()
