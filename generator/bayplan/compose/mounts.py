"""The forms of `volumes` of a service: `data:/data:ro`, `./conf:/etc/x`, `/scratch`, or a map."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.compose.forms import RESET, unique, word, word_at
from bayplan.finding import Finding, error
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROPAGATION = frozenset({"rprivate", "private", "rshared", "shared", "rslave", "slave"})
_SELINUX = frozenset({"z", "Z"})
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]")
# A colon between parts: not the one of a drive (`C:\data`).
_COLON = re.compile(r"(?<!:[A-Za-z])(?<!^[A-Za-z]):|:(?!\\)")
_PARTS = 3


class MountError(ValueError):
    """A text that is no mount; the message is a sentence about it."""


def long_mounts(node: Node, subject: str, findings: list[Finding]) -> Node:
    """Return a list of mounts with one map for each: type, source, target, read_only, and its options."""
    if not node.is_list:
        return node
    items: list[Node] = []
    for item in node:
        if item.tag == RESET:
            continue
        try:
            items.append(_octal(item) if item.is_map else _short(item))
        except MountError as fault:
            remedy = "write name:/path or ./path:/path, with :ro to forbid writing"
            findings.append(error("compose/volume", item.place, subject, str(fault), remedy))
    return node.with_value(unique(tuple(items), identity))


def _octal(mount: Node) -> Node:
    """Return a mount with the mode of its tmpfs as a number: `0755` is octal, and Compose takes no text there."""
    tmpfs = mount.get("tmpfs")
    mode = tmpfs.get("mode") if tmpfs is not None else None
    if tmpfs is None or mode is None or not re.fullmatch(r"0?[0-7]{3,4}", mode.text):
        return mount
    number = mode.with_value(int(mode.text, 8) if mode.text.startswith("0") else int(mode.text))
    return mount.with_value({**mount.value, "tmpfs": tmpfs.with_value({**tmpfs.value, "mode": number})})


def identity(mount: Node) -> str:
    """Return what makes two mounts the same one, for merging: the path in the container."""
    target = mount.get("target")
    return word(target) if target is not None else ""


def is_path(source: str) -> bool:
    """Whether the source of a short mount is a path of the host rather than the name of a volume."""
    return source[:1] in {".", "/", "~"} or bool(_WINDOWS.match(source))


def _short(node: Node) -> Node:
    written = word(node)
    parts = _COLON.split(written)
    if any(not part for part in parts):
        raise MountError(f"'{written}' has an empty part" if written else "is empty")
    if len(parts) > _PARTS:
        raise MountError(f"'{written}' has too many colons")
    if len(parts) == 1:
        return _mount(node, "volume", "", parts[0])
    kind = "bind" if is_path(parts[0]) else "volume"
    mount = _mount(node, kind, parts[0], parts[1])
    value = {**mount.value}
    # Older releases of Compose make the folder of a short bind only; said here, every release does.
    bind: dict[str, Node] = {"create_host_path": Node(value=True, place=node.place)} if kind == "bind" else {}
    volume: dict[str, Node] = {}
    for option in parts[2].split(",") if len(parts) == _PARTS else ():
        if option == "ro":
            value["read_only"] = Node(value=True, place=node.place)
        elif option == "nocopy" and kind == "volume":
            volume["nocopy"] = Node(value=True, place=node.place)
        elif option in _PROPAGATION | _SELINUX:  # Compose hands them to Docker under `bind`, for a volume too
            bind["propagation" if option in _PROPAGATION else "selinux"] = word_at(node, option)
    value |= {key: Node(options, node.place) for key, options in (("bind", bind), ("volume", volume)) if options}
    return mount.with_value(value)


def _mount(node: Node, kind: str, source: str, target: str) -> Node:
    value = {"type": word_at(node, kind)}
    if source:
        value["source"] = word_at(node, source)
    value["target"] = word_at(node, target)
    return node.with_value(value)


def sources(mounts: Iterable[Node], kind: str) -> tuple[Node, ...]:
    """Return the sources of the mounts of one kind."""
    return tuple(
        found
        for mount in mounts
        if (of := mount.get("type")) is not None and word(of) == kind and (found := mount.get("source")) is not None
    )
