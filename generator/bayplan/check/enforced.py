"""The lines of a policy beside the table of what holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from bayplan.check.enforcement import TABLE, By, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.finding import Place
    from bayplan.model.service import Service
    from bayplan.source import Node


def row_of(key: str) -> Row | None:
    """Return the row that speaks of a key of the policy: the longest path that fits, a plain name before `*`."""
    at: tuple[_Branch, ...] = (_ROOT,)
    row = None
    for part in key.split("."):
        at = tuple(child for branch in at for child in branch.below(part))
        row = next((branch.row for branch in at if branch.row is not None), row)
    return row


def rows_in(document: Node, environment: str, services: Iterable[Service] = ()) -> Iterator[tuple[Row, list[Place]]]:
    """Yield the rows that a policy has lines of, in the order of the table, each with the places of those lines.

    What an environment says is said of the policy, what fills the gaps of services is said of services, and so is what
    their Compose files say. A row that a longer one speaks for is left out there.

    Args:
        document: the policy.
        environment: which one.
        services: those whose Compose files count as well.
    """
    found: dict[Row, list[Place]] = {}
    environments = document.get("environments")
    of_services = _below(_below((_ROOT,), "services"), "*")
    for tree in (document, environments and environments.get(environment)):
        if tree is None:
            continue
        _look(tree, (_ROOT,), found)
        sections = [section for key in ("tiers", "pools") if (section := tree.get(key)) is not None]
        groups = [group for section in sections for _, group in section.items()]
        for one in (tree, *groups):
            if (defaults := one.get("defaults")) is not None:
                _look(defaults, of_services, found)
    for service in services:
        if service.tree is not None:
            _look(service.tree, _below(of_services, "compose"), found)
    for row in TABLE:
        if row in found:
            yield row, list(dict.fromkeys(found[row]))


def _look(node: Node, at: tuple[_Branch, ...], found: dict[Row, list[Place]]) -> None:
    names = _names(at)
    for key, child in node.items():
        if key == "why" or child.value is None or key.startswith("x-"):
            continue
        deeper = _below(at, key if key in names else "*")
        row = _row(deeper)
        if row is not None and not _spoken_for(child, deeper):
            found.setdefault(row, []).append(child.here)
        if child.is_map and _names(deeper):
            _look(child, deeper, found)
        elif child.is_list:
            items = _below(deeper, "[]")
            for item in child:
                _look(item, items, found)


def _spoken_for(node: Node, at: tuple[_Branch, ...]) -> bool:
    """Whether longer rows speak for all that a map says."""
    keys = [key for key, _ in node.items() if key != "why" and not key.startswith("x-")] if node.is_map else []
    return bool(keys) and all(any(one.row is not None for one in _below(at, key)) for key in keys)


@cache
def _names(at: tuple[_Branch, ...]) -> frozenset[str]:
    """Return the keys that rows speak of by name; any other is one of `*`."""
    return frozenset(key for branch in at for key in branch.children)


@cache
def _row(at: tuple[_Branch, ...]) -> Row | None:
    """Return the row that speaks of a key itself, unless it is a fact, which needs nobody to hold it."""
    row = next((branch.row for branch in at if branch.row is not None), None)
    return row if row is not None and row.v1.by is not By.FACT else None


@cache
def _below(at: tuple[_Branch, ...], key: str) -> tuple[_Branch, ...]:
    return tuple(one for branch in at for one in branch.below(key))


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    """The rows as a tree of their keys, so that a policy is walked beside it once. A branch equals itself only."""

    row: Row | None = None
    children: dict[str, _Branch] = field(default_factory=dict)

    def below(self, key: str) -> tuple[_Branch, ...]:
        """Return the branches that fit a key, the plain name first."""
        return tuple(self.children[one] for one in dict.fromkeys((key, "*")) if one in self.children)


def _branch(rows: Mapping[tuple[str, ...], Row]) -> _Branch:
    heads = sorted({path[0] for path in rows if path})
    children = {head: _branch({path[1:]: row for path, row in rows.items() if path[:1] == (head,)}) for head in heads}
    return _Branch(rows.get(()), children)


_ROOT = _branch({tuple(row.key.split(".")): row for row in TABLE})
