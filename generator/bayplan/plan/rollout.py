"""`rollout:` of a policy as the stages that a plan is cut into."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from bayplan.finding import error, note, warning
from bayplan.model import units
from bayplan.plan.stages import WHOLE, Cut
from bayplan.policy.groups import by_tier, select
from bayplan.policy.patterns import Names
from bayplan.policy.values import Findings, whole_number, word, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
    findings.extend(_idle(cuts))
    if rollout is not None:
        _backup(findings, rollout, cuts, fleet)
    return cuts or (WHOLE,), findings


def _idle(cuts: Sequence[Cut]) -> Iterator[Finding]:
    """Yield the stages whose name another one has, and those that earlier ones leave nothing to take."""
    for number, cut in enumerate(cuts):
        before = cuts[:number]
        same = next((one for one in before if one.name == cut.name), None)
        first = next((one for one in before if _takes_all(one, cut)), None)
        if same is not None:
            message = f"is the name of two stages: what is said of {cut.name} is said of both, or of neither"
            yield error(
                "rollout/stage-twice",
                cut.place,
                f"stage {cut.name}",
                message,
                "give one of them another name",
                also=(same.place,),
            )
        elif first is not None:
            message = f"never takes a change: {first.name}, which comes before it, takes all of them"
            remedy = f"name other services or changes in {first.name}, or leave it out"
            yield warning("rollout/stage-idle", cut.place, f"stage {cut.name}", message, remedy, also=(first.place,))


def _takes_all(first: Cut, later: Cut) -> bool:
    """Whether a stage takes every change that a later one could take."""
    kinds = first.kinds is None or (later.kinds is not None and later.kinds <= first.kinds)
    return kinds and (first.services is None or (later.services is not None and later.services <= first.services))


def _backup(findings: Findings, rollout: Node, cuts: Sequence[Cut], fleet: Fleet) -> None:
    """Add what is to be backed up that is not there, and moments that never come."""
    backup = rollout.get("backup")
    services, before = (backup.get(key) if backup is not None else None for key in ("services", "before"))
    if services is not None and services.value is not None:
        _services(findings, services, fleet)
    names = [cut.name for cut in cuts]
    for one in before or ():
        if one.string != "stages" and one.string not in names:
            write = (*get_close_matches(one.string, names, 1), "stages")[0]
            message = f"is to make a backup before {one.string}, and no stage has that name"
            known = f"{one.string} is not among {', '.join(names) or 'none'}"
            findings.append(
                error("rollout/unknown-stage", one.place, "rollout.backup", message, arithmetic=known, write=write)
            )


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
