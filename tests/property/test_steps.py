"""Promises of every order, over random small fleets; where it stops a service, exhaustive search finds no other way."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bayplan.analyse.ledger import ledger
from bayplan.model.fleet import Disk, Fleet, Gpu, Node, Pool, Volume
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Seat
from bayplan.model.quantity import MEMORY, Quantity
from bayplan.model.service import Dependency, GpuAsk, Mount, Port, Replicas, Service
from bayplan.model.units import GIB
from bayplan.plan.change import Kind
from bayplan.plan.diff import diff
from bayplan.plan.order import Scene, order, proof
from bayplan.plan.order.walk import Walk
from bayplan.plan.stages import WHOLE, Cut, assign, staged
from bayplan.plan.state import state
from bayplan.plan.steps import Act, Wave

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.finding import Finding
    from bayplan.plan.stages import Stage

LIMITED = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NODES = ["n1", "n2", "n3", "n4"]
NAMES = [Name("p", letter) for letter in "abcdef"]
SOMETIMES = st.integers(0, 5).map(lambda number: number == 5)
STAGES = [
    (WHOLE,),
    (Cut("first", frozenset({"resize", "recreate", "stop"})), Cut("then")),
    (Cut("first", frozenset({"schedule", "move"})), Cut("then")),
    (Cut("first", frozenset({"move", "start"})), Cut("then", frozenset({"resize"})), Cut("last")),
]


@dataclass(frozen=True)
class Case:
    """Both ends of a plan."""

    as_is: Fleet
    to_be: Fleet
    now: Mapping[Instance, Seat]
    then: Mapping[Instance, Seat]

    def scene(self) -> Scene:
        sides = [
            state(fleet, seats, {name: one.body for name, one in fleet.services.items()})
            for fleet, seats in ((self.as_is, self.now), (self.to_be, self.then))
        ]
        return Scene(self.as_is, self.to_be, sides[0], sides[1], diff(sides[0], sides[1]))

    def stages(self, cuts: tuple[Cut, ...]) -> tuple[Stage, ...]:
        scene = self.scene()
        taken, findings = assign(cuts, scene.changes)
        assert findings == []
        return staged(self.as_is, self.to_be, scene.now, cuts, taken)


def amount(gib: float) -> dict[str, Quantity]:
    return {MEMORY: Quantity(int(gib * GIB))}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return a fleet whose end fits its nodes, mostly narrowly; its beginning fits or does not."""
    there = NODES[: draw(st.integers(2, 4))]
    names = NAMES[: draw(st.integers(1, 6))]
    node = st.sampled_from(there)
    ports: set[tuple[str, int]] = set()
    old: dict[Name, Service] = {}
    new: dict[Name, Service] = {}
    now: dict[Instance, Seat] = {}
    then: dict[Instance, Seat] = {}
    tied: dict[str, tuple[str, str]] = {}
    for name in names:
        copies = draw(st.sampled_from([1, 1, 1, 2]))
        volume = draw(st.sampled_from(["", "", "", "v", "w"])) if copies == 1 else ""
        begins, ends = ([draw(node) for _ in range(copies)] for _ in range(2))
        if volume in tied:
            begins, ends = [tied[volume][0]], [tied[volume][1]]
        elif volume:
            tied[volume] = begins[0], ends[0]
        size, later = (draw(st.sampled_from([1, 2, 3, 5])) for _ in range(2))
        before = draw(st.sampled_from([size, size, later, None]))
        port = draw(st.sampled_from([0, 0, 80, 81]))
        if port and (copies > 1 or (ends[0], port) in ports):
            port = 0
        ports |= {(one, port) for one in ends if port}
        earlier = [one.name for one in names if one < name]
        needed = draw(st.lists(st.sampled_from(earlier), max_size=2)) if earlier else []
        service = Service(
            name,
            requests={"cpus": Quantity(100)},
            limits=amount(size),
            replicas=Replicas(copies, copies, copies),
            pool=draw(st.sampled_from(["", "", "", "desk"])),
            gpu=GpuAsk(memory=draw(st.sampled_from([1, 2])) * GIB) if draw(SOMETIMES) else None,
            mounts=(Mount("volume", volume, "/v"),) if volume else (),
            ports=(Port(port, port),) if port else (),
            depends_on=tuple(Dependency(one) for one in sorted(set(needed))),
            body={"image": "x:1"},
        )
        first = replace(
            service,
            limits=amount(before) if before else {},
            pool="",
            ports=service.ports if draw(st.booleans()) else (),
            body={"image": draw(st.sampled_from(["x:1", "x:1", "x:0"]))},
        )
        kept = "both" if volume else draw(st.sampled_from(["both"] * 6 + ["new", "gone"]))
        cards = (0,) if service.gpu else ()
        if kept != "new":
            old[name] = first
            now |= {Instance(name, n): Seat(begins[n - 1], cards) for n in range(1, copies + 1)}
        if kept != "gone":
            new[name] = service
            then |= {Instance(name, n): Seat(ends[n - 1], cards) for n in range(1, copies + 1)}
    return fitted(there, old, new, now, then, draw(st.sampled_from([0, 0, 1, 3])))


