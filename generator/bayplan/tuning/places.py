"""Where the values are written that are compiled: in a Compose tree, or in a tuning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Place
    from bayplan.model.service import Service
    from bayplan.source import Node
    from bayplan.tuning.applied import Applied


@dataclass(frozen=True, slots=True)
class Places:
    """Where the values of a service are written: in its Compose tree, in its tuning, or in a file for its container.

    Attributes:
        service: whose.
        done: what its tuning makes of it.
        given: variable → its value in a file for the container.
    """

    service: Service
    done: Applied
    given: Mapping[str, Node] = field(default_factory=dict)

    def variable(self, key: str) -> Place:
        """Return where the value of a variable stands."""
        if key in self.done.made.environment:
            return self._tuning("environment", key)
        node = self._tree("environment")
        found = node.get(key) if node is not None else None
        if (found is None or found.value is None) and key in self.given:
            found = self.given[key]
        return found.place if found is not None else self.service.place

    def word(self, line: str, index: int) -> Place:
        """Return where a word of a line stands."""
        made = self.done.line
        if made is not None and made.key == line and index in made.given:
            return self._tuning("recipe")
        if self.done.made.command and line == "command":
            return self._tuning("command")
        node = self._tree(line)
        if node is None:
            return self.service.place
        items = tuple(node)
        # A line that got options of a recipe keeps its own words, further on or earlier.
        text = made.words[index] if made is not None and made.key == line else None
        known = [one for one in items if one.string == text] if text is not None else items[index : index + 1]
        return known[0].place if known else node.place

    def _tuning(self, *path: str) -> Place:
        tuning = self.service.tuning
        for end in range(len(path), 0, -1):
            node = self.service.settings.get(("tuning", *path[:end]))
            if node is not None:
                place: Place = node.place
                return place
        return tuning.place if tuning else self.service.place

    def _tree(self, key: str) -> Node | None:
        tree: Node | None = self.service.tree
        return tree.get(key) if tree is not None else None
