"""One form for everything: each short form of the Compose Specification becomes the long one.

Strings of the result are Compose text: what may not be read as a variable has its dollars doubled.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from bayplan.compose import mounts, ports
from bayplan.compose.fold import fold
from bayplan.compose.forms import (
    RESET,
    as_list,
    as_text,
    defaults,
    each,
    fields,
    is_word,
    pairs,
    scalar,
    unique,
    word,
    word_at,
    words,
)
from bayplan.source import Node

if TYPE_CHECKING:
    from bayplan.finding import Finding

Form = Callable[[Node], Node]

# Compose stops reading a command at the first of ; & | < > outside of quotes, and variables may hold quotes and blanks.
_NOT_SPLIT = re.compile(r"[$;&|<>()`\\\n]")


def canonical_service(node: Node) -> tuple[Node, tuple[Finding, ...]]:
    """Return a service in its one long form: idempotent, places and tags kept.

    Keys of Compose 2 files (`mem_limit`, `cpus`, `scale`, …) and `gpus` are said with `deploy`.
    """
    findings: list[Finding] = []
    node = fold(long_service(node, "", findings), "", findings)
    return node, tuple(findings)


def long_service(node: Node, subject: str, findings: list[Finding], room: ports.Room | None = None) -> Node:
    """Return a service with every value in its long form, under the key that it was written with."""
    lists: dict[str, Form] = {
        "ports": lambda child: ports.long_ports(child, f"{subject}.ports".strip("."), findings, room),
        "volumes": lambda child: mounts.long_mounts(child, f"{subject}.volumes".strip("."), findings),
    }
    return fields(node, {**_SERVICE, **lists})


def long_document(node: Node, findings: list[Finding]) -> Node:
    """Return a Compose file with every entry in its long form."""
    room = ports.Room()

    def services(section: Node) -> Node:
        if not section.is_map:
            return section
        entries = {key: long_service(child, f"services.{key}", findings, room) for key, child in section.items()}
        return section.with_value(entries)

    return fields(node, {"services": services, **{key: lambda child: each(child, _entry) for key in _ENTRIES}})


_ENTRIES = ("volumes", "networks", "secrets", "configs")


def _entry(node: Node) -> Node:
    """Return a volume, a network, a secret or a config in its long form."""
    if node.tag == RESET:
        return node
    if node.value is None:
        return scalar(node, {})
    node = fields(node, {"labels": _labels, "driver_opts": _texts, "ipam": _ipam})
    external = node.get("external")
    if external is None or not external.is_map:
        return node
    name = external.get("name")
    value = {**node.value, "external": Node(value=True, place=external.place, key=external.key)}
    return node.with_value(value | ({"name": name} if name is not None and node.get("name") is None else {}))


def _ipam(node: Node) -> Node:
    return fields(node, {"options": _texts})


def _texts(node: Node) -> Node:
    return each(node, as_text)


def _labels(node: Node) -> Node:
    return pairs(node, empty="")


def _environment(node: Node) -> Node:
    return pairs(node)


def _command(node: Node) -> Node:
    """Return a command as a list of words, but as it is where a shell's rules or a variable decide."""
    if not isinstance(node.value, str) or _NOT_SPLIT.search(node.value):
        return _texts(node) if node.is_list else node
    try:
        parts = shlex.split(node.value)
    except ValueError:
        return node
    return scalar(node, tuple(word_at(node, part) for part in parts))


def _test(node: Node) -> Node:
    if not isinstance(node.value, str):
        return _texts(node)
    return scalar(node, (word_at(node, "CMD-SHELL"), word_at(node, node.value)))


def _as(key: str) -> Form:
    """Return the form that makes `x` into `{key: x}`."""
    return lambda node: scalar(node, {key: Node(word(node), node.place)}) if is_word(node) else node


def _list_as(key: str) -> Form:
    """Return the form that makes `x` or `[x]` into `[{key: x}]`."""
    return lambda node: node if node.is_map else each(as_list(node), _as(key))


def _networks(node: Node) -> Node:
    if node.is_list:
        return node.with_value({word(item): Node({}, item.place, item.place) for item in node})
    return each(node, lambda child: scalar(child, {}) if child.value is None and child.tag != RESET else child)


def _depends_on(node: Node) -> Node:
    if node.is_list:
        node = node.with_value({word(item): Node({}, item.place, item.place) for item in node})
    return each(node, lambda child: child if child.tag == RESET else _condition(child))


def _condition(node: Node) -> Node:
    node = defaults(node, condition="service_started")
    required = node.get("required")
    if required is not None and required.value is True:
        return node.with_value({key: child for key, child in node.items() if key != "required"})
    return node


