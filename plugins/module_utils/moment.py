"""Times: on the wall for people, since boot for deadlines."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path


def now() -> str:
    """Return the moment as `2026-11-22T12:00:00.123Z`."""
    return _shown(datetime.now(timezone.utc))


def wall() -> float:
    """Return the seconds since 1970."""
    return time.time()


def later(seconds: float) -> str:
    """Return the moment that many seconds from now."""
    return _shown(datetime.now(timezone.utc) + timedelta(seconds=seconds))


def since_boot() -> float:
    """Return the seconds since the node started: nobody sets this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot() -> str:
    """Return which start of the machine this is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def seconds_of(moment: str) -> float:
    """Return a time that Docker or we wrote as seconds since 1970; 0.0 for Docker's 'never'."""
    head = moment.partition(".")[0].rstrip("Z")
    if not head or head.startswith("0001-"):
        return 0.0
    whole = datetime.strptime(head[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
    digits = "".join(one for one in moment.partition(".")[2][:9] if one.isdigit())
    return whole + (float(f"0.{digits}") if digits else 0.0)


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
