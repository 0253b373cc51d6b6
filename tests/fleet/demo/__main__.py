"""`python -m demo --fleet bev`: the whole story of a fleet on real nodes, from nothing to nothing."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from lab import engine
from lab.process import LabError

from bayplan.errors import BayplanError

from .record import markdown
from .story import ROOT, StoryError, play
from .timeline import Timeline


def main() -> int:
    """Play it and return 0 if every check held."""
    asked = _arguments()
    reason = engine.why_not()
    if reason:
        return _end(2, f"The demo needs nodes, and no fleet can run here: {reason}.")
    work = Path(asked.work or tempfile.mkdtemp(prefix=f"bayplan-demo-{asked.fleet}-"))
    work.mkdir(parents=True, exist_ok=True)
    timeline = Timeline(sys.stdout)
    try:
        chapter = play(asked.fleet, work, timeline, services=asked.services, env=asked.env, keep=asked.keep)
    except (StoryError, BayplanError, LabError) as error:
        return _end(1, f"{error}\nThe policy, plans and logs are in {work}.")
    failed = [name for name, found in chapter.failures.items() if found]
    if asked.record:
        file = ROOT / "docs" / f"demo-{asked.fleet}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(markdown(asked.fleet, chapter, timeline), encoding="utf-8")
        timeline.say("recorded", "", str(file.relative_to(ROOT)))
    if failed:
        return _end(3, f"{len(failed)} of {len(chapter.failures)} checks failed; policy, plans and logs are in {work}")
    if not (asked.keep or asked.work):
        shutil.rmtree(work)
    return _end(0, f"{len(chapter.failures)} checks held, {timeline.now():.0f} s")


def _end(code: int, words: str) -> int:
    (sys.stderr if code else sys.stdout).write(f"{words}\n")
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--fleet", default="bev", help="a folder under policies/ [bev]")
    parser.add_argument("--env", help="its environment, where it has several")
    parser.add_argument("--services", type=int, default=0, metavar="N", help="a smaller story with at least N services")
    parser.add_argument("--keep", action="store_true", help="leave the nodes up")
    parser.add_argument("--record", action="store_true", help="write docs/demo-FLEET.md")
    parser.add_argument("--work", help="the folder for policy, plans and logs [a temporary one]")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
