"""Keys of Compose 2 files, and `gpus`, said with `deploy`: one place for each amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.compose.forms import RESET, as_text, word
from bayplan.finding import Finding, error
from bayplan.model import units
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMITS = ("resources", "limits")
_RESERVATIONS = ("resources", "reservations")
_MOVED: dict[str, tuple[str, ...]] = {
    "mem_limit": (*_LIMITS, "memory"),
    "cpus": (*_LIMITS, "cpus"),
    "pids_limit": (*_LIMITS, "pids"),
    "mem_reservation": (*_RESERVATIONS, "memory"),
    "scale": ("replicas",),
}
_GPUS = (*_RESERVATIONS, "devices")


def fold(node: Node, subject: str, findings: list[Finding]) -> Node:
    """Return a service in long form with its amounts under `deploy` only.

    Two different values for one amount are an error, as for Compose; the one under `deploy` stays.
    """
    if not node.is_map:
        return node
    for key, path in _MOVED.items():
        given = node.get(key)
        if given is None:
            continue
        value = {name: child for name, child in node.items() if name != key}
        deploy = node.get("deploy") or Node({}, given.here, given.here)
        if not deploy.is_map:
            continue
        there = _find(deploy, path)
        if there is None:
            moved = as_text(given) if path[-1] in {"memory", "cpus"} else given
            deploy = _put(deploy, path, moved)
        elif given.tag != RESET and _amount(path[-1], given) != _amount(path[-1], there):
            findings.append(_differ(key, path, given, there, subject))
        node = node.with_value({**value, "deploy": deploy})
    return _gpus(node)


def apart(node: Node, subject: str) -> Iterator[Finding]:
    """Yield the amounts that Compose refuses because `deploy` has their half, but not them.

    Compose then takes `deploy` for the whole truth, and the other key for another one.
    """
    deploy = node.get("deploy")
    for key, path in _MOVED.items():
        given = node.get(key)
        half = _find(deploy, path[:-1]) if deploy is not None and len(path) > 1 else None
        if given is None or half is None or _find(half, path[-1:]) is not None:
            continue
        other = ".".join(("deploy", *path[:-1]))
        message = f"{key} stands beside {other}, which does not say {path[-1]}: Compose refuses both together"
        remedy = f"write {path[-1]}: {word(given)} under {other}"
        yield error("compose/two-values", given.here, subject, message, remedy, also=(half.here,))


def _differ(key: str, path: tuple[str, ...], given: Node, there: Node, subject: str) -> Finding:
    other = ".".join(("deploy", *path))
    message = f"{key} says '{word(given)}', and {other} says '{word(there)}'"
    return error("compose/two-values", given.here, subject or key, message, "keep one of them", also=(there.here,))


def _amount(name: str, node: Node) -> object:
    """Return an amount in its unit, so that 1g and 1024m are one value; as written if it cannot be read."""
    try:
        if name == "memory":
            return units.docker_memory(node.text or node.value)
        if name == "cpus":
            return units.cpus(node.text or node.value)
    except units.UnitError:
        pass
    return word(node)


def _gpus(node: Node) -> Node:
    gpus = node.get("gpus")
    deploy = node.get("deploy") or (Node({}, gpus.here, gpus.here) if gpus is not None else None)
    if gpus is None or deploy is None or not deploy.is_map:
        return node
    rest = {name: child for name, child in node.items() if name != "gpus"}
    if gpus.tag == RESET:
        return node.with_value({**rest, "deploy": _put(deploy, _GPUS, gpus)})
    asked = tuple(_with_capability(one) for one in gpus)
    there = _find(deploy, _GPUS)
    base = there if there is not None and there.is_list else gpus.with_value(())
    gpus = base.with_value((*base.value, *asked))
    return node.with_value({**rest, "deploy": _put(deploy, _GPUS, gpus)})


def _with_capability(request: Node) -> Node:
    capabilities = request.get("capabilities")
    known = tuple(capabilities) if capabilities is not None else ()
    if any(word(one) == "gpu" for one in known) or not request.is_map:
        return request
    both = Node((Node("gpu", request.place), *known), request.place)
    return request.with_value({**request.value, "capabilities": both})


def _find(node: Node, path: tuple[str, ...]) -> Node | None:
    found: Node | None = node
    for step in path:
        found = found.get(step) if found is not None else None
    return found


def _put(node: Node, path: tuple[str, ...], value: Node) -> Node:
    """Return a map with a value at a path; maps on the way are made where they are missing."""
    if not path:
        return value
    inner = node.get(path[0])
    if inner is None or (len(path) > 1 and not inner.is_map):
        inner = Node({}, value.here, value.here)
    return node.with_value({**node.value, path[0]: _put(inner, path[1:], value)})
