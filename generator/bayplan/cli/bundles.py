"""The plan that a command means: a folder, a digest, or a policy that is planned now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayplan import pipeline
from bayplan.cli.options import folders
from bayplan.errors import UsageError, ViolatedError
from bayplan.rollout.bundle import ROLLOUT, read_bundle

if TYPE_CHECKING:
    from bayplan.rollout.bundle import Bundle


def find(plan: Path, env: str | None) -> Bundle:
    """Return the plan that is meant: a folder, a digest below plans/, or a policy, which is planned now.

    Raises:
        UsageError: if it is none of these.
        ViolatedError: if the policy cannot hold.
    """
    for folder in (plan, Path("plans") / plan):
        if (folder / ROLLOUT).is_file():
            return read_bundle(folder)
    if not plan.exists():
        raise UsageError(f"{plan} is neither a plan nor a policy; bayplan plan POLICY makes a plan")
    space = folders(plan, None, None)
    made = pipeline.plan(space, pipeline.read(space, env))
    if not made.holds:
        raise ViolatedError(f"{plan} does not hold; bayplan plan {plan} says why", made.findings)
    return read_bundle(pipeline.save(space, made))
