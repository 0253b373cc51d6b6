"""How long `bayplan check` takes for a big fleet, and for one of twice the size.

    python bench/check.py --services 10000 --nodes 500 --shape flat

Each figure is that of a fresh process on one core. `ratio` compares a row with the one before it, of half the size. The
peer loads the same files with PyYAML and asks jsonschema about the policy: the least that checking one can take.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shapes import ENVIRONMENTS, SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KIB, MIB = 2**10, 2**20

PEER = """
import sys
from pathlib import Path
import jsonschema, yaml
from bayplan.policy.validate import schema_text
loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
policy = {}
for file in sorted(Path(sys.argv[1]).rglob("*.yml")):
    data = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)
    if file.parent == Path(sys.argv[1]):
        policy.update(data)
validator = jsonschema.Draft202012Validator(yaml.load(schema_text(), Loader=loader))
sys.exit(any(True for _ in validator.iter_errors(policy)))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took: seconds on the clock, the most memory in bytes; and its exit code."""

    seconds: float
    memory: int
    code: int


def run(command: Sequence[str]) -> Run:
    """Run a program in a fresh process on one core."""
    core = {max(os.sched_getaffinity(0))}
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own programs
        command,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, core),  # noqa: PLW1509 - there is one thread here
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(seconds, used.ru_maxrss * KIB, process.returncode)


def written(folder: Path, shape: str, services: int, nodes: int) -> Path:
    """Write a policy of a shape and a size into a folder of its own, and return that."""
    root = folder / f"{shape}-{services}"
    for name, text in SHAPES[shape](services, nodes).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def rows(options: argparse.Namespace, folder: Path) -> Iterator[str]:
    """Yield the lines of the table, each as soon as it is known."""
    yield f"{'':22} {'services':>8} {'nodes':>6} {'seconds':>8} {'MiB':>6} {'ratio':>6}"
    sizes = [(options.services * times, options.nodes * times) for times in (1, 2)]
    policies = [written(folder, options.shape, *size) for size in sizes]
    environment = ENVIRONMENTS.get(options.shape)
    check = [sys.executable, "-m", "bayplan", "check", *(["--env", environment] if environment else [])]
    for name, command in (("bayplan check", check), ("PyYAML and jsonschema", [sys.executable, "-c", PEER])):
        before = None
        for (services, nodes), policy in zip(sizes, policies, strict=True):
            took = run([*command, str(policy)])
            ratio = f"{took.seconds / before.seconds:6.2f}" if before else " " * 6
            failed = f"  exit code {took.code}" if took.code else ""
            figures = f"{services:8} {nodes:6} {took.seconds:8.1f} {took.memory / MIB:6.0f} {ratio}"
            yield f"{name:22} {figures}{failed}".rstrip()
            before = took


def main() -> None:
    """Measure, and print the table."""
    about, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--services", type=int, default=10_000, help="services of the smaller fleet (10000)")
    parser.add_argument("--nodes", type=int, default=500, help="nodes of the smaller fleet (500)")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="flat", help="what the policy is like (flat)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bayplan-bench-") as folder:
        for row in rows(options, Path(folder)):
            print(row, flush=True)


if __name__ == "__main__":
    main()
