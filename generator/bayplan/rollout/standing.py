"""What a node runs at this moment, beside what it should run: a value made from facts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Standing:
    """One node at one moment; memory in bytes.

    Attributes:
        running, resting, missing, others: services that run, rest on demand, should be there and are not, and
            containers that no policy knows.
        promised: the reserve and the limits of what runs; what is unbounded is counted with what the policy gives it.
        line: how far it may be filled.
        used: memory that the running containers use.
        plan, last: the release that is current, and the last line of the journal.
        journal: whether the journal is whole.
        holder: who has the lock, if anybody.
    """

    running: int
    resting: int
    missing: tuple[str, ...]
    others: int
    promised: int
    line: int
    used: int
    plan: str
    last: str
    journal: bool
    holder: str

    def words(self) -> tuple[str, ...]:
        """Return the row that is shown."""
        return (
            str(self.running),
            str(self.resting),
            str(len(self.missing)),
            str(self.others),
            units.show_bytes(self.promised),
            units.show_bytes(self.line) if self.line else "none",
            units.show_bytes(self.used),
            self.plan or "none",
            self.last or "nothing",
        )

    def data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def standing(wanted: Mapping[str, Any], facts: Mapping[str, Any]) -> Standing:
    """Return what a node runs beside what it should.

    Args:
        wanted: the node in rollout.json.
        facts: what node_facts says of it.
    """
    expected: Mapping[str, Any] = wanted["expected"]
    containers = facts.get("containers") or ()
    names = {f"{one['project']}/{one['service']}" for one in containers}
    running = [one for one in containers if one["state"] == "running"]
    up = {f"{one['project']}/{one['service']}" for one in running}
    resting = {name for name, one in expected.items() if one["run"] == "on-demand" and name in names - up}
    journal = facts.get("journal") or {}
    return Standing(
        running=len(up & expected.keys()),
        resting=len(resting),
        missing=tuple(sorted(expected.keys() - up - resting)),
        others=len(names - expected.keys()),
        promised=int((wanted.get("reserve") or {}).get(_MEMORY) or 0)
        + sum(_promised(expected, one) for one in running),
        line=int((wanted.get("lines") or {}).get(_MEMORY) or 0),
        used=sum(int((one.get("usage") or {}).get(_MEMORY) or 0) for one in running),
        plan=str(facts.get("release") or ""),
        last=_last(journal.get("last")),
        journal=bool(journal.get("valid", True)),
        holder=_holder(facts.get("lock")),
    )


def _promised(expected: Mapping[str, Any], container: Mapping[str, Any]) -> int:
    limit = (container.get("configured") or {}).get(_MEMORY)
    if limit:
        return int(limit)
    given = expected.get(f"{container['project']}/{container['service']}") or {}
    return int((given.get("charge") or {}).get(_MEMORY) or 0)


def _last(line: Mapping[str, Any] | None) -> str:
    if not line:
        return ""
    return " ".join(str(line[key]) for key in ("at", "what", "event", "service") if line.get(key))


def _holder(lock: Mapping[str, Any] | None) -> str:
    if not lock:
        return ""
    owner = lock.get("owner") or {}
    who = f"{owner.get('user') or 'somebody'} on {owner.get('host') or 'another host'}"
    return f"{who} with plan {lock.get('plan')} until {lock.get('until')}"
