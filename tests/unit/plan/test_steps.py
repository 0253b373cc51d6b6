"""The order of steps: literal waves of small plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayplan.model.fleet import Fleet, Gpu, Node
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Seat
from bayplan.model.quantity import Quantity
from bayplan.model.service import GpuAsk, Service
from bayplan.plan.diff import diff
from bayplan.plan.order import Scene, order, proof, walk
from bayplan.plan.order.words import listed
from bayplan.plan.sides import standing
from bayplan.plan.stages import WHOLE, staged
from bayplan.plan.state import state
from bayplan.plan.steps import Act
from bayplan.render.compose import bodies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Finding
    from bayplan.plan.plan import Plan
    from bayplan.plan.steps import Wave

    from .conftest import Planned

ROOM = "cpus: 64, memory: 10GiB, ceilings: {memory: 100%}"


def texts(
    services: str, policy: str = "", *, blog: str = "{}", nodes: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return a policy of two projects: `shop` runs on a, `blog` on b."""
    extra = nodes or {}
    machines = ", ".join(f"{name}: {{{ROOM}{extra.get(name, '')}}}" for name in ("a", "b", "c"))
    sources = "shop: {compose: c/shop.yml, node: a, root: /opt/shop}"
    if blog != "{}":
        sources += ", blog: {compose: c/blog.yml, node: b, root: /opt/blog}"
    volumes = "" if "volumes:" not in services + blog else "volumes: {data: , own: }\n"
    return {
        "policy.yml": f"nodes: {{{machines}}}\nsources: {{{sources}}}\n{policy}",
        "c/shop.yml": f"services: {services}\n{volumes}",
        **({"c/blog.yml": f"services: {blog}\n{volumes}"} if blog != "{}" else {}),
    }


def one(memory: str = "1g", more: str = "") -> str:
    limit = f", mem_limit: {memory}" if memory else ""
    return f"{{image: 'x:1'{limit}{more}}}"


def told(waves: tuple[Wave, ...]) -> list[str]:
    """Return each wave as `kind where: services`, in the order of its steps."""
    return [f"{wave.kind} {wave.where}: {', '.join(step.service.name for step in wave.steps)}" for wave in waves]


def scene_of(plan: Plan) -> Scene:
    assert plan.placement is not None
    now = state(plan.as_is, standing(plan.as_is), {name: one.body for name, one in plan.as_is.services.items()})
    then = state(plan.to_be, plan.placement.seats, bodies(plan.to_be, plan.placement))
    return Scene(plan.as_is, plan.to_be, now, then, plan.changes)


def said(plan: Plan, family: str = "rollout/") -> list[str]:
    return [words(one) for one in plan.findings if one.rule.startswith(family)]


def words(finding: Finding) -> str:
    sum_ = f" ({finding.arithmetic})" if finding.arithmetic else ""
    return f"{finding.rule} {finding.subject} {finding.message}{sum_}"


def test_on_a_node_shrinking_comes_first_then_first_limits_then_growth(planned: Planned) -> None:
    services = f"{{grows: {one('1g')}, small: {one('4g')}, free: {one('')}, big: {one('5g')}}}"
    policy = "services: {grows: {limits: {memory: 3GiB}}, small: {limits: {memory: 1GiB}}, free: {limits: {memory: 2GiB}}, big: {limits: {memory: 4GiB}}}\n"
    plan = planned(texts(services, policy), dict.fromkeys(["shop/grows", "shop/small", "shop/free", "shop/big"], "a"))
    (wave,) = plan.waves
    assert told(plan.waves) == ["resize a: big, small, free, grows"]
    assert wave.why == "4 limits on a, live; what frees room first"
    first = wave.steps[0]
    assert (first.id, first.kind, str(first.service), first.node, first.copies) == (
        "1.a.1",
        Act.RESIZE,
        "shop/big",
        "a",
        1,
    )
    assert first.before is not None
    assert first.after is not None
    assert (first.before.sizes["limits.memory"], first.after.sizes["limits.memory"]) == (5 * 2**30, 4 * 2**30)
    assert (first.restarts, first.downtime, first.undo) == (0, "none: live", "the old limits, live")
    assert first.charge == {"memory": 4 * 2**30, "cpus": None}
    assert (wave.restarts, wave.bytes_moved, wave.downtime, wave.stage) == (0, 0, "none: live", "all")


