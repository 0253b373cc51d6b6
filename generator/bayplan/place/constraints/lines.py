"""Policy lines: what can be taken away from a policy, one at a time, when it cannot hold.

Each hard constraint belongs to one line (two ports that clash: to two). A conflict is a set of lines that cannot
hold together, while any of them less would; so a line is as much as a person can change in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.finding import NOWHERE, Place
from bayplan.model.quantity import MEMORY, Origin
from bayplan.model.units import show, show_bytes
from bayplan.place.words import several

if TYPE_CHECKING:
    from bayplan.model.fleet import Fleet, Network, Node, Pool, Taint, Volume
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Attachment, Dependency, GpuAsk, Port, Service

Key = tuple[str, str, str]
"""Which line it is, whatever it says: (kind, subject, detail). It survives a change of the line's amount."""

GPU = "gpu"
"""The detail of a demand line that asks for cards."""


@dataclass(frozen=True, slots=True, order=True)
class PolicyLine:
    """One line of the policy (or of a Compose file) that takes part in a constraint.

    Attributes:
        kind: `demand`, `capacity`, `fixed`, `hold`, `volume`, `port`, …
        subject: the service, node, pool or volume it speaks of.
        detail: the resource, network or other service, where the subject alone is not enough.
        words: the line as a person would quote it: `services.bev/neo4j limits.memory 3 GiB`.
        amount: of a demand, for one copy, or of a capacity, in the unit of its resource; else 0.
        place: where it is written.
    """

    kind: str
    subject: str
    detail: str = ""
    words: str = ""
    amount: int = 0
    place: Place = NOWHERE

    @property
    def key(self) -> Key:
        """Return what stays the same when the amount changes."""
        return self.kind, self.subject, self.detail


def demand(fleet: Fleet, service: Service, resource: str) -> PolicyLine:
    """Return the line by which a service asks for a resource; its amount is one copy's charge."""
    quantity = charge(fleet, service, resource)
    amount = quantity.amount if quantity else 0
    said = f"{_key_of(service, resource, quantity)} {show(resource, amount)}"
    times = f" x {service.replicas.count}" if service.replicas.count > 1 else ""
    place = quantity.place if quantity else service.place
    return PolicyLine("demand", str(service.name), resource, f"services.{service.name} {said}{times}", amount, place)


def _key_of(service: Service, resource: str, quantity: Quantity | None) -> str:
    if quantity is not None and quantity.origin is Origin.ESTIMATED:
        return f"estimated {resource}"
    request = service.requests.get(resource)
    asked = request is not None and quantity is not None and request.amount == quantity.amount
    return f"requests.{resource}" if asked and service.limits.get(resource) != request else f"limits.{resource}"


def gpu_demand(service: Service, ask: GpuAsk) -> PolicyLine:
    """Return the line by which a service asks for cards."""
    words = f"services.{service.name} gpu {show_ask(ask)}"
    return PolicyLine("demand", str(service.name), GPU, words, ask.memory, ask.place)


def show_ask(ask: GpuAsk) -> str:
    """Return an ask in the policy's words: `2.5 GiB`, `4 whole cards`, `1g.10gb`."""
    if ask.memory:
        return show_bytes(ask.memory)
    if ask.count:
        return "1 whole card" if ask.count == 1 else f"{ask.count} whole cards"
    if ask.profile:
        return ask.profile
    return "access to a card" if ask.access in (0, 1) else f"access to {'all' if ask.access < 0 else ask.access} cards"


def disk_demand(volume: Volume, size: int) -> PolicyLine:
    """Return the line by which a volume asks for disk."""
    words = f"volumes.{volume.name} {volume.disk_class or 'size'} {show_bytes(size)}"
    place = volume.size.place if volume.size else volume.place
    return PolicyLine("demand", str(volume.name), f"disk:{volume.disk_class}", words, size, place)


def capacity(node: Node, resource: str) -> PolicyLine:
    """Return the line of a node's capacity, with its ceiling and reserve."""
    words = f"nodes.{node.name} {resource} {show_line(node, resource)}"
    quantity = node.capacity.get(resource)
    place = quantity.place if quantity else node.place
    return PolicyLine("capacity", node.name, resource, words, node.has(resource), place)


def show_line(node: Node, resource: str) -> str:
    """Return `54.4 GiB = 85 % of 64 GiB, reserve 4 GiB`, without the parts that say nothing."""
    share = node.ceilings.get(resource)
    whole = show(resource, node.has(resource))
    percent = f"{float(share.value * 100):g} %" if share and share.value != 1 else ""
    line = f"{show(resource, node.line(resource))} = {percent} of {whole}" if percent else whole
    kept = node.reserved(resource)
    return f"{line}, reserve {show(resource, kept)}" if kept else line