def _devices(node: Node) -> Node:
    return each(node, _device)


def _device(node: Node) -> Node:
    if is_word(node):
        source, _, rest = word(node).partition(":")
        target, _, permissions = rest.partition(":")
        keys = {"source": source, "target": target or source, "permissions": permissions or "rwm"}
        return scalar(node, {key: word_at(node, value) for key, value in keys.items()})
    source_node = node.get("source")
    return defaults(node, target=word(source_node) if source_node is not None else "", permissions="rwm")


def _extra_hosts(node: Node) -> Node:
    """Return `host:address` lines, the form that every release of Compose reads."""
    if node.is_list:
        return node.with_value(unique(tuple(scalar(item, _host(word(item))) for item in node), word))
    lines: list[Node] = []
    for name, child in node.items():
        lines.extend(word_at(address, f"{name}:{word(address).strip('[]')}") for address in as_list(child))
    return node.with_value(unique(tuple(lines), word)) if node.is_map else node


def _host(line: str) -> str:
    name, *address = re.split("[:=]", line, maxsplit=1)
    return f"{name}:{''.join(address).strip('[]')}"


def _ulimits(node: Node) -> Node:
    def form(child: Node) -> Node:
        if not is_word(child) or child.tag == RESET:
            return child
        both = Node(child.value, child.place, text=child.text)
        return scalar(child, {"soft": both, "hard": both})

    return each(node, form)


def _ssh(node: Node) -> Node:
    """Return keys as `id` or `id=path`."""
    if not node.is_map:
        return words(node)
    lines = (word_at(child, f"{key}={word(child)}" if word(child) else key) for key, child in node.items())
    return node.with_value(tuple(lines))


def _build(node: Node) -> Node:
    return fields(_as("context")(node), _BUILD)


def _gpu_device(node: Node) -> Node:
    node = fields(node, {"options": _labels, "count": _count, "device_ids": words, "capabilities": words})
    ids = node.get("device_ids")
    return defaults(node, count="all") if ids is None or not ids.value else node


def _count(node: Node) -> Node:
    text = word(node)
    if text in {"-1", "all"}:
        return scalar(node, "all")
    return scalar(node, int(text)) if text.isascii() and text.isdigit() and len(text) < len("100000") else node


def _deploy(node: Node) -> Node:
    if node.value is None:
        return scalar(node, {})
    return fields(node, {"labels": _labels, "resources": lambda child: fields(child, _RESOURCES)})


_BUILD: dict[str, Form] = {
    "additional_contexts": _labels,
    "args": _environment,
    "cache_from": words,
    "cache_to": words,
    "extra_hosts": _extra_hosts,
    "labels": _labels,
    "no_cache_filter": words,
    "platforms": words,
    "secrets": _list_as("source"),
    "ssh": _ssh,
    "tags": words,
    "ulimits": _ulimits,
}
_AMOUNTS: dict[str, Form] = {"cpus": as_text, "memory": as_text}
_RESOURCES: dict[str, Form] = {
    "limits": lambda node: fields(node, _AMOUNTS),
    "reservations": lambda node: fields(node, {**_AMOUNTS, "devices": lambda child: each(child, _gpu_device)}),
}
_SERVICE: dict[str, Form] = {
    **dict.fromkeys(("cap_add", "cap_drop", "device_cgroup_rules", "dns", "dns_opt", "dns_search", "expose"), words),
    **dict.fromkeys(("external_links", "group_add", "label_file", "links", "profiles", "security_opt"), words),
    **dict.fromkeys(("tmpfs", "volumes_from"), words),
    "annotations": _labels,
    "build": _build,
    "command": _command,
    "configs": _list_as("source"),
    "depends_on": _depends_on,
    "deploy": _deploy,
    "devices": _devices,
    "entrypoint": _command,
    "env_file": _list_as("path"),
    "environment": _environment,
    "extra_hosts": _extra_hosts,
    "gpus": lambda node: each(_gpu_list(node), _gpu_device),
    "healthcheck": lambda node: fields(node, {"test": _test}),
    "labels": _labels,
    "logging": lambda node: fields(node, {"options": _texts}),
    "models": _networks,
    "networks": _networks,
    "secrets": _list_as("source"),
    "sysctls": _labels,
    "ulimits": _ulimits,
}


def _gpu_list(node: Node) -> Node:
    """Return `gpus: all` as the list of one request for all."""
    return scalar(node, (Node({}, node.place),)) if is_word(node) else node
