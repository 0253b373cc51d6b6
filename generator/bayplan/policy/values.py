"""Policy text to quantities; what cannot be read is a finding at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.finding import Finding, error
from bayplan.model import units
from bayplan.model.fleet import Share
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY, SWAP, Origin, Quantity

if TYPE_CHECKING:
    from bayplan.source import Node

_MEMORIES = frozenset({MEMORY, SWAP, GPU_MEMORY})


class Findings(list[Finding]):
    """The findings of one reading, gathered as it goes on: reading never stops at the first."""

    def say(self, rule: str, node: Node, subject: str, message: str, remedy: str = "") -> None:
        """Add an error at the place of a node."""
        self.append(error(rule, node.place, subject, message, remedy))


def amount_of(resource: str, node: Node) -> int:
    """Return the amount that a scalar says, in the unit of the resource.

    Raises:
        UnitError: if it says none.
    """
    written = node.text or node.value
    if resource in _MEMORIES:
        return units.policy_memory(written)
    if resource == CPUS:
        return units.cpus(written)
    if resource.startswith(DISK):
        return units.policy_disk(written)
    return _count(node)


def _count(node: Node) -> int:
    if isinstance(node.value, bool) or not isinstance(node.value, int) or node.value < 0:
        msg = f"'{node.string}' is not a whole number"
        raise units.UnitError(msg)
    return node.value


def quantity(
    findings: Findings,
    subject: str,
    resource: str,
    node: Node,
    *,
    origin: Origin = Origin.DECLARED,
    source: str = "policy",
    why: str = "",
) -> Quantity | None:
    """Return the quantity that a scalar says, or None with a finding."""
    try:
        amount = amount_of(resource, node)
    except units.UnitError as fault:
        findings.say("units/unreadable", node, f"{subject}.{resource}", str(fault))
        return None
    return Quantity(amount, origin, node.place, source, why)


def share_of(findings: Findings, subject: str, node: Node) -> Share | None:
    """Return the share that a scalar says, or None with a finding."""
    try:
        return Share(units.share(node.string), node.place)
    except units.UnitError as fault:
        findings.say("units/unreadable", node, subject, str(fault))
        return None


def whole_number(node: Node | None, default: int) -> int:
    """Return a whole number, or the default where there is none (the schema has named what is no number)."""
    if node is None or isinstance(node.value, bool) or not isinstance(node.value, int):
        return default
    return node.value


def words(node: Node | None) -> tuple[str, ...]:
    """Return a list of words; one word counts as a list of one."""
    if node is None or node.value is None:
        return ()
    if node.is_list:
        return tuple(child.string for child in node if not child.is_map and not child.is_list)
    return () if node.is_map else (node.string,)


def word(node: Node | None, default: str = "") -> str:
    """Return a word, or the default where there is none."""
    return default if node is None or node.value is None or node.is_map or node.is_list else node.string
