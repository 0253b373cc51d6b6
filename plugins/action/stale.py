"""stale: compares a node with what the plan was made from; refuses what differs, before anything is touched."""

from __future__ import annotations

from typing import Any

from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction, items_of, read
from ansible_collections.bayplan.fleet.plugins.plugin_utils.cards import carried

_SHOWN = 6


class ActionModule(PlanAction):
    """Looks at the node with node_facts and compares the keys with those of the plan."""

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of node_facts."""
        del node, given, known
        return {"fleet": data["fleet"], "sizes": False}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look, compare, and refuse with a sentence that names what differs."""
        del tmp
        known = task_vars or {}
        given = dict(self._task.args)
        data, node = read(str(given["plan"])), str(known["inventory_hostname"])
        if node not in data["nodes"]:
            return {"failed": True, "msg": f"{node} is no node of plan {data['plan']}; make the plan again"}
        with carried(self) as library:  # cards count among the facts that the plan was made from
            module = {"fleet": data["fleet"], "sizes": False, "pynvml": library}
            result: dict[str, Any] = self._execute_module("bayplan.fleet.node_facts", module, task_vars=task_vars)
        if result.get("failed"):
            return result
        refusal = refused(
            data, node, result["facts"], result["keys"], resume=bool(given.get("resume")), back=bool(given.get("back"))
        )
        return {**result, **refusal, "changed": False}


def refused(
    data: dict[str, Any], node: str, facts: dict[str, Any], keys: dict[str, str], *, resume: bool, back: bool
) -> dict[str, Any]:
    """Return why a plan must not be carried out on a node as it is now; nothing if it may."""
    plan, wanted = data["plan"], data["nodes"][node]
    journal = facts.get("journal") or {}
    if not journal.get("valid", True):
        return _no("held", f"the journal of {node} is damaged; look at it before anything else is done")
    state, which = progress(journal)
    if state == "begun" and which != plan:
        return _no("stale", f"plan {which} is unfinished on {node}; resume it or take it back first")
    if state == "begun" and not (resume or back):
        return _no("stale", f"this plan is unfinished on {node}; --resume goes on with it (preflight_resume=true)")
    if wanted["cgroup_driver"] and facts.get("cgroup_driver") != wanted["cgroup_driver"]:
        return _no("stale", f"Docker on {node} must use the {wanted['cgroup_driver']} cgroup driver: see daemon.json")
    if not wanted["facts"]:
        return _no("stale", f"{node} was never looked at before it was planned; bayplan observe, then plan again")
    ours = which == plan and state in ("begun", "done")
    return _differences(data, node, keys, ours=ours or back)


def progress(journal: dict[str, Any]) -> tuple[str, str]:
    """Return how far the last plan came on a node: `none`, `begun`, `done` or `back`, and which it was."""
    last = journal.get("last_act") or {}  # who only took the lock, and was refused then, has begun nothing
    if not last.get("plan"):
        return "none", ""
    what, event = last.get("what"), last.get("event")
    ended = {"finish": "done", "rollback": "back", "refused": "none"}.get(str(what)) if event == "done" else None
    return ended or "begun", str(last["plan"])


def _differences(data: dict[str, Any], node: str, keys: dict[str, str], *, ours: bool) -> dict[str, Any]:
    wanted = data["nodes"][node]["facts"]
    changed = sorted(key for key in {*wanted, *keys} if wanted.get(key) != keys.get(key))
    if ours:
        mine = touched(data, node)
        changed = [key for key in changed if not key.startswith(mine)]
    if not changed:
        return {}
    words = ", ".join(_words(key, wanted, keys) for key in changed[:_SHOWN])
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return _no("stale", f"{node} is not as it was when the plan was made: {words}{more}; observe and plan again")


def _words(key: str, before: dict[str, str], now: dict[str, str]) -> str:
    what = "is new" if key not in before else "is gone" if key not in now else "changed"
    return f"{key.replace('/', ' ', 1)} {what}"


def touched(data: dict[str, Any], node: str) -> tuple[str, ...]:
    """Return the beginnings of the keys that a plan itself changes on a node."""
    services = {
        f"container/{item['project']}/{item['service']}/" for wave in data["waves"] for item in items_of(wave, node)
    }
    return ("release", "volume/", "drop-ins", *sorted(services))


def _no(outcome: str, words: str) -> dict[str, Any]:
    return {"failed": True, "outcome": outcome, "msg": words}
