"""YAML with a memory: every value knows the file, line and column it was written at."""

from bayplan.source.file import Border, border_of, is_there, outside, read_file, shown
from bayplan.source.node import Budget, Node, Scalar, every, plain, walk
from bayplan.source.read import read_text, read_yaml

__all__ = [
    "Border",
    "Budget",
    "Node",
    "Scalar",
    "border_of",
    "every",
    "is_there",
    "outside",
    "plain",
    "read_file",
    "read_text",
    "read_yaml",
    "shown",
    "walk",
]
