"""resized: the limits of a service, live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import containers, limiter, state
from ansible_collections.bayplan.fleet.plugins.module_utils.definition import without_limits
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.project import Project

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.item import Item
    from ansible_collections.bayplan.fleet.plugins.module_utils.stage import Stage


def due(stage: Stage, one: Item, found: list[dict[str, Any]]) -> list[str]:
    """Return what has to be changed; refuse what cannot be, before anything is touched."""
    if one.after is None:
        raise NodeError(f"{one.name} has no limits to be given (after)", "make the plan again")
    if not found:
        raise NodeError(f"{one.name} has no container on this node", "observe and plan again")
    why = [
        f"container {containers.number_of(each)}: {', '.join(sorted(keys))}"
        for each in found
        if (keys := limiter.due(each, one.after, stage.kernel))
    ]
    refused = [no for each in found for no in limiter.refusals(each, one.after, stage.kernel, stage.margin)]
    if refused:
        remedy = "raise the limit, or let the service use less first"
        raise NodeError("; ".join(refused), "plan a recreate" if "must be recreated" in refused[0] else remedy)
    return why


def act(stage: Stage, one: Item, found: list[dict[str, Any]]) -> None:
    """Change the limits of every copy; if one refuses, those before it go back."""
    assert one.after is not None  # noqa: S101 - due() refused it
    done: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for each in found:
        try:
            limiter.apply(each, one.after, stage.kernel)
        except NodeError:
            for earlier, limits in reversed(done):
                _back(stage, earlier, limits)
            raise
        done.append((each, containers.fact(each, stage.kernel)["configured"]))


def settle(stage: Stage, one: Item, found: list[dict[str, Any]]) -> str:
    """Note that the service is what the release says, though its label cannot say so; return what is open.

    Compose would replace the service at the next plain `up`, and what depends on it as well: the debt of a live change.
    """
    project = stage.project(one)
    if project is None or not found:
        return ""
    wanted, label = project.hashes(one.service), containers.label(found[0], "config-hash")
    if label in wanted:
        state.put(stage.state, "settled", one.name, None)
        return ""
    old = Project.of_container(found[0])
    if not old.exists or label not in old.hashes(one.service):
        return "what else its definition changed cannot be told: the files that it was made from are not there any more"
    if without_limits(old.services()[one.service]) != without_limits(project.services()[one.service]):
        return "its definition changed in more than its limits; that takes a recreate"
    state.put(stage.state, "settled", one.name, {"hash": wanted[0], "release": stage.release})
    return ""


def _back(stage: Stage, each: dict[str, Any], old: dict[str, Any]) -> None:
    """Give a copy its old limits again; the sentence that is being raised says the rest."""
    try:
        limiter.apply(each, old, stage.kernel)
    except NodeError as fault:
        stage.hand.note(
            "failed", "resize", service=containers.service_of(each), data={"msg": f"could not go back: {fault}"}
        )
