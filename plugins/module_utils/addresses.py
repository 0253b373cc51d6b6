"""Fixed addresses: who drew one by lot while its owner was away draws another one when the owner comes back.

Docker gives the lowest free address of a network, and the address of a stopped container is free.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import engine, stopping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


def fixed(inspected: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the addresses that a container asks for: each with its network."""
    networks = inspected["NetworkSettings"].get("Networks") or {}
    asked = {name: (one or {}).get("IPAMConfig") or {} for name, one in networks.items()}
    return {(name, one["IPv4Address"]) for name, one in asked.items() if one.get("IPv4Address")}


@contextmanager
def freed(wanted: Iterable[tuple[str, str]], own: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Stop who holds wanted addresses without having asked for them, and start them again afterwards.

    Args:
        wanted: the addresses, each with its network.
        own: the containers that want them.
    """
    mine = {one["Id"] for one in own}
    away = [one for one in _holders(set(wanted)) if one["Id"] not in mine]
    for one in away:
        stopping.stop(one)
    try:
        yield
    finally:
        for one in away:
            engine.docker("start", one["Id"], check=False)  # it may have been replaced meanwhile


def _holders(wanted: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the running containers that hold one of these addresses and would do as well with any other."""
    names = sorted({network for network, _ in wanted})
    ids = [
        number
        for network in engine.inspect("network", names)
        for number, one in (network.get("Containers") or {}).items()
        if (network["Name"], str(one.get("IPv4Address", "")).partition("/")[0]) in wanted
    ]
    return [one for one in engine.inspect("container", ids) if not fixed(one) & wanted]
