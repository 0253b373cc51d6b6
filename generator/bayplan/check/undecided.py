"""Claims that nothing in a policy can prove, and the measurement that would decide each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.check.paste import flow
from bayplan.finding import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.subject import Claim
    from bayplan.finding import Finding

_NEEDS = (
    (r"fast|slow|latenc|speed|respon|p9\d|percentile", "a histogram of request latency, before and after"),
    (r"throughput|per (second|minute|hour)|tokens|jobs|task", "work done per minute under one load, before and after"),
    (r"stab|crash|oom|restart|reliab|robust", "restarts and OOM kills over a window, before and after"),
    (r"availab|uptime|downtime|outage|nines", "a series of probes (probe_success) over a window"),
    (r"recover|failover|self-heal", "a drill: the time from a stop to healthy again"),
    (r"cost|price|cheap|money|budget|€|\$|dollar|euro", "the price per hour of each node (cost) and its hours of use"),
    (r"power|energy|watt|kwh|electric", "the watts of each node (power) over a window, before and after"),
    (r"manual|intervention|operator|effort", "the changes made by hand over a window, before and after"),
    (r"gpu|vram", "GPU utilization and finished work per minute, before and after"),
    (r"memory|ram\b", "the memory in use on the nodes, before and after"),
    (r"cpu|core", "the CPU time in use on the nodes, before and after"),
    (r"utili[sz]|efficien|waste|idle", "use of each resource over 24 hours against bands"),
    (r"secur|attack|vulnerab", "a scan of images and settings, before and after"),
)  # fmt: skip
"""Words of a claim → what has to be measured; the first that occurs decides."""
_PLANNED = ((r"memory|ram\b", "memory"), (r"cpu|core", "cpus"))
"""What a plan does tell something about."""
_OTHERWISE = "a series that shows it (metrics), before and after"


def needed(text: str) -> str:
    """Return the measurement that would decide a claim in words."""
    return next((what for words, what in _NEEDS if re.search(words, text, re.IGNORECASE)), _OTHERWISE)


def undecided(claim: Claim) -> Iterator[Finding]:
    """Yield a note for a claim in words that names no measurement; `claims: {TEXT: MEASUREMENT}` names one."""
    said = claim.node.get("claims")
    if said is None or said.is_map:
        return
    what = needed(said.string)
    message = f"claims '{said.string}'{claim.quote}: no number of a policy proves or disproves that"
    write = flow({said.string: what})
    planned = next((key for words, key in _PLANNED if re.search(words, said.string, re.IGNORECASE)), "")
    remedy = (
        f"measure it; what is planned of it can be claimed as saves: {{{planned}: 30%}}" if planned else "measure it"
    )
    yield note("claims/not-computable", said.place, claim.of, message, remedy,
               arithmetic=f"needs {what}", write=write)  # fmt: skip