def test_growth_waits_for_a_move_that_makes_room(planned: Planned) -> None:
    services = f"{{grows: {one('4g')}, leaves: {one('5g')}}}"
    policy = "services: {grows: {limits: {memory: 8GiB}}, leaves: {placement: b}}\n"
    plan = planned(texts(services, policy), {"shop/grows": "a", "shop/leaves": "b"})
    assert told(plan.waves) == ["move a → b: leaves", "resize a: grows"]
    assert plan.waves[1].why == "limits of shop/grows on a, live"
    assert proof(scene_of(plan), plan.waves) == []


def test_later_growth_of_a_stage_says_so(planned: Planned) -> None:
    services = f"{{grows: {one('4g')}, leaves: {one('5g')}, shrinks: {one('1g')}}}"
    policy = (
        "services: {grows: {limits: {memory: 8GiB}}, leaves: {placement: b}, shrinks: {limits: {memory: 512MiB}}}\n"
    )
    plan = planned(texts(services, policy), {"shop/grows": "a", "shop/leaves": "b", "shop/shrinks": "a"})
    assert told(plan.waves) == ["resize a: shrinks", "move a → b: leaves", "resize a: grows"]
    assert plan.waves[2].why == "limits of shop/grows on a, live; now that there is room"


def test_what_rests_is_stopped_after_those_that_need_it_and_takes_its_settings_along(planned: Planned) -> None:
    services = f"{{db: {one()}, web: {one(more=', depends_on: [db]')}, tool: {one(more=', depends_on: [web]')}}}"
    policy = "pools: {desk: {scaling: on-demand, services: ['*']}}\nservices: {db: {compose: {image: 'x:2'}}}\n"
    plan = planned(texts(services, policy), dict.fromkeys(["shop/db", "shop/web", "shop/tool"], "a"))
    assert told(plan.waves) == ["rest a: tool, web, db"]
    assert plan.waves[0].why == "3 services on a rest until they are asked for; who needs others before them"
    assert [(change.kind.value, change.service.name) for change in plan.changes] == [
        ("schedule", "db"), ("schedule", "tool"), ("schedule", "web"),
    ]  # fmt: skip
    db = plan.waves[0].steps[2]
    assert [shape.made for shape in (db.before, db.after) if shape] == [False, True]
    assert (db.restarts, db.downtime, db.undo) == (0, "until it is asked for", "start it and keep it running")
    assert proof(scene_of(plan), plan.waves) == []


def test_a_new_service_on_demand_is_made_and_rests(planned: Planned) -> None:
    policy = f"pools: {{desk: {{scaling: on-demand, services: [tool]}}}}\nservices: {{tool: {{compose: {one()}, placement: b}}}}\n"
    plan = planned(texts(f"{{web: {one()}}}", policy), {"shop/web": "a", "shop/tool": "b"})
    assert told(plan.waves) == ["rest b: tool"]


def test_who_is_needed_is_made_anew_first_and_who_shares_its_network_with_it(planned: Planned) -> None:
    services = (
        f"{{aweb: {one(more=', depends_on: [db]')}, db: {one()}, "
        "vpn: {image: 'x:1'}, client: {image: 'x:1', network_mode: 'service:vpn'}}"
    )
    policy = (
        "services: {aweb: {compose: {image: 'x:2'}}, db: {compose: {image: 'x:2'}}, vpn: {compose: {image: 'x:2'}}}\n"
    )
    plan = planned(texts(services, policy), dict.fromkeys(["shop/aweb", "shop/db", "shop/vpn", "shop/client"], "a"))
    assert told(plan.waves) == ["recreate a: db, aweb, vpn, client"]
    client = plan.waves[0].steps[3]
    assert (client.why, client.restarts) == ("it shares the network of shop/vpn", 1)
    assert plan.waves[0].why == "4 services on a anew, with new settings; who is needed first"
    assert plan.waves[0].restarts == 4


def test_copies_on_two_nodes_are_not_made_anew_at_once(planned: Planned) -> None:
    """Neither are two services that need each other; all others are."""
    services = f"{{web: {one(more=', deploy: {replicas: 2}')}}}"
    observed = {
        f"observed/{node}.yml": (
            f"{{schema_version: 1, node: {node}, cpus: 64, memory: {10 * 2**30}, "
            "services: [{project: shop, service: web, number: 1}]}\n"
        )
        for node in ("a", "b")
    }
    policy = "services: {web: {compose: {image: 'x:2'}}}\n"
    plan = planned({**texts(services, policy), **observed}, {"shop/web": "a", "shop/web#2": "b"})
    assert told(plan.waves) == ["recreate a: web", "recreate b: web"]


SHARED = "{api: {image: 'x:1', mem_limit: 1g, volumes: ['data:/d'], depends_on: [db]}, db: {image: 'x:1', mem_limit: 2g, volumes: ['data:/d', './conf:/c:ro', 'own:/e']}, web: {image: 'x:1', mem_limit: 1g}}"