def fitted(
    there: list[str],
    old: dict[Name, Service],
    new: dict[Name, Service],
    now: dict[Instance, Seat],
    then: dict[Instance, Seat],
    spare: int,
) -> Case:
    """Return a case whose nodes are just so large that its end fits, with `spare` GiB to spare."""
    pools = {"desk": Pool("desk", "on-demand", concurrent=1)}
    volumes = {Name("p", key): Volume(Name("p", key), access="shared", size=Quantity(GIB)) for key in ("v", "w")}
    roomy = {name: Quantity(1000 * GIB) for name in (MEMORY,)}
    wide = {
        name: Node(name, capacity={"cpus": Quantity(10**6), **roomy}, gpus=(Gpu(0, "x", 100 * GIB),)) for name in there
    }
    shape = Fleet("f", "default", wide, {}, volumes=volumes)
    to_be = replace(shape, services=new, pools=pools)
    full = ledger(to_be, then)

    def bar(name: str, resource: str) -> int:
        row = full.row(name, resource)
        assert row is not None
        return row.bar

    nodes = {
        name: replace(
            one,
            capacity={
                "cpus": Quantity(10**6),
                MEMORY: Quantity(bar(name, MEMORY) + spare * GIB),
                "disk:d": Quantity(3 * GIB),
            },
            gpus=(Gpu(0, "x", bar(name, "gpu_memory/0") + spare * GIB),),
            disks={"d": Disk("/d", 3 * GIB)},
        )
        for name, one in wide.items()
    }
    return Case(replace(shape, nodes=nodes, services=old), replace(to_be, nodes=nodes), now, then)


def arranged(case: Case, cuts: tuple[Cut, ...] = (WHOLE,)) -> tuple[tuple[Wave, ...], list[Finding]]:
    return order(case.scene(), case.stages(cuts))


def errors(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.is_error]


@LIMITED
@given(cases())
def test_an_end_that_fits_is_reached(case: Case) -> None:
    """In one stage there is always a way, if need be with a stop."""
    waves, findings = arranged(case)
    assert errors(findings) == []
    assert proof(case.scene(), waves) == []
    assert bool(waves) is bool(case.scene().changes)


@LIMITED
@given(cases(), st.sampled_from(STAGES))
def test_what_is_ordered_is_safe(case: Case, cuts: tuple[Cut, ...]) -> None:
    """Stages may be cut so that there is no way; what is said to be one, is one."""
    waves, findings = arranged(case, cuts)
    if waves or not case.scene().changes:
        assert proof(case.scene(), waves) == []
    else:
        assert [one.rule for one in errors(findings)] == ["rollout/no-order"]
        assert errors(findings)[0].arithmetic or "takes" in errors(findings)[0].message


