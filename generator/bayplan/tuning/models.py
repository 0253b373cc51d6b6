"""Language models by their tags: `llama3:70b-instruct-q4_K_M` has 70 billion weights of 4 bits at least."""

from __future__ import annotations

import re

_TAG = re.compile(r"(?<![\w.:/-])([a-z][\w.-]*(?:/[\w.-]+)*:(\d+(?:\.\d+)?)b(?:-[\w.-]+)?)(?![\w:/])", re.IGNORECASE)
_BITS = re.compile(r"(?:^|-)(?:i?q(\d)(?:_|$)|(?:b?fp?|f)(16|32)$)", re.IGNORECASE)
_USUAL_BITS = 4
"""What the tags of Ollama's library mean that say nothing of it."""
_BILLION = 10**9


def models_in(text: str) -> dict[str, int]:
    """Return model → the bytes that its weights take at least, for each model tag in a text."""
    found = {}
    for match in _TAG.finditer(text):
        name, billions = match[1], float(match[2])
        bits = _BITS.search(name.partition(":")[2])
        width = int(bits[1] or bits[2]) if bits else _USUAL_BITS
        found[name] = int(billions * _BILLION * width / 8)
    return found