def test_who_shares_data_moves_together(planned: Planned) -> None:
    policy = (
        "volumes: {shop/data: {size: 3GiB}, shop/own: {on_move: own}, shop/./**: {on_move: carry}}\n"
        "services: {api: {placement: b}, db: {placement: b}, web: {placement: b}}\n"
    )
    plan = planned(texts(SHARED, policy), {"shop/api": "b", "shop/db": "b", "shop/web": "b"})
    assert told(plan.waves) == ["move a → b: web", "move a → b: db, api"]
    web, data = (wave.move for wave in plan.waves)
    assert web is not None
    assert data is not None
    assert (web.stateful, web.volumes, web.paths, web.bytes, web.stop_first) == (
        False,
        (),
        ("/opt/shop/.env",),
        0,
        False,
    )
    assert web.steps[0].downtime == "none: both run until requests go to the new one"
    assert web.steps[0].undo == "move back to a"
    assert ([volume.real_name for volume in data.volumes], data.bytes) == (["shop_data"], 3 * 2**30)
    assert data.paths == ("/opt/shop/.env", "/opt/shop/conf")
    assert data.stateful
    assert [step.id for step in data.steps] == ["2.a.1", "2.a.2"]
    assert data.steps[0].downtime == "stop, last copy of the data, start"
    assert data.steps[0].undo == "move back to a with the current data"
    assert [wave.why for wave in plan.waves] == [
        "shop/web from a to b",
        "shop/db and api from a to b with 3 GiB",
    ]


def swapping(first: str, second: str) -> dict[str, str]:
    policy = "services: {shop/big: {placement: b}, blog/large: {placement: a}}\n"
    return texts(
        f"{{big: {one(first)}, stays: {one('1g')}}}", policy, blog=f"{{large: {one(second)}, there: {one('1g')}}}"
    )


SWAPPED = {"shop/big": "b", "shop/stays": "a", "blog/large": "a", "blog/there": "b"}


def test_two_that_change_places_and_fit_beside_each_other_need_no_stop(planned: Planned) -> None:
    plan = planned(swapping("4g", "5g"), SWAPPED)
    assert told(plan.waves) == ["move a → b: big", "move b → a: large"]
    assert said(plan) == []


def test_two_that_change_full_nodes_take_a_stop_and_it_is_named(planned: Planned) -> None:
    plan = planned(swapping("8g", "7g"), SWAPPED)
    assert told(plan.waves) == ["stop b: large", "move a → b: big", "move b → a: large"]
    stop, big, large = plan.waves
    assert stop.why == "stop blog/large on b until wave 3, so that shop/big can pass: no order has room for both"
    (step,) = stop.steps
    assert (step.downtime, step.undo) == ("until wave 3 starts it again", "start it and keep it running")
    assert step.after == step.before
    assert [wave.move.stop_first for wave in (big, large) if wave.move] == [False, True]
    assert large.downtime == "since wave 1, until it runs on the target"
    assert said(plan) == [
        (
            "rollout/temporary-stop blog/large is down since wave 1, until it runs on the target: "
            "it changes places with others, and no order has room for both"
        )
    ]
    assert plan.holds
    assert proof(scene_of(plan), plan.waves) == []


def test_the_proof_sees_what_is_wrong(planned: Planned) -> None:
    plan = planned(swapping("8g", "7g"), SWAPPED)
    scene = scene_of(plan)
    stop, big, large = plan.waves
    assert [words(one) for one in proof(scene, (big, stop, large))] == [
        "rollout/unsafe-step step 2.a.1 fills memory of b over its line while both copies are there (8 GiB → 16 GiB > 10 GiB)",
    ]
    assert [words(one) for one in proof(scene, (stop, big))] == [
        "rollout/undone blog/large does not stand on a in the end as the plan says",
        "rollout/undone blog/large does not stand on b in the end as the plan says",
    ]
    assert [one.rule for one in proof(scene, ())] == ["rollout/undone"] * 4


