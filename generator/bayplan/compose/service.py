"""A canonical Compose service as the model sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.compose.forms import is_word, word, words
from bayplan.compose.gpu import gpu_of
from bayplan.compose.references import DEFAULT_NETWORK, implied
from bayplan.compose.template import plain_text
from bayplan.finding import Finding, Place, error, in_order
from bayplan.model import units
from bayplan.model.names import Name
from bayplan.model.quantity import CPUS, MEMORY, PIDS, SWAP, Origin, Quantity
from bayplan.model.service import (
    MOST_COPIES,
    Attachment,
    Dependency,
    Mount,
    Port,
    Replicas,
    Service,
)
from bayplan.source import Node, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

SOURCE = "compose"
"""What the quantities read here say about who says them."""


def to_service(
    project: str,
    key: str,
    node: Node,
    *,
    profiles: Collection[str] = (),
    variables: Mapping[str, str] | None = None,
    place: Place | None = None,
) -> tuple[Service, tuple[Finding, ...]]:
    """Return the model of one service.

    Args:
        project: the project that it belongs to.
        key: its name in the project.
        node: its canonical form.
        profiles: the profiles that are chosen.
        variables: what the `.env` of the project sets.
        place: where it is defined; the place of its key by default.

    Returns:
        The service, and what could not be understood of it: such a value is left out.
    """
    findings: list[Finding] = []
    subject = f"{project}/{key}"
    requests, limits = _amounts(node, subject, findings)
    build = node.get("build")
    service = Service(
        name=Name(project, key),
        place=place or node.here,
        image=_text(node.get("image")),
        build=_text(build.get("context")) or "." if build is not None else "",
        platforms=_platforms(node),
        requests=requests,
        limits=limits,
        replicas=_replicas(node, subject, findings),
        gpu=gpu_of(node),
        ports=tuple(port for item in node.get("ports") or () if (port := _port(item)) is not None),
        mounts=_mounts(node),
        networks=_networks(node),
        depends_on=_depends_on(node),
        container_name=_text(node.get("container_name")),
        network_mode=_text(node.get("network_mode")),
        active=is_active(node, profiles),
        body=_body(node),
        tree=node,
        variables=variables or {},
    )
    return service, in_order(findings)


def active_services(services: Mapping[str, Node], profiles: Collection[str] = ()) -> frozenset[str]:
    """Return the services that Compose would start with these profiles; `*` chooses every one."""
    return frozenset(key for key, node in services.items() if is_active(node, profiles))


def is_active(node: Node, profiles: Collection[str] = ()) -> bool:
    """Whether a service belongs to no profile, or to one that is chosen."""
    own = {word(item) for item in words(listed)} if (listed := node.get("profiles")) is not None else set()
    return not own or "*" in profiles or bool(own & set(profiles))


def _text(node: Node | None) -> str:
    """Return what a word means; it is kept as Compose text, where `$$` is one dollar."""
    return plain_text(word(node)) if node is not None and is_word(node) else ""


def _body(node: Node) -> Mapping[str, Any]:
    data = plain(node)
    return data if isinstance(data, dict) else {}


def _platforms(node: Node) -> tuple[str, ...]:
    if platform := _text(node.get("platform")):
        return (platform,)
    build = node.get("build")
    listed = build.get("platforms") if build is not None else None
    return tuple(word(item) for item in listed or ())


# --- amounts ---


def _amounts(node: Node, subject: str, findings: list[Finding]) -> tuple[dict[str, Quantity], dict[str, Quantity]]:
    deploy = node.get("deploy")
    resources = deploy.get("resources") if deploy is not None else None
    halves = []
    for half in ("reservations", "limits"):
        part = resources.get(half) if resources is not None else None
        found: dict[str, Quantity] = {}
        for name, resource, reading in _AMOUNTS:
            written = part.get(name) if part is not None else None
            if written is not None:
                _add(found, resource, written, reading, (f"{subject}.{half}.{name}", findings))
        halves.append(found)
    requests, limits = halves
    _swap(node, limits, subject, findings)
    return requests, limits


def _add(
    found: dict[str, Quantity],
    resource: str,
    node: Node,
    reading: Callable[[object], int],
    report: tuple[str, list[Finding]],
) -> None:
    """Add an amount; zero and -1 mean that there is none, as for Docker."""
    subject, findings = report
    if word(node) == "-1":
        return
    try:
        amount = reading(node.text or node.value)
    except units.UnitError as fault:
        findings.append(error("compose/amount", node.place, subject, str(fault), "write 512m, 2g, or 0.5 for CPUs"))
        return
    if amount:
        found[resource] = Quantity(amount, Origin.DECLARED, node.place, SOURCE)


_AMOUNTS: tuple[tuple[str, str, Callable[[object], int]], ...] = (
    ("cpus", CPUS, units.cpus),
    ("memory", MEMORY, units.docker_memory),
    ("pids", PIDS, units.pieces),
)


def _swap(node: Node, limits: dict[str, Quantity], subject: str, findings: list[Finding]) -> None:
    """Add swap: `memswap_limit` counts memory and swap together."""
    written = node.get("memswap_limit")
    if written is None or MEMORY not in limits:
        return
    both: dict[str, Quantity] = {}
    _add(both, SWAP, written, units.docker_memory, (f"{subject}.memswap_limit", findings))
    if SWAP in both:
        amount = max(0, both[SWAP].amount - limits[MEMORY].amount)
        limits[SWAP] = Quantity(amount, Origin.DECLARED, written.place, SOURCE)


def too_many_copies(subject: str, place: Place, count: int) -> Finding:
    """Return the finding for a service with more copies than are counted; it is taken to have one."""
    message = f"has {count:,} copies, more than {MOST_COPIES:,}"
    return error("replicas/too-many", place, subject, message, f"write {MOST_COPIES:,} or less")


def too_many_together(subject: str, place: Place) -> Finding:
    """Return the finding for what has more copies than are counted, together with all before it."""
    message = f"brings the copies of all services to more than {MOST_COPIES:,}"
    return error("replicas/too-many", place, subject, message, "ask for less, or split the policy")


def copies_of(node: Node) -> int:
    """Return how many copies a canonical service asks for."""
    return _replicas(node, "", []).count


def _replicas(node: Node, subject: str, findings: list[Finding]) -> Replicas:
    deploy = node.get("deploy")
    written = deploy.get("replicas") if deploy is not None else None
    if written is None:
        return Replicas(place=node.here)
    try:
        count = units.pieces(word(written))
        if count > MOST_COPIES:
            findings.append(too_many_copies(subject, written.place, count))
            count = 1
    except units.UnitError as fault:
        findings.append(error("compose/amount", written.place, f"{subject}.replicas", str(fault), "write a number"))
        count = 1
    return Replicas(count, count, count, written.place)


# --- ties ---


def _port(node: Node) -> Port | None:
    target, published = node.get("target"), node.get("published")
    if target is None or not isinstance(target.value, int):
        return None
    text = word(published) if published is not None else ""
    return Port(
        target=target.value,
        published=int(text) if text.isascii() and text.isdigit() else None,
        protocol=_text(node.get("protocol")) or "tcp",
        host_ip=_text(node.get("host_ip")),
        place=node.place,
    )


def _mounts(node: Node) -> tuple[Mount, ...]:
    found = [
        Mount(
            kind=_text(item.get("type")),
            source=_text(item.get("source")),
            target=_text(item.get("target")),
            read_only=(flag := item.get("read_only")) is not None and flag.value is True,
            place=item.place,
        )
        for item in node.get("volumes") or ()
    ]
    memory = (
        Mount("tmpfs", "", plain_text(word(item)).partition(":")[0], place=item.place)
        for item in node.get("tmpfs") or ()
    )
    return (*found, *memory)


def _networks(node: Node) -> tuple[Attachment, ...]:
    networks = node.get("networks")
    if node.get("network_mode") is not None:
        return ()
    if networks is None or not networks.items():
        return (Attachment(DEFAULT_NETWORK, place=node.here),)
    return tuple(
        Attachment(
            network=name,
            ipv4=_text(child.get("ipv4_address")),
            ipv6=_text(child.get("ipv6_address")),
            aliases=tuple(_text(alias) for alias in child.get("aliases") or ()),
            place=_address_place(child),
        )
        for name, child in networks.items()
    )


def _address_place(joined: Node) -> Place:
    """Return where a fixed address is written, or else where the network is joined."""
    fixed = (joined.get(key) for key in ("ipv4_address", "ipv6_address"))
    return next((one.place for one in fixed if one is not None), joined.here)


def _depends_on(node: Node) -> tuple[Dependency, ...]:
    depends = node.get("depends_on")
    found = {
        name: Dependency(
            name=name,
            condition=_text(child.get("condition")) or "service_started",
            required=(flag := child.get("required")) is None or flag.value is not False,
            place=child.here,
        )
        for name, child in (depends.items() if depends is not None else ())
    }
    for name, said in implied(node):
        found.setdefault(name, Dependency(name, place=said.place))
    return tuple(found.values())
