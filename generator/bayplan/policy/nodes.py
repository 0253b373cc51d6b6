"""The `nodes:` and `shapes:` of a policy, laid over what was observed, as model nodes."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from bayplan.finding import Finding, error, warning
from bayplan.model import units
from bayplan.model.fleet import Disk, Gpu, Node, Share, Taint
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY, Origin, Quantity
from bayplan.policy.patterns import expand_range
from bayplan.policy.values import Findings, quantity, share_of, whole_number, word, words
from bayplan.source import Node as Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.policy.observed import Observed

CEILING = Share(Fraction(9, 10))
DISK_CEILING = Share(Fraction(17, 20))
FIRST_DISK = "default"
MOST_NODES = 5_000
"""As many nodes as a policy has at most: ranges make it easy to ask for more."""
MOST_CARDS = 256
MOST_CORES = 4096
"""As many cards and cores as one machine has at most; the schema says so of cards."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ADDRESS = re.compile(r"\[?[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,254}\]?")
CORES = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")
_TOLERANCE = 0.01
_MAX_SHAPES = 16


def read_nodes(document: Source, observed: Mapping[str, Observed]) -> tuple[dict[str, Node], Findings]:
    """Return the nodes of a policy by name, ranges expanded, shapes and observed facts filled in."""
    findings = Findings()
    shapes = document.get("shapes") or Source({}, document.place)
    nodes: dict[str, Node] = {}
    for key, node in (document.get("nodes") or Source({}, document.place)).items():
        for name in _names(findings, key, node):
            if len(nodes) >= MOST_NODES:
                message = f"is one node too many: a policy has at most {MOST_NODES:,}"
                findings.append(error("nodes/too-many", node.here, f"nodes.{key}", message, "split the policy"))
                return dict(sorted(nodes.items())), findings
            if name in nodes:
                first = nodes[name].place
                findings.append(
                    error(
                        "policy/defined-twice",
                        node.here,
                        f"nodes.{name}",
                        f"is defined twice, first at {first}",
                        "keep one of the two",
                    )
                )
                continue
            nodes[name] = _node(findings, name, _shaped(findings, node, shapes), observed.get(name))
    return dict(sorted(nodes.items())), findings


def _names(findings: Findings, key: str, node: Source) -> tuple[str, ...]:
    try:
        # What is no name reaches nobody: it would become a folder, and a host of Ansible's. The schema has named it.
        return tuple(name for name in expand_range(key) if _NAME.fullmatch(name))
    except ValueError as fault:
        remedy = "write a shorter range, the lowest first, such as n[1:8]"
        findings.append(error("nodes/range", node.here, f"nodes.{key}", str(fault), remedy))
        return ()


def _shaped(findings: Findings, node: Source, shapes: Source) -> Source:
    """Lay a node over its shape, and the shape over the one it is like."""
    if not node.is_map:
        return Source({"address": node}, node.place, node.key)
    result = node
    seen: list[str] = []
    reference = node.get("shape")
    while reference is not None and len(seen) < _MAX_SHAPES:
        name = word(reference)
        shape = shapes.get(name)
        if shape is None or name in seen:
            known = ", ".join(key for key, _ in shapes.items()) or "none"
            what = "is like itself" if name in seen else f"is not among shapes ({known})"
            findings.say(
                "nodes/shape", reference, f"shapes.{name}", what, "name a shape that exists, in a row that ends"
            )
            break
        seen.append(name)
        result = result.with_value({**shape.value, **result.value}) if shape.is_map else result
        reference = shape.get("like")
    return result


