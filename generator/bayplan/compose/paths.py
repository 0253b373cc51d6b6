"""Relative paths of a file in another folder, said from the project's folder: what `extends` and `include` bring."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from bayplan.compose.forms import each, fields, scalar, word
from bayplan.compose.mounts import is_path
from bayplan.source import Node

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com/|[a-z-]+:[^/\\]", re.IGNORECASE)
"""A build context that is no folder: an address, or another stage or image (`docker-image://`, `service:web`)."""

_Move = Callable[[Node], Node]


def moved_service(node: Node, folder: str) -> Node:
    """Return a service in long form with its relative paths said from `folder`'s parent: `./x` becomes `./folder/x`."""
    if folder in {"", "."}:
        return node

    def path(child: Node) -> Node:
        return scalar(child, moved(word(child), folder)) if isinstance(child.value, str) else child

    def local(child: Node) -> Node:
        return child if _REMOTE.match(word(child)) else path(child)

    def entry(key: str) -> _Move:
        return lambda child: each(child, lambda item: fields(item, {key: path}))

    build = {"context": local, "additional_contexts": lambda child: each(child, local)}
    return fields(
        node,
        {
            "build": lambda child: fields(child, build),
            "develop": lambda child: fields(child, {"watch": entry("path")}),
            "env_file": entry("path"),
            "label_file": lambda child: each(child, path),
            "volumes": lambda child: each(child, lambda mount: _mount(mount, path)),
        },
    )


def moved_document(node: Node, folder: str) -> Node:
    """Return a Compose document in long form with its relative paths said from the project's folder."""

    def file(child: Node) -> Node:
        return fields(child, {"file": lambda name: scalar(name, moved(word(name), folder))})

    sections: dict[str, _Move] = {
        "configs": lambda child: each(child, file),
        "secrets": lambda child: each(child, file),
        "services": lambda child: each(child, lambda service: moved_service(service, folder)),
    }
    return fields(node, sections) if folder not in {"", "."} else node


def moved(path: str, folder: str) -> str:
    """Return a relative path said from the parent of `folder`; absolute ones and those in a home stay."""
    if path.startswith(("/", "~", "$")) or not path:
        return path
    joined = posixpath.normpath(posixpath.join(folder, path))
    return joined if joined.startswith((".", "/")) else f"./{joined}"


def _mount(node: Node, path: _Move) -> Node:
    kind, source = node.get("type"), node.get("source")
    if kind is None or source is None or word(kind) != "bind" or not is_path(word(source)):
        return node
    return fields(node, {"source": path})