@LIMITED
@given(cases(), st.sampled_from(STAGES))
def test_nothing_under_its_line_goes_over_it(case: Case, cuts: tuple[Cut, ...]) -> None:
    """The invariant once more, with the ledger itself asked at every moment."""
    waves, _ = arranged(case, cuts)
    walked = Walk(case.scene())
    started: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    named: Counter[tuple[str, str]] = Counter()
    stage = ""
    for moment in walked.moments(waves):
        if moment.stage != stage:
            stage, started, named = moment.stage, dict(last), Counter()
        named.update({(moment.node, key): more for key, more in moment.first.items()})
        for row in at(case, walked, moment.node).rows:
            key = (row.node, row.resource)
            if not row.resource.startswith("disk:"):
                assert moment.bars[row.resource] == row.bar
            allowed = max(row.line, started.get(key, row.bar)) + named[key]
            assert moment.bars[row.resource] <= max(allowed, last.get(key, 0))
            last[key] = moment.bars[row.resource]
        assert moment.bars["disk:d"] >= last.get((moment.node, "disk:d"), 0)


def at(case: Case, walked: Walk, node: str) -> object:
    """Return the ledger of a node at this moment of a walk, from nothing but what stands there."""
    stands = walked.world[node]
    services = {name: walked.scene.service(name, stand.form) for name, stand in stands.items()}
    seats = {
        Instance(name, number): seat
        for name, stand in stands.items()
        if not stand.halted
        for number, seat in stand.seats.items()
    }
    return ledger(replace(case.to_be, nodes={node: case.to_be.nodes[node]}, services=services), seats)


DONE_BY = {
    Kind.RESIZE: {Act.RESIZE},
    Kind.STOP: {Act.STOP},
    Kind.START: {Act.START, Act.REST},
    Kind.RECREATE: {Act.RECREATE, Act.START, Act.STOP},
    Kind.SCHEDULE: {Act.REST, Act.START, Act.STOP},
    Kind.MOVE: {Act.MOVE, Act.RECREATE, Act.SCALE, Act.START, Act.STOP},
    Kind.SCALE: {Act.SCALE, Act.START, Act.STOP},
}


@LIMITED
@given(cases(), st.sampled_from(STAGES))
def test_each_change_is_done_once(case: Case, cuts: tuple[Cut, ...]) -> None:
    scene = case.scene()
    waves, _ = arranged(case, cuts)
    if not waves:
        return
    stages = {one.cut.name: one.changes for one in case.stages(cuts)}
    done = Counter((wave.stage, step.service, step.kind, step.node) for wave in waves for step in wave.steps)
    temporary = {
        (w.stage, s.service, Act.STOP, s.node) for w in waves for s in w.steps if w.kind is Act.STOP and s.after
    }
    twice = [key for key, many in done.items() if many > 1 and key not in temporary and key[2] is not Act.MOVE]
    assert twice == []  # copies of one service may leave a node for two others
    for name, changes in stages.items():
        for change in changes:
            acts = {act for stage, service, act, _ in done if (stage, service) == (name, change.service)}
            assert acts & DONE_BY[change.kind], change
    assert {service for _, service, *_ in done} == {change.service for change in scene.changes}


@LIMITED
@given(cases())
def test_steps_are_told(case: Case) -> None:
    waves, _ = arranged(case)
    assert [wave.number for wave in waves] == list(range(1, len(waves) + 1))
    ids = [step.id for wave in waves for step in wave.steps]
    assert len(ids) == len(set(ids))
    for wave in waves:
        assert wave.why
        assert "{" not in wave.why
        assert {step.kind for step in wave.steps} == {wave.kind}
        assert (wave.move is not None) is (wave.kind is Act.MOVE)
        for step in wave.steps:
            assert step.id.startswith(f"{wave.number}.{step.node}.")
            assert step.copies > 0
            assert step.downtime
            assert step.undo
            assert (step.before is not None) or step.kind in (Act.START, Act.REST)
            assert (step.after is not None) or step.kind is Act.STOP


@LIMITED
@given(cases())
def test_starts_wait_for_what_they_need_and_stops_for_what_needs_them(case: Case) -> None:
    waves, _ = arranged(case)
    for wave in waves:
        place = {(step.service, step.node): n for steps in wave.nodes.values() for n, step in enumerate(steps)}
        for (service, node), n in place.items():
            needed = {Name("p", one.name) for one in walked_needs(case, service)}
            for (other, elsewhere), m in place.items():
                if other in needed and wave.kind in (Act.START, Act.RECREATE):
                    assert elsewhere == node, "who needs whom is not done at the same time on two nodes"
                    assert m < n
                if other in needed and wave.kind is Act.REST and elsewhere == node:
                    assert n < m


