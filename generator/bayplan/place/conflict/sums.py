"""A conflict in words and numbers: who asks what of whom, and by how much it is too much."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.model.quantity import MEMORY
from bayplan.model.units import show, show_bytes, show_cpus, show_gib
from bayplan.place.constraints.lines import GPU, show_ask
from bayplan.place.constraints.problem import same_disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.model.fleet import Node
    from bayplan.place.constraints.bill import Bill
    from bayplan.place.constraints.lines import PolicyLine
    from bayplan.place.constraints.problem import Problem

_TERMS = 10
"""How many terms a sum shows one by one."""
_NAMED = 4
"""How many names a sentence bears; more become a number."""
_DIVIDED = "cannot be divided into"


def message(lines: tuple[PolicyLine, ...]) -> str:
    """Return one sentence: who does not fit where, or which lines exclude each other."""
    asked = [line for line in lines if line.kind == "demand"]
    nodes = sorted({line.subject for line in lines if line.kind in {"capacity", "gpus"}})
    if asked and nodes:
        what = " and ".join(
            sorted({"cards" if line.detail == GPU else line.detail.removesuffix(":") for line in asked})
        )
        verb = "does" if len(asked) == 1 else "do"
        return f"{_names(line.subject for line in asked)} {verb} not fit on {_names(nodes)}: {what}"
    subjects = list(dict.fromkeys(line.subject for line in lines))
    if len(lines) == 1:
        return f"one line about {_names(subjects)} leaves no place"
    return f"{len(lines)} lines about {_names(subjects)} exclude each other"


def _names(some: Iterable[str]) -> str:
    names = list(dict.fromkeys(some))
    return ", ".join(names) if len(names) <= _NAMED else f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def arithmetic(problem: Problem, lines: tuple[PolicyLine, ...]) -> str:
    """Return the sums behind a conflict, one for each resource that is too small."""
    keys = {line.key for line in lines}
    alone = problem.without(line.key for line in problem.all_lines() if line.key not in keys)
    capacities = [line for line in lines if line.kind == "capacity"]
    parts = [
        _sum(alone, [line.subject for line in capacities if line.detail == resource], resource)
        for resource in sorted({line.detail for line in capacities})
    ]
    if any(_DIVIDED in part for part in parts):
        parts += _ties(lines)
    parts += _card_sums(alone, lines)
    if not parts:
        parts = ["; ".join(line.words for line in lines)]
    return "; ".join([*parts, *_totals(problem, sorted({line.detail for line in capacities}))])


def _ties(lines: Iterable[PolicyLine]) -> list[str]:
    """Return why amounts cannot be divided though there is room for each: who has to stand with whom, or where."""
    words = [line.words for line in lines if line.kind not in {"demand", "capacity", "gpus"}]
    more = [f"{len(words) - _NAMED} more"] if len(words) > _NAMED else []
    return ["held by " + " and ".join([*words[:_NAMED], *more])] if words else []


def _sum(alone: Problem, names: list[str], resource: str) -> str:
    nodes = [node for node in alone.nodes if node.name in names]
    bill = alone.bill(nodes[0], resource)
    amounts = _amounts(alone, bill)
    left = _left(resource, amounts)
    total = sum(amounts)
    if len(nodes) == 1:
        return f"{left}{_unit(resource)}{_reserve(nodes[0], resource)} > {_line(nodes[0], resource)}"
    rooms = [node.room(resource) for node in nodes]
    right = " + ".join(_plain(resource, room) for room in rooms)
    sign = ">" if total > sum(rooms) else _DIVIDED
    return f"{left}{_unit(resource)} {sign} {right}{_unit(resource)} of room ({', '.join(names)})"


def _left(resource: str, amounts: list[int]) -> str:
    """Return `8 + 8 + 18`, or if that is long `14 x 0.5 + 4 x 3 + 20 smaller ones of 7.8 in all`."""
    if len(amounts) <= _TERMS:
        return " + ".join(_plain(resource, amount) for amount in sorted(amounts)) or "0"
    times = sorted(Counter(amounts).items(), reverse=True)
    large, small = times[:_TERMS], times[_TERMS:]
    parts = [
        f"{number} x {_plain(resource, amount)}" if number > 1 else _plain(resource, amount) for amount, number in large
    ]
    if small:
        rest = sum(amount * number for amount, number in small)
        parts.append(f"{sum(number for _, number in small)} smaller ones of {_plain(resource, rest)} in all")
    return f"{' + '.join(parts)} = {_plain(resource, sum(amounts))}"


def _amounts(alone: Problem, bill: Bill) -> list[int]:
    """Return the charges of a bill, copy by copy; a pool on demand and a volume count once."""
    copies = {service.name: service.replicas.count for service in alone.services}
    plain = [amount for name, amount in bill.plain for _ in range(copies[name])]
    pools = [one.charged(lambda name: copies.get(name, 0)) for one in bill.pools]
    return plain + pools + [one.charged(lambda name: copies.get(name, 0)) for one in bill.volumes]


def _plain(resource: str, amount: int) -> str:
    if resource == MEMORY or resource.startswith("disk:"):
        return show_gib(amount)
    return show_cpus(amount) if resource == "cpus" else str(amount)


def _unit(resource: str) -> str:
    if resource == MEMORY or resource.startswith("disk:"):
        return " GiB"
    return " CPU" if resource == "cpus" else f" {resource}"


def _reserve(node: Node, resource: str) -> str:
    kept = node.reserved(resource)
    return f" + reserve {_plain(resource, kept)}" if kept else ""


def _line(node: Node, resource: str) -> str:
    share, whole = node.ceilings.get(resource), _plain(resource, node.has(resource))
    limit = f"{_plain(resource, node.line(resource))}{_unit(resource)}"
    percent = f" = {float(share.value * 100):g} % of {whole}" if share and share.value != 1 else ""
    return f"{limit}{percent} ({node.name})"


def _card_sums(alone: Problem, lines: tuple[PolicyLine, ...]) -> Iterator[str]:
    nodes = [node for node in alone.nodes if any(line.kind == "gpus" and line.subject == node.name for line in lines)]
    asking = [(one, ask) for one in alone.services if (ask := alone.ask(one))]
    if nodes and asking:
        times = [(f"{one.replicas.count} x " if one.replicas.count > 1 else "") + show_ask(ask) for one, ask in asking]
        rooms = [f"{node.name} {_cards(node)}" for node in nodes]
        yield f"{' + '.join(times)} cannot be given by {', '.join(rooms)}"


def _cards(node: Node) -> str:
    shown = [
        f"{len(one.cards)} x {'+'.join(sorted(Counter(one.slices).elements())) if one.slices else _vram(one)}"
        for one in cards.groups(node)
    ]
    return " and ".join(shown) or "without cards"


def _vram(group: cards.Group) -> str:
    return f"{show_bytes(group.room)} of {show_bytes(group.sample.memory)}"


def _totals(problem: Problem, resources: list[str]) -> Iterator[str]:
    """Yield the plain totals of a resource of which the whole fleet has too little."""
    for resource in resources:
        asked = sum(sum(_amounts(problem, problem.bill(node, resource))) for node in problem.nodes[:1])
        there = sum(node.room(resource) for node in problem.nodes)
        if asked > there and same_disk(problem.nodes, resource):
            yield f"in all {show(resource, asked)} asked, {show(resource, there)} there"