def test_a_walk_looks_at_each_node_before_and_then_at_what_changes(planned: Planned) -> None:
    plan = planned(swapping("8g", "7g"), SWAPPED)
    seen = [
        (moment.node, moment.step, moment.during, moment.bars["memory"] // 2**30)
        for moment in walk(scene_of(plan), plan.waves)
    ]
    assert seen == [
        ("a", "", False, 9), ("b", "", False, 8), ("c", "", False, 0),
        ("b", "1.b.1", False, 1),
        ("b", "2.a.1", True, 9), ("a", "2.a.1", True, 9), ("a", "2.a.1", False, 1),
        ("a", "3.b.1", True, 8), ("b", "3.b.1", True, 9), ("b", "3.b.1", False, 9),
    ]  # fmt: skip


def test_a_circle_of_three_nodes_takes_one_stop(planned: Planned) -> None:
    files = texts(
        f"{{x: {one('6g')}}}",
        "services: {shop/x: {placement: b}, blog/y: {placement: c}, more/z: {placement: a}}\n",
        blog=f"{{y: {one('6g')}}}",
    )
    files["policy.yml"] = files["policy.yml"].replace(
        "sources: {", "sources: {more: {compose: c/more.yml, node: c, root: /opt/more}, "
    )
    files["c/more.yml"] = f"services: {{z: {one('5g')}}}\n"
    plan = planned(files, {"shop/x": "b", "blog/y": "c", "more/z": "a"})
    assert told(plan.waves) == ["stop c: z", "move b → c: y", "move a → b: x", "move c → a: z"]
    assert (
        plan.waves[0].why
        == "stop more/z on c until wave 4, so that blog/y and shop/x can pass: no order has room for both"
    )


def test_a_port_has_to_be_free(planned: Planned) -> None:
    files = texts(
        f"{{web: {one(more=', ports: [80:80]')}}}",
        "services: {shop/web: {placement: b}, blog/old: {placement: c}}\n",
        blog=f"{{old: {one(more=', ports: [80:80]')}}}",
    )
    plan = planned(files, {"shop/web": "b", "blog/old": "c"})
    assert told(plan.waves) == ["move b → c: old", "move a → b: web"]


def test_a_name_has_to_be_free_too(planned: Planned) -> None:
    files = texts(
        f"{{web: {one(more=', container_name: front')}}}",
        "services: {shop/web: {placement: b}, blog/old: {placement: c}}\n",
        blog=f"{{old: {one(more=', container_name: front')}}}",
    )
    plan = planned(files, {"shop/web": "b", "blog/old": "c"})
    assert told(plan.waves) == ["move b → c: old", "move a → b: web"]


def test_a_stage_in_which_a_port_stays_taken_has_no_order(planned: Planned) -> None:
    files = texts(
        f"{{web: {one(more=', ports: [80:80]')}}}",
        "services: {shop/web: {placement: b}, blog/old: {placement: c}}\n"
        "rollout: {stages: [{name: one, changes: [move], services: [web]}, {name: two, changes: [move]}]}\n",
        blog=f"{{old: {one(more=', ports: [80:80]')}}}",
    )
    plan = planned(files, {"shop/web": "b", "blog/old": "c"})
    assert plan.waves == ()
    assert said(plan) == [
        "rollout/no-order stage one has no order: shop/web takes port 80/tcp of b, which blog/old has to the end of it"
    ]
    assert not plan.holds


@pytest.mark.parametrize(("asked", "card"), [
    (GpuAsk(memory=6 * 2**30), Gpu(0, "X", 8 * 2**30)),
    (GpuAsk(count=1), Gpu(0, "X", 8 * 2**30)),
    (GpuAsk(profile="2g"), Gpu(0, "X", 8 * 2**30, ("2g",))),
])  # fmt: skip
def test_cards_are_counted_like_memory(asked: GpuAsk, card: Gpu) -> None:
    """A share, a whole card, a slice: who comes waits for who goes."""
    nodes = {
        name: Node(name, capacity={"memory": Quantity(2**40), "cpus": Quantity(10**6)}, gpus=(card,)) for name in "abc"
    }
    came, went = Name("shop", "came"), Name("shop", "went")
    services = {name: Service(name, gpu=asked, limits={"memory": Quantity(1)}) for name in (came, went)}
    fleet = Fleet("shop", "default", nodes, services)
    now, then = ({Instance(came): Seat(one, (0,)), Instance(went): Seat(other, (0,))} for one, other in ("ab", "bc"))
    sides = [state(fleet, seats, {}) for seats in (now, then)]
    scene = Scene(fleet, fleet, sides[0], sides[1], diff(sides[0], sides[1]))
    stages = staged(fleet, fleet, sides[0], (WHOLE,), {WHOLE: scene.changes})
    waves, findings = order(scene, stages)
    assert findings == []
    assert told(waves) == ["move b → c: went", "move a → b: came"]
    assert [words(one).partition(" over its line")[0] for one in proof(scene, waves[::-1])] == [
        f"rollout/unsafe-step step 2.a.1 fills {'slice:2g/0' if asked.profile else 'gpu_memory/0'} of b"
    ]


DISKS = ", disks: {ssd: {path: /d, size: 10GiB}}"


def test_data_stays_on_its_disk_until_keep_source_is_over(planned: Planned) -> None:
    """What two disks cannot hold together no order can change: the copy comes before the old data goes."""
    files = texts(
        "{one: {image: 'x:1', mem_limit: 1g, volumes: ['data:/d']}}",
        "services: {shop/one: {placement: b}, blog/two: {placement: a}}\n"
        "volumes: {'*/data': {size: 6GiB, class: ssd}}\n",
        blog="{two: {image: 'x:1', mem_limit: 1g, volumes: ['data:/d']}}",
        nodes={"a": DISKS, "b": DISKS},
    )
    plan = planned(files, {"shop/one": "b", "blog/two": "a"})
    assert plan.waves == ()
    assert said(plan) == [
        "rollout/no-order stage all has no order: with blog/two, disk:ssd of a goes over its line (12 GiB > 8.5 GiB: 3.5 GiB are missing)"
    ]
    (finding,) = [one for one in plan.findings if one.rule == "rollout/no-order"]
    assert (
        finding.remedy
        == "data stays where it was until keep_source is over: move fewer in one plan, or make room on that disk"
    )


def test_who_shares_data_is_not_moved_in_two_stages(planned: Planned) -> None:
    files = texts(
        "{api: {image: 'x:1', volumes: ['data:/d']}, db: {image: 'x:1', volumes: ['data:/d']}}",
        "services: {api: {placement: b}, db: {placement: b}}\n"
        "rollout: {stages: [{name: one, changes: [move], services: [api]}, {name: two, changes: [move]}]}\n",
    )
    plan = planned(files, {"shop/api": "b", "shop/db": "b"})
    assert said(plan)[0] == (
        "rollout/torn-move stage one moves shop/api without shop/db, which writes to the same volume shop/data"
    )
    assert not plan.holds


def test_what_is_new_starts_after_what_it_needs_also_on_other_nodes(planned: Planned) -> None:
    policy = (
        f"services: {{web: {{compose: {one(more=', depends_on: [api]')}, placement: b}}, "
        f"api: {{compose: {one(more=', depends_on: [db], ports: [81:81]')}, placement: a}}, db: {{placement: b, compose: {{ports: [82:82]}}}}}}\n"
    )
    plan = planned(texts(f"{{db: {one()}}}", policy), {"shop/db": "b", "shop/web": "b", "shop/api": "a"})
    assert told(plan.waves) == ["move a → b: db", "start a: api", "start b: web"]


def test_what_no_source_has_any_more_is_stopped_first_of_all(planned: Planned) -> None:
    files = texts(
        f"{{gone: {one('9g')}, web: {one()}}}", "services: {gone: {replicas: 0}, web: {limits: {memory: 5GiB}}}\n"
    )
    plan = planned(files, {"shop/web": "a"})
    assert told(plan.waves) == ["stop a: gone", "resize a: web"]
    step = plan.waves[0].steps[0]
    assert (step.after, step.copies, step.downtime, step.undo) == (None, 1, "it is gone", "start it from the old file")


def test_a_resize_in_a_later_stage_is_done_where_the_service_stands_by_then(planned: Planned) -> None:
    files = texts(
        f"{{web: {one('4g')}}}",
        "services: {web: {placement: b, limits: {memory: 2GiB}}}\n"
        "rollout: {stages: [{name: go, changes: [move]}, {name: cut, changes: [resize]}]}\n",
    )
    plan = planned(files, {"shop/web": "b"})
    assert told(plan.waves) == ["move a → b: web", "resize b: web"]
    resize = plan.waves[1].steps[0]
    assert resize.before == resize.after, "the move has made it from the new file already"


def test_scaling_up_comes_last_and_down_first(planned: Planned) -> None:
    files = texts(
        f"{{more: {one('2g')}, fewer: {one('2g', ', deploy: {replicas: 3}')}}}",
        "services: {more: {replicas: 3}, fewer: {replicas: 1}}\n",
    )
    plan = planned(files, {"shop/more": "a", "shop/more#2": "a", "shop/more#3": "a", "shop/fewer": "a"})
    assert told(plan.waves) == ["scale a: fewer, more"]
    assert [step.copies for step in plan.waves[0].steps] == [1, 3]


@pytest.mark.parametrize(("count", "expected"), [
    (1, "shop/a"), (2, "shop/a and b"), (3, "shop/a, b and c"), (5, "shop/a, b, c and 2 more"),
])  # fmt: skip
def test_names_in_a_sentence(count: int, expected: str) -> None:
    assert listed(tuple(Name("shop", letter) for letter in "abcde"[:count])) == expected
