"""Cards as places: which cards of a node suit an ask, and how much room each has."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.model.quantity import GPU_MEMORY
from bayplan.model.units import UnitError, policy_memory, show_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Gpu, Node
    from bayplan.model.service import GpuAsk

_CONDITION = re.compile(r"\s*(>=|<=|==|!=|=|>|<)?\s*(.*?)\s*")


@dataclass(frozen=True, slots=True)
class Group:
    """Cards of one node that are alike, so that only their number matters.

    Attributes:
        node: the node's name.
        cards: their indices, ascending.
        sample: one of them.
        room: bytes of VRAM that services may share on each: the ceiling's share minus the reserve.
        spare: whether nothing is reserved on them, so that a service may have one whole.
        slices: MIG profile → number on each card; empty if the cards are not cut.
    """

    node: str
    cards: tuple[int, ...]
    sample: Gpu
    room: int
    spare: bool
    slices: Mapping[str, int] = field(default_factory=dict)


def groups(node: Node, *, single: bool = False) -> tuple[Group, ...]:
    """Return the cards of a node, grouped by what they are; `single` puts each into a group of its own."""
    alike: dict[tuple[object, ...], list[Gpu]] = {}
    for position, card in enumerate(sorted(node.gpus, key=lambda one: one.index)):
        looks = (card.model, card.memory, card.mig, tuple(sorted(card.labels.items())), position == 0 and reserve(node))
        alike.setdefault((*looks, card.index if single else None), []).append(card)
    return tuple(_group(node, cards) for cards in alike.values())


def _group(node: Node, cards: list[Gpu]) -> Group:
    first = cards[0]
    kept = reserve(node) if is_first(node, first.index) else 0
    indices = tuple(card.index for card in cards)
    return Group(node.name, indices, first, room(node, first), not kept, Counter(first.mig))


def is_first(node: Node, index: int) -> bool:
    """Whether a card is the first of its node: the one that the reserve of VRAM stands on."""
    return index == min(card.index for card in node.gpus)


def reserve(node: Node) -> int:
    """Return the bytes of VRAM that are kept on the first card of a node."""
    return node.reserved(GPU_MEMORY)


def line(node: Node, card: Gpu) -> int:
    """Return the bytes of VRAM on a card that charges and reserve may fill together."""
    share = node.ceilings.get(GPU_MEMORY)
    return share.of(card.memory) if share else card.memory


def room(node: Node, card: Gpu) -> int:
    """Return the bytes of VRAM that services may share on a card."""
    kept = reserve(node) if is_first(node, card.index) else 0
    return max(0, line(node, card) - kept)


def unsuited(ask: GpuAsk, group: Group) -> str:
    """Return why a card of the group can never serve the ask, or the empty string."""
    if ask.profile and not group.slices.get(ask.profile):
        return f"no slice {ask.profile}"
    if not ask.profile and group.slices:
        return "the card is cut into slices"
    if ask.count and not group.spare:
        return "VRAM of the card is reserved"
    if ask.memory > group.room:
        return f"{show_bytes(ask.memory)} of VRAM > {show_bytes(group.room)} of room"
    return next(
        (
            f"needs {key} {wanted}"
            for key, wanted in sorted(ask.require.items())
            if not _meets(group.sample, key, wanted)
        ),
        "",
    )


def cards_needed(ask: GpuAsk) -> int:
    """Return how many different cards one copy must find on its node."""
    return max(1, ask.count, 0 if ask.memory or ask.profile or ask.count else ask.access)


def whole(ask: GpuAsk, node: Node) -> int:
    """Return how many whole cards of a node suit an ask, whoever has them."""
    return sum(len(group.cards) for group in groups(node) if not unsuited(ask, group))


def copies(ask: GpuAsk, node: Node) -> int:
    """Return how many copies with such an ask the cards of a node could serve if nobody else had any of them."""
    fitting = [group for group in groups(node) if not unsuited(ask, group)]
    if ask.profile:
        return sum(group.slices[ask.profile] * len(group.cards) for group in fitting)
    if ask.memory:
        return sum(group.room // ask.memory * len(group.cards) for group in fitting)
    return sum(len(group.cards) for group in fitting) // cards_needed(ask)


def slice_size(profile: str) -> int:
    """Return the GiB of VRAM of a MIG slice: 10 of `1g.10gb`; 0 if its name does not say."""
    found = re.search(r"\.(\d+)gb", profile, re.IGNORECASE)
    return int(found[1]) if found else 0


def missing(ask: GpuAsk, node: Node) -> str:
    """Return why a node could not serve the ask even if it were empty, or the empty string."""
    if not node.gpus:
        return "has no card"
    reasons = [(unsuited(ask, group), group) for group in groups(node)]
    fitting = sum(len(group.cards) for reason, group in reasons if not reason)
    if fitting >= cards_needed(ask):
        return ""
    if fitting:
        return f"has {fitting} of {cards_needed(ask)} cards that suit"
    return "no card suits: " + "; ".join(sorted({reason for reason, _ in reasons}))


def _meets(card: Gpu, key: str, wanted: str) -> bool:
    matched = _CONDITION.fullmatch(wanted)
    sign, text = (matched.group(1) or "=", matched.group(2)) if matched else ("=", wanted)
    if key == "memory":
        return _compare(card.memory, sign, _bytes(text))
    has = card.model if key == "model" else card.labels.get(key, "")
    if _version(has) and _version(text):
        return _compare(_version(has), sign, _version(text))
    return (has.casefold() != text.casefold()) if sign == "!=" else has.casefold() == text.casefold()


def _bytes(text: str) -> int:
    try:
        return policy_memory(text)
    except UnitError:
        return int(text) if text.isdigit() else -1


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")) if re.fullmatch(r"\d+(\.\d+)*", text) else ()


def _compare(has: int | tuple[int, ...], sign: str, wanted: int | tuple[int, ...]) -> bool:
    # Both are numbers or both are versions; mypy cannot see that.
    less, equal = has < wanted, has == wanted  # type: ignore[operator]
    answers = {">=": not less, "<=": less or equal, ">": not less and not equal, "<": less, "!=": not equal}
    return answers.get(sign, equal)