def _node(findings: Findings, name: str, source: Source, observed: Observed | None) -> Node:
    subject = f"nodes.{name}"
    cpus, threads = _cpus(findings, subject, source)
    capacity = dict(observed.capacity) if observed else {}
    gpus = _gpus(findings, subject, source.get("gpus")) if source.get("gpus") else (observed.gpus if observed else ())
    disks = (
        _disks(findings, subject, source.get("disks")) if source.get("disks") else (observed.disks if observed else {})
    )
    known = Origin.DECLARED if source.get("disks") else Origin.MEASURED
    declared = {**_sized(findings, subject, source, MEMORY), **cpus, **_countables(findings, subject, source)}
    findings.extend(_differences(subject, declared, capacity))
    capacity.update(declared)
    capacity.update(
        {f"{DISK}{key}": Quantity(disk.size, known, source.here) for key, disk in disks.items() if disk.size}
    )
    core_map = _core_map(findings, subject, source)
    findings.extend(_unknown(name, source, capacity))
    return Node(
        name=name,
        address=_address(findings, name, source),
        connection=word(source.get("connection"), "ssh"),
        place=source.here,
        arch=word(source.get("arch")) or (observed.arch if observed else ""),
        capacity=dict(sorted(capacity.items())),
        reserve=_reserve(findings, subject, source, observed, core_map),
        ceilings=_ceilings(findings, subject, source, disks),
        gpus=gpus,
        disks=disks,
        labels={key: word(value) for key, value in _map(source, "labels").items()},
        taints=tuple(_taint(text) for text in words(source.get("taints"))),
        threads_per_core=threads or (observed.threads_per_core if observed else 1),
        core_map=core_map,
        why=word(source.get("why")),
        core_places={key: value.place for key, value in _map(source, "core_map").items()},
    )


def _address(findings: Findings, name: str, source: Source) -> str:
    """Return where a node is reached; what is no address never comes near ssh or a template of Ansible's."""
    written = source.get("address")
    address = word(written, name).replace("{name}", name)
    if written is None or _ADDRESS.fullmatch(address):
        return address
    message = f"'{address}' is neither a host name nor an IP address"
    findings.say("nodes/address", written, f"nodes.{name}", message, "write it as nas.lan, 10.0.0.7 or fd00::7")
    return name


def _map(source: Source, key: str) -> dict[str, Source]:
    return {name: value for name, value in (source.get(key) or source.with_value({})).items() if name != "why"}


def _unknown(name: str, source: Source, capacity: Mapping[str, Quantity]) -> list[Finding]:
    # What is said but cannot be read has a finding already.
    missing = [one for one in (CPUS, MEMORY) if one not in capacity and source.get(one) is None]
    if not missing:
        return []
    what = " and ".join(missing)
    example = ", ".join({CPUS: "cpus: 8", MEMORY: "memory: 16GiB"}[resource] for resource in missing)
    return [
        error(
            "nodes/unknown-size",
            source.here,
            f"nodes.{name}",
            f"nothing says how much {what} it has: neither the policy nor an observation",
            f"write {example}, or look what it has: bayplan observe POLICY",
        )
    ]


def _differences(subject: str, declared: Mapping[str, Quantity], observed: Mapping[str, Quantity]) -> list[Finding]:
    """Name what the policy declares otherwise than it was measured; declared wins, and the smaller one is safe."""
    findings = []
    for resource, said in declared.items():
        seen = observed.get(resource)
        if seen is None or abs(said.amount - seen.amount) <= _TOLERANCE * seen.amount:
            continue
        here, there = units.show(resource, said.amount), units.show(resource, seen.amount)
        message = f"declares {here} of {resource}, {there} was observed"
        remedy = "the plan uses the declared one; write what is there"
        write = units.in_policy(resource, seen.amount)
        findings.append(
            warning("inventory/differs", said.place, subject, message, remedy, also=(seen.place,), write=write)
        )
    return findings


def _sized(findings: Findings, subject: str, source: Source, resource: str) -> dict[str, Quantity]:
    node = source.get(resource)
    found = quantity(findings, subject, resource, node) if node is not None else None
    return {resource: found} if found else {}


def _cpus(findings: Findings, subject: str, source: Source) -> tuple[dict[str, Quantity], int]:
    """Return the logical CPUs, and the threads of a core where the policy says them."""
    node = source.get(CPUS)
    if node is not None and node.is_map:
        threads = whole_number(node.get("threads_per_core"), 1)
        cores = whole_number(node.get("cores"), 0)
        return {CPUS: Quantity(cores * threads * 1000, place=node.place, source="policy")}, threads
    return _sized(findings, subject, source, CPUS), 0


def _countables(findings: Findings, subject: str, source: Source) -> dict[str, Quantity]:
    found = {name: quantity(findings, subject, name, value) for name, value in _map(source, "resources").items()}
    return {name: amount for name, amount in found.items() if amount is not None}


