"""YAML with a memory: every value knows the file, line and column it was written at."""

from bayplan.source.node import Node, Scalar, plain, walk
from bayplan.source.read import read_file, read_text, read_yaml, shown

__all__ = ["Node", "Scalar", "plain", "read_file", "read_text", "read_yaml", "shown", "walk"]
