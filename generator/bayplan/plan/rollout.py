"""`rollout:` of a policy as the stages that a plan is cut into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.finding import note
from bayplan.model import units
from bayplan.plan.stages import WHOLE, Cut
from bayplan.policy.groups import by_tier, select
from bayplan.policy.patterns import Names
from bayplan.policy.values import Findings, whole_number, word, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.source import Node


CONFIRM_WITHIN = 240
KEEP_SOURCE = 7 * 24 * 60 * 60


def read_cuts(document: Node, fleet: Fleet) -> tuple[tuple[Cut, ...], Findings]:
    """Return the stages of a policy in order; one that takes everything if it has none."""
    findings = Findings()
    rollout = document.get("rollout")
    stages = rollout.get("stages") if rollout is not None else None
    cuts = tuple(_cut(findings, stage, fleet) for stage in stages or ())
    return cuts or (WHOLE,), findings


def read_times(document: Node) -> tuple[int, int]:
    """Return the seconds in which a risky step is confirmed, and for which the source of a move keeps its data."""
    rollout = document.get("rollout")
    return _seconds(rollout, "confirm_within", CONFIRM_WITHIN), _seconds(rollout, "keep_source", KEEP_SOURCE)


def _seconds(rollout: Node | None, key: str, default: int) -> int:
    said = rollout.get(key) if rollout is not None else None
    text = word(said)
    try:
        return -(-units.milliseconds(text) // 1000) if text else default
    except units.UnitError:
        return default  # the schema has named what is no time


def waiting_for_facts(cuts: Iterable[Cut], nodes: Iterable[str], observed: Iterable[str]) -> list[Finding]:
    """Return a note for each stage that waits until all nodes were observed, while some were not."""
    missing = sorted(set(nodes) - set(observed))
    if not missing:
        return []
    message = f"waits until it is observed what runs on {', '.join(missing)}"
    return [
        note(
            "rollout/needs-facts",
            cut.place,
            f"stage {cut.name}",
            message,
            "look at the nodes: bayplan observe POLICY",
        )
        for cut in cuts
        if "observed" in cut.require
    ]


def _cut(findings: Findings, stage: Node, fleet: Fleet) -> Cut:
    kinds, chosen = stage.get("changes"), stage.get("services")
    return Cut(
        name=word(stage.get("name"), "?"),
        kinds=frozenset(words(kinds)) if kinds is not None else None,
        services=_services(findings, chosen, fleet) if chosen is not None else None,
        approvals=whole_number(stage.get("approvals"), 0),
        require=words(stage.get("require")),
        why=word(stage.get("why")),
        place=stage.place,
    )


def _services(findings: Findings, node: Node, fleet: Fleet) -> frozenset[Name]:
    found: set[Name] = set()
    everyone = Names(fleet.services)
    tiers = by_tier((name, fleet.services[name].tier) for name in everyone.all)
    for selector in node if node.is_list else (node,):
        names, missing = select(selector, everyone, tiers)
        if missing:
            findings.append(missing)
        found.update(names)
    return frozenset(found)