def walked_needs(case: Case, name: Name) -> Iterator[Dependency]:
    for fleet in (case.as_is, case.to_be):
        if name in fleet.services:
            yield from fleet.services[name].depends_on


@st.composite
def movings(draw: st.DrawFn) -> tuple[Case, dict[str, tuple[str, str, int]]]:
    """Return a fleet in which some services change places and nothing else happens."""
    there = NODES[: draw(st.integers(2, 3))]
    found: dict[str, tuple[str, str, int]] = {}
    for letter in "abcde"[: draw(st.integers(2, 5))]:
        source, target = draw(st.permutations(there))[:2]
        found[letter] = (source, target, draw(st.sampled_from([1, 2, 3, 5])))
    return moving(there, found, draw(st.sampled_from([0, 0, 1, 2]))), found


def moving(there: list[str], movers: dict[str, tuple[str, str, int]], spare: int) -> Case:
    services = {Name("p", one): Service(Name("p", one), requests={"cpus": Quantity(1)}, limits=amount(size), body={"image": "x"})
                for one, (_, _, size) in movers.items()}  # fmt: skip
    now, then = ({Instance(Name("p", one)): Seat(way[end]) for one, way in movers.items()} for end in (0, 1))
    case = fitted(there, services, dict(services), now, then, spare)
    # As large as the larger of both ends: neither is over its line.
    nodes = {}
    for name, node in case.to_be.nodes.items():
        begins = sum(size for source, _, size in movers.values() if source == name) * GIB
        nodes[name] = replace(node, capacity={**node.capacity, MEMORY: Quantity(max(begins, node.has(MEMORY)))})
    return replace(case, as_is=replace(case.as_is, nodes=nodes), to_be=replace(case.to_be, nodes=nodes))


Standing = tuple[frozenset[str], frozenset[str]]
"""Who has moved, and who is stopped."""


def fewest_stops(case: Case, movers: dict[str, tuple[str, str, int]]) -> int:
    """Return with how few stops all can move, by trying every order, in plain sums."""
    room = {name: node.has(MEMORY) // GIB for name, node in case.to_be.nodes.items()}
    begin: Standing = (frozenset(), frozenset())
    best, queue = {begin: 0}, deque([begin])
    while queue:
        now = queue.popleft()
        for after, stops in ways(now, movers, room):
            if best.get(after, 99) > best[now] + stops:
                best[after] = best[now] + stops
                queue.append(after)
    return best[frozenset(movers), frozenset()]


def ways(
    now: Standing, movers: dict[str, tuple[str, str, int]], room: dict[str, int]
) -> Iterator[tuple[Standing, int]]:
    """Yield what can be done next: somebody moves whose copy fits beside all that runs, or somebody is stopped."""
    done, halted = now
    used: Counter[str] = Counter()
    for one, (source, target, size) in movers.items():
        if one in done or one not in halted:
            used[target if one in done else source] += size
    for one, (_, target, size) in movers.items():
        if one not in done and used[target] + size <= room[target]:
            yield (done | {one}, halted - {one}), 0
        if one not in done | halted:
            yield (done, halted | {one}), 1


@settings(LIMITED, max_examples=300)
@given(movings())
@example(
    (
        moving(["n1", "n2"], {"a": ("n1", "n2", 5), "b": ("n2", "n1", 5)}, 0),
        {"a": ("n1", "n2", 5), "b": ("n2", "n1", 5)},
    )
)
def test_it_stops_only_whom_it_must(drawn: tuple[Case, dict[str, tuple[str, str, int]]]) -> None:
    case, movers = drawn
    waves, findings = arranged(case)
    assert errors(findings) == []
    assert proof(case.scene(), waves) == []
    stopped = [step.service.name for wave in waves for step in wave.steps if wave.kind is Act.STOP]
    assert len(stopped) == fewest_stops(case, movers)
    first = [step.service.name for wave in waves if wave.move and wave.move.stop_first for step in wave.move.steps]
    assert sorted(first) == sorted(stopped)
    assert len(findings) == len(stopped)
