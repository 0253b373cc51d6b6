"""The story, step by step: a fleet as it is, what bayplan makes of it, and back."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lab import Lab, Size

from bayplan import pipeline
from bayplan.model import units
from bayplan.model.quantity import MEMORY
from bayplan.workspace import workspace

from . import deploy, looks, watch
from .derive import Lab as Where
from .derive import draft
from .wanted import healthy, missing, unlike, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab import Node

    from .derive import Derived
    from .looks import Look
    from .timeline import Timeline
    from .wanted import Wanted

ROOT = Path(__file__).parents[3]
BAYPLAN = Path(sys.executable).parent / "bayplan"
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "observe": ("observe", "{policy}", "--once"),
    "plan": ("plan", "{policy}"),
    "compile": ("compile", "{policy}"),
    "apply": ("apply", "{plan}", "--yes"),
    "verify": ("verify", "{plan}"),
    "rollback": ("rollback", "{plan}", "--yes"),
}
"""The whole of bayplan that the story uses, as a user types it."""
IMAGES = ("web:1", "postgres:1", "redis:1", "nginx:1")
ARCHES = {"x86_64": "amd64", "aarch64": "arm64"}
SEED = 256 * units.KIB


class StoryError(Exception):
    """The story cannot go on; the message says where it came to."""


@dataclass
class Chapter:
    """What the story found out, for the record and for tests.

    Attributes:
        derived: the policy that was played.
        left_out: what of AS-IS Compose itself could not start, and why.
        before, after, again, back: the nodes before, after apply, after the second apply, after rollback.
        levels: node → how full it was at each sample while bayplan worked.
        wanted: what the policy wanted.
        failures: check → what it found wrong; empty lists are checks that passed.
        seconds: step → how long it took.
        said: step → what bayplan printed.
        digest: the plan that was applied.
    """

    derived: Derived
    left_out: Mapping[tuple[str, str], str] = field(default_factory=dict)
    before: dict[str, Look] = field(default_factory=dict)
    after: dict[str, Look] = field(default_factory=dict)
    again: dict[str, Look] = field(default_factory=dict)
    back: dict[str, Look] = field(default_factory=dict)
    levels: dict[str, list[watch.Level]] = field(default_factory=dict)
    wanted: Wanted | None = None
    failures: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    digest: str = ""


class Story:
    """Plays a fleet on a lab that is up."""

    def __init__(self, lab: Lab, derived: Derived, work: Path, timeline: Timeline) -> None:
        self.lab, self.work, self.timeline = lab, work, timeline
        self.chapter = Chapter(derived)
        self._projects = list(derived.projects.values())
        self._policy = f"policies/{derived.folder.name}"
        self._steps = 0

    def play(self) -> Chapter:
        """Play it all."""
        hosts = self.work / "inventory" / self.chapter.derived.folder.name / "hosts.yml"
        hosts.parent.mkdir(parents=True, exist_ok=True)
        self.lab.inventory(hosts)
        self._bring_up()
        self._there()
        self._again()
        self._back()
        return self.chapter

    def _bring_up(self) -> None:
        """Deploy what runs today as a user would have."""
        derived = self.chapter.derived
        policy = pipeline.read(workspace(derived.folder))
        yielding = frozenset(
            (name.project, name.name) for name, one in policy.to_be.services.items() if one.remap_ports
        )
        today = deploy.today(self._projects, yielding)
        self.chapter.left_out = today.left_out
        sizes = {one.real_name: one.size.amount for one in policy.to_be.volumes.values() if one.size}

        def bring(node: Node) -> None:
            here = [project for project in self._projects if project.node == node.name]
            deploy.put(node, here)
            deploy.pull(node, self.lab.registry, IMAGES)
            deploy.up(node, here, today)
            deploy.seed(node, here, sizes, SEED)
            self.timeline.say("as it is: up", node.name, f"{node.docker('ps', '-q').stdout.count(chr(10))} containers")

        with self._step("as it is: up"):
            deploy.each(self.lab.nodes, bring)
            deploy.settle(self.lab.nodes)
        self.chapter.before = self._look()
        for (project, service), why in today.left_out.items():
            self.timeline.say("not all of it starts", "", f"{project}/{service}: {why}")
        self._check("everything that can run is up and well", self._as_started(today.copies))

    def _there(self) -> None:
        """Observe, plan, compile, apply, verify; the nodes are watched all the time."""
        self._bayplan("observe")
        self.chapter.digest = self._plan()
        self._bayplan("compile")
        end = self.chapter.wanted = wanted(workspace(self.chapter.derived.folder))
        with ExitStack() as stack:
            watchers = {
                node.name: stack.enter_context(watch.Watcher(node, self.timeline.begin)) for node in self.lab.nodes
            }
            self._bayplan("apply")
        self.chapter.after = self._look()
        self._bayplan("verify")
        for name, watcher in watchers.items():
            found = watch.levels(watcher.samples, end.later, end.reserves[name])
            self.chapter.levels[name] = found
            self._check(f"{name} never became fuller over its line", self._breaches(found, end.lines[name], name))
        self._check(
            "all that ran runs or rests, where the policy says",
            missing(end, looks.where(self.chapter.before), self.chapter.after),
        )
        self._check("limits in the kernel are the policy's", unlike(end, self.chapter.after))
        self._check("all that runs is well", healthy(self.chapter.after))
        self._check("every node is under its line", self._over(end))
        self._check("moved data is the same to the last byte", self._moved(end))

    def _again(self) -> None:
        """Do it all a second time: there is nothing to do."""
        self._bayplan("observe", "again")
        digest = self._plan("again")
        first, self.chapter.digest = self.chapter.digest, digest
        self._bayplan("apply", "again")
        self.chapter.digest = first
        self.chapter.again = self._look()
        old, new = looks.identities(self.chapter.after), looks.identities(self.chapter.again)
        touched = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        self._check("a second apply touches no container", touched)
        self._check("a second apply changes nothing", looks.differences(self.chapter.after, self.chapter.again))

    def _back(self) -> None:
        """Take it back: everything is as it was."""
        self._bayplan("rollback")
        self.chapter.back = self._look()
        self._check("after the rollback all is as before", looks.differences(self.chapter.before, self.chapter.back))
        self._check("after the rollback all that runs is well", healthy(self.chapter.back))

    def _plan(self, which: str = "") -> str:
        """Plan, and return the digest: the last thing that `bayplan plan` says is where the plan is."""
        return self._bayplan("plan", which).rpartition("plans/")[2].partition("/")[0]

    def _bayplan(self, verb: str, which: str = "") -> str:
        """Run one command of bayplan in the work folder and return what it said; that is kept, and can be followed."""
        self._steps += 1
        given = {"policy": self._policy, "plan": f"plans/{self.chapter.digest}"}
        words = [word.format(**given) for word in COMMANDS[verb]]
        step = f"bayplan {verb} {which}".strip()
        log = self.work / "log" / f"{self._steps:02d}-{step.replace(' ', '-')}.txt"
        log.parent.mkdir(exist_ok=True)
        with self._step(step), log.open("w", encoding="utf-8") as out:
            done = subprocess.run([BAYPLAN, *words], cwd=self.work, stdout=out, stderr=subprocess.STDOUT, check=False)
        said = self.chapter.said[step] = log.read_text(encoding="utf-8")
        if done.returncode:
            end = "\n".join(said.strip().splitlines()[-30:])
            raise StoryError(f"bayplan {' '.join(words)} ended with {done.returncode}; all it said is in {log}:\n{end}")
        return said

    def _step(self, name: str) -> _Step:
        return _Step(self, name)

    def _look(self) -> dict[str, Look]:
        return looks.look_at_all(self.lab.nodes, self._projects)

    def _check(self, name: str, found: list[str]) -> None:
        self.chapter.failures[name] = found
        self.timeline.say("check", "", f"{'ok' if not found else 'FAILED'}: {name}")
        for one in found[:20]:
            self.timeline.say("", "", f"  {one}")

    def _as_started(self, copies: Mapping[tuple[str, str], int]) -> list[str]:
        now = looks.where(self.chapter.before)
        asked = {f"{project}/{service}/{n + 1}" for (project, service), count in copies.items() for n in range(count)}
        return [*(f"{key} does not run" for key in sorted(asked - now.keys())), *healthy(self.chapter.before)]

    def _breaches(self, found: list[watch.Level], line: int, node: str) -> list[str]:
        show = units.show_bytes
        if not found:
            return [f"{node} was not seen once"]
        top, end = max(level.amount for level in found), found[-1].amount
        numbers = f"{len(found)} samples: {show(found[0].amount)} at first, {show(top)} at most, {show(end)} at last"
        self.timeline.say("memory promised", node, f"{numbers}; line {show(line)}")
        return [
            f"{after.at:.1f} s: {show(before.amount)} became {show(after.amount)}, over {show(line)}"
            for before, after in watch.breaches(found, line)
        ]

    def _over(self, end: Wanted) -> list[str]:
        found = []
        for name, levels in self.chapter.levels.items():
            if not levels or levels[-1].amount > end.lines[name]:
                found.append(f"{name}: {levels[-1].amount if levels else 'unknown'} of {end.lines[name]}")
        return found

    def _moved(self, end: Wanted) -> list[str]:
        """Compare the seeds in the volumes that changed their node."""
        found = []
        was = looks.where(self.chapter.before)
        for key, node in end.runs.items():
            if was.get(key, node) == node:
                continue
            for kind, name, _ in self.chapter.before[was[key]].containers[key]["mounts"]:
                seed = self.chapter.before[was[key]].volumes.get(name, "")
                if (
                    kind == "volume"
                    and seed
                    and name in self._carried()
                    and self.chapter.after[node].volumes.get(name) != seed
                ):
                    found.append(f"{name} of {key} is not on {node} what it was on {was[key]}")
        return found

    def _carried(self) -> set[str]:
        policy = pipeline.read(workspace(self.chapter.derived.folder))
        return {one.real_name for one in policy.to_be.volumes.values() if one.on_move == "carry"}


@dataclass
class _Step:
    """A step of the story: said when it ends, with how long it took."""

    story: Story
    name: str
    begin: float = 0.0

    def __enter__(self) -> None:
        self.begin = self.story.timeline.now()

    def __exit__(self, *ended: object) -> None:
        took = self.story.timeline.now() - self.begin
        self.story.chapter.seconds[self.name] = took
        self.story.timeline.say(self.name, "", f"{took:.1f} s{'' if ended[0] is None else ', FAILED'}")


def play(
    fleet: str, work: Path, timeline: Timeline, *, services: int = 0, env: str | None = None, keep: bool = False
) -> Chapter:
    """Play a fleet from nothing to nothing, on a lab of its own.

    Args:
        fleet: its name under policies/.
        work: the folder for the policy, inventory, compiled files, plans and logs.
        timeline: hears what happens.
        services: how many services to play; 0 plays all.
        env: which environment, where there are several.
        keep: leave the lab up.
    """
    arch = ARCHES[os.uname().machine]
    folder = ROOT / "policies" / fleet
    made = draft(folder, work, env=env, services=services)
    sizes = {name: Size(memory=max(amounts[MEMORY], LEAST_NODE)) for name, amounts in made.sizes.items()}
    timeline.say("derived", "", f"{len(made.names)} services")
    lab = Lab(f"demo-{fleet[:18]}-{os.getpid()}", sorted(sizes), sizes)
    lab.up()
    try:
        timeline.say("lab up", "", ", ".join(f"{name} {units.show_bytes(size.memory)}" for name, size in sizes.items()))
        where = Where(lab.registry, arch, {node.name: node.address for node in lab.nodes})
        derived = made.at(where)
        for note in derived.notes:
            timeline.say("note", "", note)
        return Story(lab, derived, work, timeline).play()
    finally:
        if keep:
            timeline.say("lab stays up", "", lab.name)
        else:
            lab.close()
            timeline.say("lab down")


LEAST_NODE = units.GIB
"""A machine smaller than this runs no engine; what it promises to services may be less."""
