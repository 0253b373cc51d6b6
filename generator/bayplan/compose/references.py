"""Names that a service uses and nobody defines, and services that wait for each other in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.compose.forms import word
from bayplan.compose.mounts import sources
from bayplan.finding import Finding, Severity, error, warning

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from bayplan.compose.read import ComposeProject
    from bayplan.source import Node

DEFAULT_NETWORK = "default"
_SHARED = ("network_mode", "ipc", "pid")


def dangling(project: ComposeProject, active: Collection[str]) -> Iterator[Finding]:
    """Yield what Compose would refuse about names; for services that are not active it is only a warning.

    Args:
        project: services in canonical form.
        active: the services that the chosen profiles start.
    """
    for key, service in project.services.items():
        severity = Severity.ERROR if key in active else Severity.WARNING
        yield from _undeclared(project, key, service, severity)
        yield from _waits(project, active, key, service, severity)
        yield from _lacks_image(key, service, severity)
        yield from _two_networks(key, service, severity)
    yield from cycles({key: node for key, node in project.services.items() if key in active})


def implied(service: Node) -> Iterator[tuple[str, Node]]:
    """Yield the services that one needs without `depends_on`: by links, shared volumes and shared namespaces."""
    for item in service.get("links") or ():
        yield word(item).partition(":")[0], item
    for item in service.get("volumes_from") or ():
        if not word(item).startswith("container:"):
            yield word(item).partition(":")[0], item
    for key in _SHARED:
        node = service.get(key)
        if node is not None and word(node).startswith("service:"):
            yield word(node).partition(":")[2], node


def needs(service: Node) -> dict[str, Node]:
    """Return all services that one waits for, declared or implied, with where that is said."""
    depends = service.get("depends_on")
    found = dict(depends.items()) if depends is not None else {}
    for name, node in implied(service):
        found.setdefault(name, node)
    return found


def cycles(services: Mapping[str, Node]) -> Iterator[Finding]:
    """Yield one finding for each circle of services that wait for each other."""
    state: dict[str, int] = {}
    for start in services:
        path: list[str] = []
        stack: list[tuple[str, Iterator[tuple[str, Node]]]] = []
        if start in state:
            continue
        state[start] = 1
        path.append(start)
        stack.append((start, iter(needs(services[start]).items())))
        while stack:
            name, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                path.pop()
                state[name] = 2
                continue
            following, node = step
            if following not in services:
                continue
            if state.get(following) == 1:
                way = " → ".join((*path[path.index(following) :], following))
                remedy = "remove one of these depends_on"
                yield error("compose/cycle", node.here, name, f"waits for itself: {way}", remedy)
            elif following not in state:
                state[following] = 1
                path.append(following)
                stack.append((following, iter(needs(services[following]).items())))


def _undeclared(project: ComposeProject, key: str, service: Node, severity: Severity) -> Iterator[Finding]:
    for source in sources(service.get("volumes") or (), "volume"):
        if word(source) not in project.volumes:
            yield _missing("volume", key, word(source), source, severity)
    networks = service.get("networks")
    for name, node in networks.items() if networks is not None else ():
        if name not in project.networks and name != DEFAULT_NETWORK:
            yield _missing("network", key, name, node, severity)
    for kind, known in (("secret", project.secrets), ("config", project.configs)):
        for item in service.get(f"{kind}s") or ():
            used = item.get("source")
            if used is not None and word(used) not in known:
                yield _missing(kind, key, word(used), used, severity)


def _missing(kind: str, service: str, name: str, node: Node, severity: Severity) -> Finding:
    say = error if severity is Severity.ERROR else warning
    message = f"uses the {kind} '{name}', which {kind}s: does not define"
    return say(f"compose/undeclared-{kind}", node.here, service, message, f"add {name}: under {kind}s:")


def _waits(
    project: ComposeProject, active: Collection[str], key: str, service: Node, severity: Severity
) -> Iterator[Finding]:
    say = error if severity is Severity.ERROR else warning
    for name, node in needs(service).items():
        required = node.get("required")
        if name not in project.services:
            message = f"depends on '{name}', which no file defines"
            yield say("compose/depends-on-unknown", node.here, key, message, f"define {name}, or remove the line")
        elif name not in active and key in active and (required is None or required.value is not False):
            message = f"depends on '{name}', which belongs to a profile that is not chosen"
            remedy = f"choose the profile of {name}, or give {key} the same one"
            yield say("compose/depends-on-inactive", node.here, key, message, remedy)


def _two_networks(key: str, service: Node, severity: Severity) -> Iterator[Finding]:
    mode, networks = service.get("network_mode"), service.get("networks")
    if mode is not None and networks is not None and networks.value:
        say = error if severity is Severity.ERROR else warning
        message = f"has networks, and network_mode: {word(mode)}, which takes none"
        yield say("compose/network-mode", networks.here, key, message, "keep one of them", also=(mode.here,))


def _lacks_image(key: str, service: Node, severity: Severity) -> Iterator[Finding]:
    image = service.get("image")
    if not (image is not None and word(image)) and not any(service.get(name) for name in ("build", "provider")):
        say = error if severity is Severity.ERROR else warning
        yield say("compose/no-image", service.here, key, "has neither an image nor a build", "give it one of them")
