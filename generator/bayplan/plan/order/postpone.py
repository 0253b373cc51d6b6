"""Changes that find no room in their stage, because a node is over its line until a later one: they wait for that one.

Only what fills a node waits, and only for room. Whoever waits for a name, an address or a place that somebody else has
stays in its stage, where the search knows other ways.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from bayplan.finding import note
from bayplan.model import units
from bayplan.plan.change import Kind
from bayplan.plan.order.books import Books
from bayplan.plan.order.build import actions
from bayplan.plan.order.charges import Charges
from bayplan.plan.order.groups import bonds
from bayplan.plan.order.needs import needs
from bayplan.plan.order.search import Search
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bayplan.finding import Finding
    from bayplan.model.names import Name
    from bayplan.plan.change import Change
    from bayplan.plan.order.actions import Action
    from bayplan.plan.order.books import Short
    from bayplan.plan.order.scene import Scene
    from bayplan.plan.stages import Cut

_FILLING = frozenset({Act.RECREATE, Act.SCALE, Act.START})


def postpone(
    scene: Scene, cuts: Sequence[Cut], taken: Mapping[Cut, Sequence[Change]]
) -> tuple[dict[Cut, tuple[Change, ...]], list[Finding]]:
    """Return the stages' changes with those that have to wait in a later stage, and a note for each of them.

    Args:
        scene: both ends of the plan.
        cuts: the stages in order.
        taken: stage → its changes as the policy cuts them.
    """
    charges = Charges(scene)
    needed, held = needs(scene.as_is, scene.to_be), bonds(scene.to_be)
    after = {cut: tuple(changes) for cut, changes in taken.items()}
    waiting: dict[tuple[Kind, Name], tuple[Cut, Cut, Short]] = {}
    world = scene.world()
    for cut, following in pairwise(cuts):
        while True:
            search = Search(Books(charges, world))
            left = search.by_phase(actions(Books(charges, world), after[cut], needed, held))
            late = _late(search, left)
            if not late:
                break
            waiting |= {key: (waiting.get(key, (cut,))[0], following, short) for key, short in late.items()}
            later = {_key(change) for change in after[following]} | late.keys()
            after[cut] = tuple(change for change in after[cut] if _key(change) not in late)
            after[following] = tuple(change for change in scene.changes if _key(change) in later)
        if left:
            break  # this stage needs a better search than this one, so what comes after it is not known here
        world = search.books.world
    return after, [_note(name, *why) for (_, name), why in waiting.items()]


def _key(change: Change) -> tuple[Kind, Name]:
    return change.kind, change.service


def _late(search: Search, left: Sequence[Action]) -> dict[tuple[Kind, Name], Short]:
    """Return the changes that would fill a node too far after all else is done; none if others are stuck as well."""
    late: dict[tuple[Kind, Name], Short] = {}
    stuck: list[Action] = []
    for one in left:
        undos, short = search.books.attempt(one.puts(search.books.scene, search.books.world))
        search.books.back(undos)
        fills = one.act in _FILLING or (one.change is not None and one.change.kind is Kind.START)
        if fills and one.change is not None and short is not None and short.row is not None:
            late[_key(one.change)] = short
        else:
            stuck.append(one)
    waiting = {one for one in left if one.change is not None and _key(one.change) in late}
    return late if all(one.hard & waiting or one.soft & waiting for one in stuck) else {}


def _note(name: Name, cut: Cut, until: Cut, short: Short) -> Finding:
    """Return a note that a change waits; only changes that miss room do."""
    if short.row is None:
        raise ValueError("nobody waits for a stage because of a name")
    what = short.row.resource.partition("/")[0]
    bar, line = (units.show(what, amount) for amount in (short.bar, short.line))
    message = f"waits for stage {until.name}: before it, {short.row.resource} of {short.node} has no room for it"
    remedy = f"nothing, if that is soon enough; else let stage {cut.name} free more"
    return note("rollout/waits", cut.place, str(name), message, remedy, arithmetic=f"{bar} > {line}")
