"""The forms of `ports`: `80`, `8080:80/udp`, `127.0.0.1:8000-8001:80-81`, or a map."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.compose.forms import RESET, as_text, scalar, unique, word, word_at
from bayplan.finding import Finding, error

if TYPE_CHECKING:
    from bayplan.source import Node

MAX_PORT = 65535
MAX_PORTS = 20_000
"""As many ports as the lists of one file bring at most: a range of two words brings 65,535."""
_SHORT = re.compile(
    r"(?:(?:(?P<ip>\[[0-9A-Fa-f:.]+\]|[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*):)?(?P<host>[0-9]*(?:-[0-9]+)?):)?"
    r"(?P<target>[0-9]+(?:-[0-9]+)?)(?:/(?P<protocol>[A-Za-z]+))?"
)
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_PROTOCOLS = frozenset({"tcp", "udp", "sctp"})


class PortError(ValueError):
    """A text that is no port; the message is a sentence about it."""


@dataclass(slots=True)
class Room:
    """How many ports a file may still bring."""

    left: int = MAX_PORTS
    full: bool = False

    def take(self, ports: int) -> None:
        """Take room for some ports; raise PortError if there is not enough."""
        self.full = ports > self.left
        if self.full:
            raise PortError(f"brings more than {MAX_PORTS:,} ports together with those before")
        self.left -= ports


def long_ports(node: Node, subject: str, findings: list[Finding], room: Room | None = None) -> Node:
    """Return a list of ports with one map for each: target, published, protocol, host_ip, and what else was said."""
    if not node.is_list:
        return node
    items: list[Node] = []
    room = room or Room()
    for item in node:
        if item.tag == RESET:
            continue
        try:
            items.extend((_long(item, room),) if item.is_map else _short(item, room))
        except PortError as fault:
            remedy = 'write "8080:80", or a map with target and published'
            findings.append(error("compose/port", item.place, subject, str(fault), remedy))
            if room.full:
                break
    return node.with_value(unique(tuple(items), identity))


def identity(port: Node) -> str:
    """Return what makes two ports the same one, for merging."""
    return "|".join(
        word(found) if (found := port.get(key)) else "" for key in ("host_ip", "published", "target", "protocol")
    )


def port_range(text: str) -> tuple[int, int]:
    """Return the first and the last of `80` or `80-82`.

    Raises:
        PortError: if it is neither, or not a port.
    """
    matched = _RANGE.fullmatch(text)
    if not matched:
        raise PortError(f"'{text}' is not a port")
    first = int(matched.group(1)[:6])
    last = int(matched.group(2)[:6]) if matched.group(2) else first
    if not first <= last <= MAX_PORT:
        raise PortError(f"'{text}' is not a port: ports go up to {MAX_PORT}, and ranges upwards")
    return first, last


def _long(node: Node, room: Room) -> Node:
    room.take(1)
    target = node.get("target")
    if target is None:
        raise PortError("lacks target, the port in the container")
    first, last = port_range(word(target))
    if not first or first != last:
        raise PortError(f"target must be one port, not '{word(target)}'")
    value = dict(node.value)
    value["target"] = scalar(target, first)
    published = node.get("published")
    if published is not None:
        if word(published) in {"", "0"}:
            del value["published"]
        else:
            port_range(word(published))
            value["published"] = as_text(published)
    value["protocol"] = _protocol(node.get("protocol"), node)
    if (address := node.get("host_ip")) is not None:
        _address(word(address))
    if (mode := node.get("mode")) is not None and word(mode) == "ingress":
        del value["mode"]
    return node.with_value(value)


def _protocol(protocol: Node | None, port: Node) -> Node:
    name = word(protocol).lower() if protocol is not None else "tcp"
    if name not in _PROTOCOLS:
        raise PortError(f"'{name}' is not a protocol of ports: tcp, udp or sctp")
    return word_at(protocol or port, name)


def _address(text: str) -> str:
    try:
        if text:
            ipaddress.ip_address(text)
    except ValueError:
        raise PortError(f"'{text}' is not an address to listen on") from None
    return text


def _short(node: Node, room: Room) -> list[Node]:
    written = word(node)
    matched = _SHORT.fullmatch(written)
    if not matched:
        raise PortError(f"'{written}' is not a port")
    address = _address((matched["ip"] or "").strip("[]"))
    first, last = port_range(matched["target"])
    if not first:
        raise PortError("port 0 is not a port in a container")
    protocol = _protocol(word_at(node, matched["protocol"]) if matched["protocol"] else None, node)
    room.take(last - first + 1)
    host = matched["host"] or ""
    if not host or host == "0":
        return [_port(node, target, "", address, protocol) for target in range(first, last + 1)]
    low, high = port_range(host)
    if first == last:  # Docker takes one of the range
        return [_port(node, first, host if high > low else str(low), address, protocol)]
    if high - low != last - first:
        raise PortError(f"'{written}' has ranges of different length")
    return [
        _port(node, target, str(published), address, protocol)
        for target, published in zip(range(first, last + 1), range(low, high + 1), strict=True)
    ]


def _port(node: Node, target: int, published: str, address: str, protocol: Node) -> Node:
    value = {"target": word_at(node, "").with_value(target)}
    if published:
        value["published"] = word_at(node, published)
    value["protocol"] = protocol
    if address:
        value["host_ip"] = word_at(node, address)
    return node.with_value(value)
