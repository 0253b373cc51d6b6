"""A claim at its moment, with all that is needed to say whether it is right, and why not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.check.meant import meant
from bayplan.check.measure import Claimed, Truth, claimed, natural, scalar, services, shown
from bayplan.check.moment import AS_IS, TO_BE, Moment
from bayplan.finding import Finding, error
from bayplan.model import units
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bayplan.check.subject import Claim
    from bayplan.check.truth import Scene
    from bayplan.model.fleet import Fleet

_BOUND = re.compile(r"<=|>=|<|>")


@dataclass(frozen=True, slots=True)
class Case:
    """One claim.

    Attributes:
        claim: it.
        scene: of whom it speaks, when, and how copies are counted.
        claims: all claims of the policy, itself among them.
        moments: today, after each stage, in the end.
    """

    claim: Claim
    scene: Scene
    claims: Sequence[Claim]
    moments: Mapping[str, Moment]

    @property
    def policy(self) -> Fleet:
        """Return the fleet that says who belongs to which tier and pool."""
        return self.moments.get(TO_BE, self.scene.moment).fleet

    @property
    def before(self) -> Moment:
        """Return what stands today."""
        return self.moments[AS_IS]

    def wrong(
        self,
        node: Node,
        what: str,
        but: str,
        arithmetic: str,
        write: str,
        *,
        rule: str = "claims/wrong",
        remedy: str = "",
    ) -> Finding:
        """Return the finding that something claimed at a node does not hold, with what would be right there."""
        message = f"claims {what} {self.claim.when}, but {but}{self.claim.quote}"
        remedy = f"write {write}, {remedy or 'or change what makes it so'}"
        return error(rule, node.place, self.claim.of, message, remedy, arithmetic=arithmetic, write=write)

    def read(self, node: Node, kind: str, truth: Truth) -> Claimed | Finding:
        """Return what a value says, or the finding that it says nothing of its kind, with what would be right."""
        try:
            return claimed(node, kind)
        except units.UnitError as fault:
            message = str(fault).partition("; write")[0]  # what it is says more than how it could be read
            write = _readable(node, kind, truth)
            return error("claims/unreadable", node.place, self.claim.of, message, write=write)


def _readable(node: Node, kind: str, truth: Truth) -> str:
    """Return what a claim that cannot be read was meant to say if that is right, else what is right, in its form."""
    text = meant(node.string, kind)
    try:
        said = claimed(Node(text, node.place), kind)
    except units.UnitError:
        found = _BOUND.match(node.string)
        sign = found[0] if found else ""
        return scalar(f"{sign} {natural(kind, truth, sign)}".strip())
    return scalar(text) if said.holds(truth) else said.right(truth)


def but(said: Claimed, truth: Truth) -> str:
    """Return what is true, in a few words."""
    many = f" of {services(truth.services)}" if said.services is not None else ""
    return f"it is {said.told_apart(truth)}{many}"


def arithmetic(kind: str, said: Claimed, truth: Truth) -> str:
    """Return the sum behind a truth; as a percentage, with what it is divided by."""
    if not said.is_share or not truth.whole:
        return truth.words
    parts = (
        f"{units.show(kind, int(truth.amount))} / {units.show(kind, truth.whole)} = {shown(kind, truth, share=True)}"
    )
    return f"{truth.words}; {parts}" if "=" in truth.words else parts
