"""Promises of every decision, over random small fleets, and an exhaustive search to compare with on tiny ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayplan.model.fleet import Disk, Fleet, Gpu, Network, Node, Pool, Share, Taint, Tier, Volume
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Seat
from bayplan.model.quantity import Quantity
from bayplan.model.service import Attachment, Dependency, GpuAsk, Mount, PlacementRule, Port, Replicas, Service
from bayplan.model.units import GIB
from bayplan.place import decide, verify, why_not
from bayplan.place.conflict.shrink import Budget
from bayplan.place.upfront.causes import upfront

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LIMITED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NAMES = [Name("p", letter) for letter in "abcde"]
NODES = ["n1", "n2", "n3"]
SOMETIMES = st.integers(0, 7).map(lambda number: number == 7)  # the last, as examples shrink towards the first
OFTEN = st.integers(0, 2).map(lambda number: number > 1)


def bytes_of(gib: float) -> Quantity:
    """Return an amount of memory."""
    return Quantity(int(gib * GIB))


@st.composite
def nodes(draw: st.DrawFn, name: str) -> Node:
    """Return a machine of a few GiB."""
    sizes = draw(st.lists(st.sampled_from([8, 4]), min_size=1, max_size=2))
    mig = draw(st.sampled_from([(), ("1g", "1g", "2g"), ("1g",)])) if len(sizes) > 1 else ()
    reserve = {"memory": bytes_of(draw(st.integers(0, 1))), "gpu_memory": bytes_of(int(draw(SOMETIMES)))}
    ceiling = Share(Fraction(draw(st.sampled_from([100, 100, 75])), 100))
    disks = draw(st.sampled_from([{}, {"ssd": 4}, {"hdd": 1, "ssd": 4}, {"hdd": 4, "ssd": 1}]))
    return Node(
        name,
        arch=draw(st.sampled_from(["amd64", "amd64", "arm64", ""])),
        capacity={
            "cpus": Quantity(8000),
            "memory": bytes_of(draw(st.integers(2, 12))),
            **{f"disk:{key}": bytes_of(size) for key, size in disks.items()},
        },
        disks={key: Disk(f"/{key}", size * GIB) for key, size in disks.items()},
        reserve=reserve,
        ceilings={"memory": ceiling, "gpu_memory": ceiling},
        gpus=tuple(Gpu(index, "card", size * GIB, mig if index == 0 else ()) for index, size in enumerate(sizes)),
        labels={} if draw(SOMETIMES) else {"rack": draw(st.sampled_from(["r1", "r2"]))},
        taints=(Taint("t"),) if draw(SOMETIMES) else (),
    )


ASKS = st.one_of(
    *[st.none()] * 10,
    st.builds(GpuAsk, memory=st.sampled_from([2 * GIB, 3 * GIB]), time_group=st.sampled_from(["", "", "night"])),
    st.builds(GpuAsk, count=st.integers(1, 2)),
    st.builds(GpuAsk, profile=st.sampled_from(["1g", "2g"])),
    st.builds(GpuAsk, access=st.sampled_from([1, 1, -1])),
)


@st.composite
def rules(draw: st.DrawFn, there: list[str], names: list[Name]) -> PlacementRule:
    """Return a placement rule that mostly asks nothing."""
    other = st.sampled_from(names)
    some = st.lists(st.sampled_from(there), min_size=1, unique=True)
    return PlacementRule(
        node=draw(st.sampled_from(there)) if draw(SOMETIMES) else "",
        nodes=tuple(draw(some)) if draw(SOMETIMES) else (),
        require={"rack": ("r1",)} if draw(SOMETIMES) else {},
        tolerations=("t",) if draw(st.booleans()) else (),
        affinity={"node": (draw(other),)} if draw(SOMETIMES) else {},
        anti_affinity={draw(st.sampled_from(["node", "gpu"])): (draw(other),)} if draw(SOMETIMES) else {},
        spread=draw(st.sampled_from(["node", "rack"])) if draw(SOMETIMES) else "",
    )


@st.composite
def services(draw: st.DrawFn, name: Name, there: list[str], names: list[Name]) -> Service:
    """Return a small service with a tie or two."""
    copies = draw(st.sampled_from([1, 1, 1, 2]))
    amount = draw(st.sampled_from([1, 2, None, 0.5, 3, 4, 6]))
    mounts = [Mount("volume", draw(st.sampled_from(["v", "w"])), "/v")] if draw(OFTEN) else []
    mounts += [Mount("bind", draw(st.sampled_from(["./x", "/proc"])), "/x")] if draw(SOMETIMES) else []
    earlier = [one.name for one in names if one < name]
    tied = bool(earlier) and draw(SOMETIMES)
    needed = draw(st.lists(st.sampled_from(earlier), max_size=1)) if tied else []
    return Service(
        name,
        platforms=("linux/amd64",) if draw(SOMETIMES) else (),
        requests={"cpus": Quantity(100)},
        limits={"memory": bytes_of(amount)} if amount else {},
        replicas=Replicas(copies, copies, copies),
        tier=draw(st.sampled_from(["standard", "low"])),
        pool=draw(st.sampled_from(["", "", "turns", "quota"])),
        gpu=draw(ASKS),
        ports=(Port(80, 80),) if draw(SOMETIMES) else (),
        mounts=tuple(mounts),
        networks=(Attachment("net"),),
        depends_on=tuple(Dependency(one) for one in needed),
        placement=draw(rules(there, names)),
    )


@st.composite
def fleets(draw: st.DrawFn, most_services: int = 5) -> Fleet:
    """Return a fleet of up to three machines and a few services, that fits or does not."""
    there = NODES[: draw(st.integers(1, 3))]
    names = NAMES[: draw(st.integers(1, most_services))]
    made = {name: draw(services(name, there, names)) for name in names}
    copies = [Instance(name, number) for name in names for number in range(1, made[name].replicas.count + 1)]
    standing = {one: draw(st.sampled_from(there)) for one in copies if draw(st.booleans())}
    access = draw(st.sampled_from(["shared", "shared", "network"]))
    v = Volume(
        Name("p", "v"),
        access=access,
        on_move=draw(st.sampled_from(["carry", "never", "own"])),
        disk_class=draw(st.sampled_from(["", "", "ssd"])),
        size=draw(st.sampled_from([bytes_of(2), None])),
    )
    net = Network(Name("p", "net"), between_nodes=draw(st.sampled_from(["overlay", "overlay", "refuse"])))
    return Fleet(
        "f",
        "default",
        {name: draw(nodes(name)) for name in there},
        made,
        tiers={"low": Tier("low", 100, preemptible=True)},
        pools={
            "turns": Pool("turns", "on-demand", concurrent=draw(st.integers(1, 2))),
            "quota": Pool("quota", "on-demand", {"requests": {"memory": bytes_of(6), "gpu_memory": bytes_of(4)}}),
        },
        volumes={v.name: v},
        networks={net.name: net},
        standing=standing,
    )


@given(fleets())
@LIMITED
def test_a_placement_holds_and_seats_everybody_once(fleet: Fleet) -> None:
    decision = decide(fleet)
    if decision.placement is None:
        assert decision.conflicts or any(finding.is_error for finding in decision.findings)
        return
    assert set(decision.placement.seats) == set(fleet.instances())
    assert verify(fleet, decision.placement) == ()
    assert not list(Search(fleet).broken(decision.placement.seats))


@given(fleets(4))
@settings(LIMITED, max_examples=150)
def test_a_placement_is_found_if_there_is_one(fleet: Fleet) -> None:
    decision = decide(fleet)
    # A pool that could never start one of its members is refused although its sums would fit.
    if "quota/below-members" not in {finding.rule for finding in decision.findings}:
        assert (decision.placement is not None) == Search(fleet).possible()


@given(fleets(), st.randoms(use_true_random=False))
@settings(LIMITED, max_examples=30)
def test_the_order_of_mappings_changes_nothing(fleet: Fleet, dice: Any) -> None:
    def shuffled(mapping: Mapping[Any, Any]) -> dict[Any, Any]:
        items = list(mapping.items())
        dice.shuffle(items)
        return dict(items)

    named = ("nodes", "services", "pools", "volumes", "networks", "standing")
    changed: dict[str, Any] = {name: shuffled(getattr(fleet, name)) for name in named}
    other = replace(fleet, **changed)
    assert decide(other) == decide(fleet)


@given(fleets())
@settings(LIMITED, max_examples=40)
def test_what_was_decided_is_decided_again(fleet: Fleet) -> None:
    first = decide(fleet).placement
    if first is not None:
        again = decide(fleet, first).placement
        assert again is not None
        assert again.seats == first.seats


@given(fleets())
@LIMITED
def test_every_conflict_is_irreducible(fleet: Fleet) -> None:
    problem = upfront(fleet).problem
    everything = [line.key for line in problem.all_lines()]
    for conflict in decide(fleet).conflicts:
        assert conflict.proven
        keys = {line.key for line in conflict.lines}
        alone = problem.without(key for key in everything if key not in keys)
        ask = Budget(100)
        assert ask.feasible(alone) is False
        assert all(ask.feasible(alone.without([key])) is True for key in keys)


@given(fleets())
@settings(LIMITED, max_examples=40)
def test_every_remedy_ends_its_conflict(fleet: Fleet) -> None:
    for conflict in decide(fleet).conflicts:
        keys = {line.key for line in conflict.lines}
        for remedy in conflict.remedies:
            left = decide(remedy.apply(fleet)).conflicts
            assert keys not in [{line.key for line in one.lines} for one in left], remedy.text


@given(fleets(4))
@settings(LIMITED, max_examples=40)
def test_why_not_says_nothing_exactly_where_a_copy_could_stand(fleet: Fleet) -> None:
    placement = decide(fleet).placement
    if placement is None:
        return
    search = Search(fleet)
    for one, seat in placement.seats.items():
        for node in fleet.nodes:
            moved = [{**placement.seats, one: Seat(node, cards)} for cards in search.hands(one, node)]
            fits = node == seat.node or any(not list(search.broken(seats)) for seats in moved)
            assert (why_not(fleet, placement, one, node) == ()) == fits


class Search:
    """The rules once more, written down as plainly as possible, and every combination tried."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.services = fleet.services

    def possible(self) -> bool:
        """Whether any combination of nodes and cards breaks nothing; nodes first, as most fail there."""
        copies = self.fleet.instances()
        open_nodes = [
            [node for node in self.fleet.nodes if not self.refused(self.services[one.service], node)] for one in copies
        ]
        for chosen in product(*open_nodes):
            bare = {one: Seat(node) for one, node in zip(copies, chosen, strict=True)}
            if not any(self.broken_without_cards(bare)) and self.cards_possible(bare):
                return True
        return False

    def cards_possible(self, bare: dict[Instance, Seat]) -> bool:
        """Whether the copies that ask for cards find them, node by node."""
        for node in self.fleet.nodes:
            asking = [one for one, seat in bare.items() if seat.node == node and self.services[one.service].gpu]
            choices = [self.hands(one, node) for one in asking]
            trials = (dict(zip(asking, hands, strict=True)) for hands in product(*choices))
            if not any(not any(self.broken_cards(node, trial)) for trial in trials):
                return False
        return True

    def hands(self, one: Instance, node: str) -> list[tuple[int, ...]]:
        """Return every set of cards of the right number."""
        ask, count = self.services[one.service].gpu, len(self.fleet.nodes[node].gpus)
        if ask is None:
            return [()]
        uncut = [card.index for card in self.fleet.nodes[node].gpus if not card.mig]
        if ask.access < 0:
            return [tuple(uncut)] if uncut else []
        wanted = ask.count or 1
        return [cards for cards in product(range(count), repeat=wanted) if list(cards) == sorted(set(cards))]

    def broken(self, seats: Mapping[Instance, Seat]) -> Iterator[str]:
        """Yield what seats break."""
        yield from self.broken_without_cards(seats)
        for node in self.fleet.nodes:
            hands = {
                one: seat.gpus for one, seat in seats.items() if seat.node == node and self.services[one.service].gpu
            }
            yield from self.broken_cards(node, hands)
        for one, seat in seats.items():
            if self.refused(self.services[one.service], seat.node):
                yield f"{one} is refused"

    def broken_without_cards(self, seats: Mapping[Instance, Seat]) -> Iterator[str]:
        """Yield what the nodes of seats break."""
        on = {
            node: [self.services[one.service] for one, seat in seats.items() if seat.node == node]
            for node in self.fleet.nodes
        }
        where = {name: {seat.node for one, seat in seats.items() if one.service == name} for name in self.services}
        for node, here in on.items():
            yield from self.broken_on(node, here)
        for key in ("v", "w"):
            users = [name for name, one in self.services.items() if any(mount.source == key for mount in one.mounts)]
            if self.binds(key) and len({node for name in users for node in where[name]}) > 1:
                yield "volume"
        for service in self.services.values():
            yield from self.broken_spread(service, seats)
            if self.held(service) and any(
                Counter(seat.node for one, seat in seats.items() if one.service == service.name)[node] < number
                for node, number in self.stood(service).items()
            ):
                yield "held"

    def broken_on(self, node: str, here: list[Service]) -> Iterator[str]:
        """Yield what services together on one node break."""
        limit = int(self.fleet.nodes[node].ceilings["memory"].value * self.fleet.nodes[node].has("memory"))
        if self.charged(here) and self.charged(here) + self.fleet.nodes[node].reserved("memory") > limit:
            yield "memory"
        names = Counter(one.name for one in here)
        if sum(bool(one.ports) for one in here) > 1:
            yield "port"
        if any(mount.source == "v" for one in here for mount in one.mounts) and self.too_large(node):
            yield "disk"
        for one in here:
            apart = one.placement.anti_affinity.get("node", ())
            if any(names[other] > (other == one.name) for other in apart):
                yield "anti-affinity"
            if any(not names[other] for other in self.beside(one)):
                yield "beside"

    def too_large(self, name: str) -> bool:
        """Whether the volume `v` is larger than the disk that it would be on; a node without any bounds it not."""
        v, node = self.fleet.volumes[Name("p", "v")], self.fleet.nodes[name]
        disk = v.disk_class or next(iter(node.disks), "")
        sized = v.size if v.access != "network" else None
        return bool(sized and disk and sized.amount > node.has(f"disk:{disk}"))

    def charged(self, here: Iterable[Service]) -> int:
        """Return the memory that services on one node are charged."""
        amounts = [(one.pool, one.limits["memory"].amount) for one in here if one.limits]
        turns = sorted((amount for pool, amount in amounts if pool == "turns"), reverse=True)
        quota = min(sum(amount for pool, amount in amounts if pool == "quota"), 6 * GIB)
        return (
            sum(amount for pool, amount in amounts if not pool)
            + sum(turns[: self.fleet.pools["turns"].concurrent])
            + quota
        )

    def beside(self, service: Service) -> list[Name]:
        """Return what must stand on the same node."""
        refused = self.fleet.networks[Name("p", "net")].between_nodes == "refuse"
        edges = [Name("p", edge.name) for edge in service.depends_on] if refused else []
        return [name for name in (*service.placement.affinity.get("node", ()), *edges) if name != service.name]

    def binds(self, key: str) -> bool:
        """Whether a volume keeps its users together."""
        volume = self.fleet.volumes.get(Name("p", key))
        return volume is None or (volume.access != "network" and volume.on_move != "own")

    def stood(self, service: Service) -> Counter[str]:
        """Return where copies stand today."""
        return Counter(node for one, node in self.fleet.standing.items() if one.service == service.name)

    def held(self, service: Service) -> bool:
        """Whether a service stays where it stands."""
        never = [
            volume.name.name
            for volume in self.fleet.volumes.values()
            if volume.on_move == "never" and volume.access != "network"
        ]
        return any(mount.source in {"./x", *never} for mount in service.mounts) and bool(self.stood(service))

    def refused(self, service: Service, node: str) -> bool:
        """Whether a service never stands on a node."""
        return (
            self.unfit(service, node)
            or (self.held(service) and not self.stood(service)[node])
            or (service.placement.node not in {"", node})
        )

    def unfit(self, service: Service, name: str) -> bool:
        """Whether the machine itself, or a rule about it, rules a service out."""
        node, rule = self.fleet.nodes[name], service.placement
        tainted = bool(node.taints) and not rule.tolerations and not self.stood(service)[name]
        label = rule.require and node.labels.get("rack") != "r1"
        return bool(
            (rule.nodes and name not in rule.nodes)
            or label
            or (rule.spread == "rack" and "rack" not in node.labels)
            or tainted
            or (service.platforms and node.arch == "arm64")
        )

    def broken_spread(self, service: Service, seats: Mapping[Instance, Seat]) -> Iterator[str]:
        """Yield a spreading rule that is broken, over the nodes that could have a copy if they were empty."""
        label = service.placement.spread
        able = [node for node in self.fleet.nodes if self.able(service, node)]
        domain = {node: node if label == "node" else self.fleet.nodes[node].labels.get("rack", "") for node in able}
        if label and domain:
            here = Counter(domain.get(seat.node, "?") for one, seat in seats.items() if one.service == service.name)
            each = [here[value] for value in set(domain.values())]
            most = -(-service.replicas.count // len(each))
            if max(each) > most or (label == "rack" and min(each) < service.replicas.count // len(each)):
                yield "spread"

    def able(self, service: Service, name: str) -> bool:
        """Whether an empty node could have a copy."""
        node = self.fleet.nodes[name]
        fixed = service.placement.node not in {"", name}
        room = node.ceilings["memory"].of(node.has("memory")) - node.reserved("memory")
        fits = not service.limits or service.limits["memory"].amount <= max(0, room)
        lone = Instance(service.name)
        hands = self.hands(lone, name) if service.gpu else [()]
        cards = not service.gpu or any(not any(self.broken_cards(name, {lone: hand})) for hand in hands)
        return not self.unfit(service, name) and not fixed and fits and cards

    def broken_cards(self, name: str, hands: Mapping[Instance, tuple[int, ...]]) -> Iterator[str]:
        """Yield what cards, given to copies on a node, break."""
        node = self.fleet.nodes[name]
        for card in node.gpus:
            here = [self.services[one.service] for one, given in hands.items() if card.index in given]
            asks = [one.gpu for one in here if one.gpu]
            reserve = node.reserved("gpu_memory") if card.index == 0 else 0
            if any(ask.count for ask in asks) and (len(asks) > 1 or reserve or card.mig):
                yield "whole"
            if card.mig and any(not ask.profile for ask in asks):
                yield "cut"
            if Counter(ask.profile for ask in asks if ask.profile) - Counter(card.mig):
                yield "slices"
            limit = max(0, node.ceilings["gpu_memory"].of(card.memory) - reserve)
            if self.vram(here) > limit:
                yield "vram"
            names = Counter(one.name for one in here if one.gpu and (one.gpu.memory or one.gpu.profile))
            for one in (self.services[name] for name in names):
                others = one.placement.anti_affinity.get("gpu", ())
                if any(names[other] > (other == one.name) for other in others):
                    yield "pair"
        if any(self.services[one.service].gpu and not given for one, given in hands.items()):
            yield "none"

    def vram(self, here: Iterable[Service]) -> int:
        """Return the VRAM that services on one card are charged."""
        asks = [(one.pool, one.gpu) for one in here if one.gpu and one.gpu.memory]
        night = max((ask.memory for _, ask in asks if ask.time_group), default=0)
        day = [(pool, ask.memory) for pool, ask in asks if not ask.time_group]
        turns = sorted((amount for pool, amount in day if pool == "turns"), reverse=True)[
            : self.fleet.pools["turns"].concurrent
        ]
        quota = min(sum(amount for pool, amount in day if pool == "quota"), 4 * GIB)
        return night + sum(amount for pool, amount in day if not pool) + sum(turns) + quota
