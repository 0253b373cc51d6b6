"""The lab from a shell: `python -m lab up --name NAME NODE…`, then `ssh`, `status`, `down`, `engine stop`, `engine clean`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from . import Lab, LabError, Size, images
from . import engine as engines
from .network import labs

if TYPE_CHECKING:
    from collections.abc import Callable


def arguments() -> argparse.ArgumentParser:
    """Return what the command line takes."""
    parser = argparse.ArgumentParser(prog="python -m lab", description="A test fleet of real nodes on this machine.")
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, help_: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=help_)
        one.add_argument("--name", default="lab", help="the lab (%(default)s)")
        return one

    starting = verb("up", "start a lab and say how its nodes are reached")
    starting.add_argument("nodes", nargs="+", metavar="NODE")
    starting.add_argument("--memory", type=float, default=4, help="GiB a node has (%(default)s)")
    starting.add_argument("--cpus", type=float, default=0, help="cores' worth of time a node has (all)")
    inside = verb("ssh", "run a command on a node")
    inside.add_argument("node")
    inside.add_argument("command", nargs=argparse.REMAINDER)
    verb("add", "start another node").add_argument("nodes", nargs="+", metavar="NODE")
    verb("inventory", "write an Ansible inventory").add_argument("file")
    verb("down", "remove a lab")
    verb("status", "say which labs are up")
    verb("engine", "start or stop the engine below all labs, or clean it of what older recipes left").add_argument(
        "what", choices=["start", "stop", "clean"]
    )
    return parser


def up(asked: argparse.Namespace) -> None:
    """Start a lab and say how its nodes are reached."""
    size = Size(memory=int(asked.memory * (1 << 30)), cpus=asked.cpus)
    lab = Lab(asked.name, asked.nodes, dict.fromkeys(asked.nodes, size))
    lab.up()
    show(lab)


def show(lab: Lab) -> None:
    """Say what a lab consists of."""
    nodes = " ".join(f"{node.name}={node.address}" for node in lab.nodes)
    say(f"{lab.name}: {nodes} registry={lab.registry}\n  ssh -F {lab.ssh_config} NODE")


def ssh(asked: argparse.Namespace) -> None:
    """Become ssh to a node."""
    node = Lab.open(asked.name).node(asked.node)
    os.execvp("ssh", ["ssh", "-F", str(node.ssh_config), node.name, *asked.command])  # noqa: S606 - the caller's command


def add(asked: argparse.Namespace) -> None:
    """Start more nodes."""
    lab = Lab.open(asked.name)
    for name in asked.nodes:
        lab.add(name)
    show(lab)


def status(_: argparse.Namespace) -> None:
    """Say which labs are up, without starting anything for it."""
    found = engines.present() or engines.ours()
    if not found.version():
        say("no engine runs")
        return
    say(f"engine {found.host}")
    for name in labs(found):
        show(Lab.open(name))


def engine(asked: argparse.Namespace) -> None:
    """Start, clean or stop the engine."""
    if asked.what == "start":
        say(engines.ensure().host)
    elif asked.what == "clean":
        images.clean(engines.ensure())
    else:
        say("stopped" if engines.stop() else "no engine of ours runs")


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


VERBS: dict[str, Callable[[argparse.Namespace], object]] = {
    "up": up,
    "ssh": ssh,
    "add": add,
    "inventory": lambda asked: Lab.open(asked.name).inventory(asked.file),
    "down": lambda asked: Lab.open(asked.name).close(),
    "status": status,
    "engine": engine,
}


def main() -> int:
    """Do what is asked for; what cannot be done is a sentence and a failure."""
    asked = arguments().parse_args()
    try:
        VERBS[asked.verb](asked)
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
