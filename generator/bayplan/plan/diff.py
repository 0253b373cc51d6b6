"""The difference of two states as changes, and changes applied to a state: each is the other's inverse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayplan.plan.change import ON_DEMAND, Change, Detail, Kind
from bayplan.plan.state import WEIGHT, Deployed, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bayplan.model.names import Name


def diff(
    as_is: State,
    to_be: State,
    why: Callable[[Kind, Name], str] | None = None,
    sizes: Mapping[Name, int] | None = None,
) -> tuple[Change, ...]:
    """Return the changes that lead from one state to another, by service and kind.

    Args:
        as_is: the state to start from.
        to_be: the state to end in.
        why: gives the reason of a change.
        sizes: bytes that a service's move carries.
    """
    carried = sizes or {}
    changes: list[Change] = []
    for name in sorted({*as_is, *to_be}):
        before, after = as_is.get(name), to_be.get(name)
        if before is None and after is not None:
            changes.append(_start(name, after))
        elif after is None and before is not None:
            changes.append(Change(Kind.STOP, name, before=before.seats))
        elif before is not None and after is not None:
            changes.extend(_changed(name, before, after, carried.get(name, 0)))
    return tuple(replace(change, why=_reason(change, why) if why else "") for change in changes)


def _reason(change: Change, why: Callable[[Kind, Name], str]) -> str:
    """Return the reason of a change; settings that travel with a schedule have one of their own."""
    own = why(change.kind, change.service)
    if change.kind is not Kind.SCHEDULE or not any(detail.key != "cgroup_parent" for detail in change.details):
        return own
    return "; ".join(dict.fromkeys(text for text in (own, why(Kind.RECREATE, change.service)) if text))


def _start(name: Name, after: Deployed) -> Change:
    details = (*_details({}, after.resources), *_details({}, after.settings))
    return Change(Kind.START, name, after=after.seats, details=details, mode=after.mode)


def _changed(name: Name, before: Deployed, after: Deployed, carried: int) -> Iterable[Change]:
    """Yield the changes of a service that exists on both sides: size first, then form, then place.

    Who rests from now on is stopped for it anyway: new settings come along, without a restart of their own.
    """
    resized = _details(before.resources, after.resources)
    if resized:
        yield Change(Kind.RESIZE, name, before.seats, before.seats, resized)
    reset = _details(before.settings, after.settings)
    common = before.seats.keys() & after.seats.keys()
    moved = any(before.seats[n].node != after.seats[n].node for n in common)
    seated = {n: before.seats[n] for n in sorted(common)}
    renewed = not moved and (bool(reset) or any(before.seats[n] != after.seats[n] for n in common))
    if before.mode != after.mode and renewed and after.mode == ON_DEMAND:
        settings = (*reset, *_copies(before, after))
        yield Change(Kind.SCHEDULE, name, before.seats, after.seats, settings, after.mode)
        return
    if before.mode != after.mode:
        yield Change(Kind.SCHEDULE, name, before.seats, before.seats, mode=after.mode)
    if moved:
        yield Change(Kind.MOVE, name, before.seats, after.seats, reset, bytes_moved=carried)
    elif renewed:
        yield Change(Kind.RECREATE, name, before.seats, after.seats, (*reset, *_copies(before, after)))
    elif before.seats.keys() != after.seats.keys():
        yield Change(Kind.SCALE, name, seated and before.seats, after.seats, _copies(before, after))


def _copies(before: Deployed, after: Deployed) -> tuple[Detail, ...]:
    if len(before.seats) == len(after.seats):
        return ()
    return (Detail("replicas", len(before.seats), len(after.seats)),)


def _details(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Detail, ...]:
    return tuple(
        Detail(key, before.get(key), after.get(key))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    )


def apply(current: State, changes: Iterable[Change]) -> dict[Name, Deployed]:
    """Return the state after the changes."""
    result = dict(current)
    for change in changes:
        if change.kind is Kind.STOP:
            result.pop(change.service, None)
        else:
            result[change.service] = _applied(result.get(change.service, Deployed()), change)
    return result


def _applied(deployed: Deployed, change: Change) -> Deployed:
    if change.kind is Kind.SCHEDULE:
        deployed = replace(deployed, mode=change.mode)
        if not change.renews:
            return deployed
    if change.kind is Kind.RESIZE:
        return replace(deployed, resources=_set(deployed.resources, change.details))
    if change.kind is Kind.START:
        sized = tuple(d for d in change.details if d.key.startswith(("limits.", "requests.", WEIGHT)))
        rest = tuple(d for d in change.details if d not in sized)
        return Deployed(change.after, _set({}, sized), _set({}, rest), change.mode)
    rest = tuple(detail for detail in change.details if detail.key != "replicas")
    return replace(deployed, seats=change.after, settings=_set(deployed.settings, rest))


def _set(values: Mapping[str, Any], details: Iterable[Detail]) -> dict[str, Any]:
    result = dict(values)
    for detail in details:
        if detail.after is None:
            result.pop(detail.key, None)
        else:
            result[detail.key] = detail.after
    return dict(sorted(result.items()))
