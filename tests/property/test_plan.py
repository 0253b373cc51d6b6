"""What holds of every plan: the changes lead from one state to the other, and each is told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.model.names import Name
from bayplan.model.placement import Seat
from bayplan.plan.change import Change, Kind
from bayplan.plan.diff import apply, diff
from bayplan.plan.stages import Cut, assign
from bayplan.plan.state import Deployed, State
from bayplan.plan.state import settings as flat
from bayplan.plan.summary import detail_words, grouped

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = [Name("shop", name) for name in ("api", "db", "web")] + [Name("blog", "web")]
SEATS = st.builds(Seat, st.sampled_from(["a", "b", "c"]), st.sampled_from([(), (0,), (1,), (0, 1)]))
VALUES = st.sampled_from(["x", "y", "~", "", 1, 0, True, ["a", "b"], ["b"], [], [{"target": 80}], [{"target": 81}]])
KEYS = st.sampled_from(["image", "command", "environment.A", "depends_on.db.condition", "ports", "networks.n", "extra_hosts",
                        "networks.n.ipv4_address"])  # fmt: skip
RESOURCES = st.dictionaries(
    st.sampled_from(["limits.memory", "limits.cpus", "requests.memory", "requests.licences"]), st.integers(0, 2**40)
)
DEPLOYED = st.builds(
    Deployed,
    seats=st.dictionaries(st.integers(1, 3), SEATS, min_size=1),
    resources=RESOURCES,
    settings=st.dictionaries(KEYS, VALUES),
    mode=st.sampled_from(["always", "on-demand"]),
)
STATES = st.dictionaries(st.sampled_from(NAMES), DEPLOYED)
CUTS = st.lists(
    st.builds(
        Cut,
        name=st.sampled_from(["one", "two", "three"]),
        kinds=st.none() | st.frozensets(st.sampled_from([kind.value for kind in Kind])),
        services=st.none() | st.frozensets(st.sampled_from(NAMES)),
    ),
    min_size=1,
    max_size=5,
    unique=True,
)
quick = settings(max_examples=60, deadline=None, derandomize=True)


def tidy(state: State) -> dict[Name, Any]:
    """Return a state as plain data."""
    return {
        name: (dict(sorted(one.seats.items())), dict(one.resources), dict(one.settings), one.mode)
        for name, one in state.items()
    }


@quick
@given(STATES)
def test_nothing_changes_nothing(state: State) -> None:
    assert diff(state, state) == ()


@quick
@given(STATES, STATES)
def test_the_changes_lead_there(before: State, after: State) -> None:
    changes = diff(before, after)
    assert tidy(apply(before, changes)) == tidy(after)
    assert diff(apply(before, changes), after) == ()


@quick
@given(STATES, STATES, st.randoms(use_true_random=False))
def test_their_order_does_not_matter(before: State, after: State, chance: Any) -> None:
    """Stages may cut and order them as they like."""
    changes = list(diff(before, after))
    chance.shuffle(changes)
    assert tidy(apply(before, changes)) == tidy(after)


@quick
@given(STATES, STATES)
def test_changes_are_in_order_and_the_same_each_time(before: State, after: State) -> None:
    changes = diff(before, after)
    assert changes == diff(dict(reversed(before.items())), dict(reversed(after.items())))
    assert [change.service for change in changes] == sorted(change.service for change in changes)


@quick
@given(STATES, STATES)
def test_every_change_is_told(before: State, after: State) -> None:
    changes = diff(before, after)
    for change in changes:
        assert change.downtime
        assert change.undo
        assert change.kind.symbol
        assert change.node
        assert change.target
        assert change.restarts >= 0
        assert all(isinstance(word, str) and word for word in detail_words(change))
    groups = grouped(changes)
    assert sorted(change.service for group in groups for change in group.changes) == [one.service for one in changes]
    assert sum(group.restarts for group in groups) == sum(change.restarts for change in changes)


@quick
@given(STATES, STATES, CUTS)
def test_every_change_lands_in_one_stage(before: State, after: State, cuts: list[Cut]) -> None:
    changes = diff(before, after)
    taken, findings = assign(cuts, changes)
    landed = [change for cut in cuts for change in taken[cut]]
    left = [change for change in changes if change not in landed]
    assert len(landed) + len(left) == len(changes)
    assert [finding.subject for finding in findings] == [str(change.service) for change in left]
    for cut in cuts:
        for change in taken[cut]:
            assert cut.takes(change)
            assert not any(earlier.takes(change) for earlier in cuts[: cuts.index(cut)])
    for change in left:
        assert not any(cut.takes(change) for cut in cuts)


TREES = st.recursive(
    st.sampled_from(["x", 1, True, None]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "limits"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@quick
@given(st.dictionaries(st.sampled_from(["image", "networks", "labels", "volumes"]), TREES))
def test_what_a_body_says_is_not_lost(body: Mapping[str, Any]) -> None:
    """Two mappings are told apart unless they mean the same: `{web: }` and `{web: {}}`."""
    assert flat(body) == flat(body)
    for key in body:
        assert flat({name: value for name, value in body.items() if name != key}) != flat(body)


def test_words_are_total() -> None:
    """Every kind has its words, whatever it carries."""
    for kind in Kind:
        for seats in ({}, {1: Seat("a")}):
            change = Change(kind, NAMES[0], seats, seats)
            assert all(isinstance(word, str) and word for word in (change.downtime, change.undo, kind.symbol))
            assert change.restarts == (len(seats) if kind.restarts else 0)
