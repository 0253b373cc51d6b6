from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from bayplan.render.playbook import inventory, nodes_of, playbook, rollback_playbook, untemplated

RESIZE = {
    "number": 1,
    "stage": "reduce",
    "kind": "resize",
    "why": "two limits, live",
    "nodes": {"front": [], "back": []},
}
MOVE = {
    "number": 2,
    "stage": "move",
    "kind": "move",
    "why": "the card is there",
    "source": "front",
    "target": "back",
    "services": [{"service": "web"}],
    "edges": [{"node": "door"}],
}
ROLLOUT = {
    "plan": "0123456789ab",
    "policy": "policies/shop",
    "nodes": {"front": {}, "back": {}, "door": {}},
    "waves": [RESIZE, MOVE],
}


def plays(text: str) -> list[tuple[Any, ...]]:
    return [
        (play["name"], play["hosts"], play["roles"][0]["role"], play["roles"][0].get("vars"))
        for play in yaml.safe_load(text)
    ]


def test_a_plan_is_a_play_for_each_wave_between_preflight_and_finish() -> None:
    assert plays(playbook(ROLLOUT)) == [
        ("Look before the first step, and lock the nodes: plan 0123456789ab", "back:door:front", "bayplan.fleet.preflight", None),
        ("Keep what is there now, and bring the new files and images", "back:door:front", "bayplan.fleet.release", None),
        ("1. reduce: two limits, live", "back:front", "bayplan.fleet.resize", {"resize_wave": 1}),
        ("2. move: the card is there", "back:door:front", "bayplan.fleet.move", {"move_wave": 2}),
        ("Make the release the current one, check it against the policy, and unlock the nodes", "back:door:front", "bayplan.fleet.finish", None),
    ]  # fmt: skip


def test_the_way_back_moves_first_and_in_reverse() -> None:
    again = {**MOVE, "number": 3, "services": [{"service": "db"}]}
    made = plays(rollback_playbook({**ROLLOUT, "waves": [RESIZE, MOVE, again]}))
    assert made[0][3] == {"preflight_back": True}
    assert [one[3] for one in made[1:3]] == [{"move_wave": 3, "move_back": True}, {"move_wave": 2, "move_back": True}]
    assert made[1][0] == "Move back with the data of today: db back to front"
    assert made[-1][2] == "bayplan.fleet.rollback"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("costs {{ 1 }}", "Costs { { 1 }}"),
        ("{% x %}", "{ % x %}"),
        ("{# x", "{ # x"),
        ("plain", "Plain"),
        ("{{{ lookup('pipe', 'id') }}}", "{ { { lookup('pipe', 'id') }}}"),
        ("{{%x", "{ { %x"),
    ],
)
def test_no_reason_is_taken_for_a_template(text: str, name: str) -> None:
    assert untemplated(text) == name


@given(st.text("{}%#a -", max_size=12))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_whatever_a_reason_holds_a_template_engine_leaves_it_as_it_is(text: str) -> None:
    name = untemplated(text)
    assert Environment(autoescape=True, keep_trailing_newline=True).from_string(name).render(a="1") == name


def test_a_proxy_that_learns_of_a_move_takes_part_in_it() -> None:
    assert nodes_of(MOVE) == ("back", "door", "front")


def test_an_inventory_names_addresses_and_local_nodes() -> None:
    made = yaml.safe_load(inventory([("b", "b.lan", "local"), ("a", "10.0.0.1", "ssh")]))
    assert made == {
        "bayplan": {
            "hosts": {"a": {"ansible_host": "10.0.0.1"}, "b": {"ansible_host": "b.lan", "ansible_connection": "local"}}
        }
    }