def _gpus(findings: Findings, subject: str, node: Source | None) -> tuple[Gpu, ...]:
    cards: list[Gpu] = []
    if node is None:
        return ()
    for item in node if node.is_list else (node,):
        memory = item.get("memory")
        amount = quantity(findings, f"{subject}.gpus", GPU_MEMORY, memory) if memory is not None else None
        labels = {key: word(item.get(key)) for key in ("compute_capability",) if item.get(key) is not None}
        card = Gpu(0, word(item.get("model")), amount.amount if amount else 0, words(item.get("mig")), labels)
        first = len(cards)
        cards.extend(replace(card, index=first + i) for i in range(whole_number(item.get("count"), 1, MOST_CARDS)))
    return tuple(cards)


def _disks(findings: Findings, subject: str, node: Source | None) -> dict[str, Disk]:
    disks = {}
    for key, item in node.items() if node else ():
        size = item.get("size") if item.is_map else item
        amount = quantity(findings, f"{subject}.disks", f"{DISK}{key}", size) if size is not None else None
        disks[key] = Disk(word(item.get("path")) if item.is_map else "", amount.amount if amount else 0)
    return disks


def _core_map(findings: Findings, subject: str, source: Source) -> dict[str, tuple[int, ...]]:
    return {
        name: cores_of(findings, f"{subject}.core_map.{name}", node) for name, node in _map(source, "core_map").items()
    }


def cores_of(findings: Findings, subject: str, node: Source) -> tuple[int, ...]:
    """Return the cores of `2-3`, `0,4-5` or a list, sorted."""
    cores, unread = _cores(",".join(words(node)))
    for part in unread if not re.search(r"[^0-9,-]", node.string) else ():  # other signs the schema has named
        findings.say("pinning/unreadable", node, subject, f"'{part}' names no cores", "write 2-3 or 0,4")
    return cores


@lru_cache(maxsize=256)  # thousands of nodes may have one shape
def _cores(text: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the cores of a list, and the parts of it that name none."""
    cores: set[int] = set()
    unread = []
    for part in text.split(",", MOST_CORES):
        found = CORES.fullmatch(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not first <= last < MOST_CORES:
            unread.append(part)
        cores.update(range(first, min(last + 1, MOST_CORES)))
    return tuple(sorted(cores)), tuple(unread)


def _reserve(
    findings: Findings,
    subject: str,
    source: Source,
    observed: Observed | None,
    core_map: Mapping[str, tuple[int, ...]],
) -> dict[str, Quantity]:
    """Return what is kept for others: declared, else measured; the cores of the set `os` are the CPU reserve."""
    reserve = dict(observed.reserve) if observed else {}
    node = source.get("reserve")
    if node is not None and node.is_map:
        why = word(node.get("why"))
        for key, value in _map(source, "reserve").items():
            sizes = {f"{DISK}{name}": size for name, size in value.items()} if key == "disk" else {key: value}
            for resource, amount in sizes.items():
                found = quantity(findings, f"{subject}.reserve", resource, amount, why=why)
                if found:
                    reserve[resource] = found
    if core_map.get("os") and (node is None or node.get(CPUS) is None):
        cores = len(core_map["os"])
        reserve[CPUS] = Quantity(cores * 1000, Origin.DECLARED, source.here, "core_map os", "kept free for the system")
    return dict(sorted(reserve.items()))


def _ceilings(findings: Findings, subject: str, source: Source, disks: Mapping[str, Disk]) -> dict[str, Share]:
    said = {
        key: share_of(findings, f"{subject}.ceilings.{key}", node) for key, node in _map(source, "ceilings").items()
    }
    ceilings = {resource: said.get(resource) or CEILING for resource in (CPUS, MEMORY, GPU_MEMORY)}
    for name in disks:
        ceilings[f"{DISK}{name}"] = said.get("disk") or DISK_CEILING
    return ceilings


def _taint(text: str) -> Taint:
    """Read `key[=value][:effect]`; `gpu` alone is `gpu:NoSchedule`."""
    mark, _, effect = text.partition(":")
    key, _, value = mark.partition("=")
    return Taint(key, value, effect or "NoSchedule")