def cards(node: Node) -> PolicyLine:
    """Return the line of a node's cards."""
    words = f"nodes.{node.name} gpus {show_cards(node)}"
    return PolicyLine("gpus", node.name, "", words, len(node.gpus), node.place)


def show_cards(node: Node) -> str:
    """Return the cards of a node: `8 x H100 80 GiB`, or `none`."""
    kinds: dict[str, int] = {}
    for card in node.gpus:
        kind = f"{card.model or 'card'} {show_bytes(card.memory)}{' cut' if card.mig else ''}"
        kinds[kind] = kinds.get(kind, 0) + 1
    return ", ".join(f"{number} x {kind}" for kind, number in sorted(kinds.items())) or "none"


def fixed(service: Service) -> PolicyLine:
    """Return the line that fixes a service to one node."""
    rule = service.placement
    return PolicyLine("fixed", str(service.name), "", f"services.{service.name} placement: {rule.node}", 0, rule.place)


def rule(service: Service, kind: str, detail: str, words: str) -> PolicyLine:
    """Return a line of a service's placement rule: `nodes`, `require`, `affinity`, `apart` or `spread`."""
    text = f"services.{service.name} placement.{words}"
    key = "anti_affinity" if kind == "apart" else kind
    return PolicyLine(kind, str(service.name), detail, text, 0, service.placement.at(key))


def cores(service: Service, place: Place) -> PolicyLine:
    """Return the line by which a service asks for a set of cores."""
    return PolicyLine("cores", str(service.name), "", f"services.{service.name} cores: {service.cores}", 0, place)


def taint(node: Node, mark: Taint) -> PolicyLine:
    """Return the line of a node's taint."""
    value = f"={mark.value}" if mark.value else ""
    words = f"nodes.{node.name} taint {mark.key}{value}:{mark.effect}"
    return PolicyLine("taint", node.name, mark.key, words, 0, node.place)


def arch(service: Service) -> PolicyLine:
    """Return the line that says which processors a service's image runs on."""
    words = f"services.{service.name} platform {', '.join(sorted(service.platforms))}"
    return PolicyLine("arch", str(service.name), "", words, 0, service.place)


def pool(one: Pool, resource: str, quota: Quantity | None) -> PolicyLine:
    """Return the line that says what a pool is charged (on demand) or may take (a quota)."""
    amount = quota.amount if quota else 0
    bound = f" quota.requests.{resource} {show(resource, amount)}" if quota else ""
    running = f" concurrent {one.concurrent}" if one.concurrent else ""
    words = f"pools.{one.name} {one.scaling}{bound}{running}"
    return PolicyLine("pool", one.name, resource, words, amount, quota.place if quota else one.place)


def volume(one: Volume, users: int, place: Place) -> PolicyLine:
    """Return the line that keeps the users of a volume on one node; `place` is a mount, if nobody wrote more."""
    words = f"volumes.{one.name} access {one.access}, on_move {one.on_move} ({several(users, 'service')})"
    return PolicyLine("volume", str(one.name), "", words, 0, place if one.place == NOWHERE else one.place)


def edge(service: Service, to: Dependency, network: Network | None, why: str) -> PolicyLine:
    """Return the line of a dependency that must not cross nodes."""
    over = f" over {network.name}" if network else ""
    words = f"services.{service.name} depends_on {to.name}{over} ({why})"
    return PolicyLine("edge", str(service.name), to.name, words, 0, to.place)


def port(service: Service, one: Port) -> PolicyLine:
    """Return the line of a published port (after remapping)."""
    detail = f"{one.host_ip}:{one.published}/{one.protocol}"
    return PolicyLine("port", str(service.name), detail, f"services.{service.name} ports {one}", 0, one.place)


def container_name(service: Service) -> PolicyLine:
    """Return the line of a fixed container name."""
    words = f"services.{service.name} container_name {service.container_name}"
    written = service.tree.get("container_name") if service.tree is not None else None
    place = written.place if written is not None else service.place
    return PolicyLine("name", str(service.name), service.container_name, words, 0, place)


def address(service: Service, joined: Attachment) -> PolicyLine:
    """Return the line of a fixed address."""
    words = f"services.{service.name} ipv4_address {joined.ipv4} on {joined.network}"
    return PolicyLine("address", str(service.name), joined.ipv4, words, 0, joined.place)


MEASURED_IN = {MEMORY: "GiB"}
"""Resources whose sums are written in one unit that stands at the end."""
