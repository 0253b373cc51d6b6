"""Policy text to quantities; what cannot be read is a finding at its place."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.finding import Finding, error
from bayplan.model import units
from bayplan.model.fleet import Share
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY, SWAP, Origin, Quantity

if TYPE_CHECKING:
    from bayplan.source import Node

HIGHEST_FACTOR = 1000
"""The highest factor that an environment or a tier has; the schema says it too."""
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
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        msg = f"'{node.string}' is not a whole number"
        raise units.UnitError(msg)
    return units.pieces(node.value)


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
    """Return the quantity that a scalar says, or None with a finding; the schema has named what is no scalar."""
    if node.is_map or node.is_list or isinstance(node.value, bool):
        return None
    try:
        amount = amount_of(resource, node)
    except units.UnitError as fault:
        findings.say("units/unreadable", node, f"{subject}.{resource}", str(fault), _example(resource))
        return None
    return Quantity(amount, origin, node.place, source, why)


def _example(resource: str) -> str:
    if resource in _MEMORIES:
        return "write it as 4GiB or 512MiB"
    if resource == CPUS:
        return "write it as 0.5 or 500m"
    return "write it as 40GB or 1TiB" if resource.startswith(DISK) else "write a whole number"


def share_of(findings: Findings, subject: str, node: Node) -> Share | None:
    """Return the share that a scalar says, or None with a finding."""
    try:
        return Share(units.share(node.string), node.place)
    except units.UnitError as fault:
        findings.say("units/unreadable", node, subject, str(fault), "a share goes from 0% to 100%")
        return None


def whole_number(node: Node | None, default: int, most: int = units.MOST_PIECES) -> int:
    """Return a whole number, also one that is written as 4.0, or the default where there is none.

    The schema has named what is no number, and what is out of bounds.
    """
    value = None if node is None or isinstance(node.value, bool) else node.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and abs(value) <= most else default


def factor(node: Node) -> Fraction | None:
    """Return a factor above 0, exactly as it is written; None where there is none (the schema has named it)."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= HIGHEST_FACTOR:
        return None
    return Fraction(node.text or str(value))


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
