"""Lines of the policy that nothing holds on one of its targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.enforced import rows_in
from bayplan.check.enforcement import By, Row
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("enforce/nothing", Severity.NOTE, strict=Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one note that counts such keys or, under `--strict`, a finding for each of them."""
    if "compose" not in survey.fleet.targets:
        return
    rows = rows_in(survey.document, survey.environment, survey.services)
    found = {row: places for row, places in rows if By.NOTHING in (row.v1.by, row.v2.by)}
    if survey.strict:
        for row, places in found.items():
            places = sorted(set(places))  # noqa: PLW2901 - the same, in order
            times = f", in {len(places)} places" if len(places) > 1 else ""
            where = "Compose" if row.v1.by is By.NOTHING else "Compose with cgroup v2"
            message = f"is held by nothing on {where}{times}: {row.v2.how}"
            yield RULE.finding(places[0], row.key, message, remedy=_remedy(row), also=tuple(places[1:]))
    elif found:
        keys = ", ".join(sorted(row.key for row in found))
        first, *others = sorted({min(places) for places in found.values()})
        many = "a key" if len(found) == 1 else f"{len(found)} keys"
        message = f"has {many} that nothing holds on Compose yet"
        remedy = "bayplan check --strict names each with its places; docs/enforcement.md says what holds the others"
        yield RULE.finding(first, "policy", message, arithmetic=keys, remedy=remedy, also=tuple(others))


def _remedy(row: Row) -> str:
    if row.key.endswith("reservations.cpus"):
        return "say cores: exclusive where it has to be a guarantee, and requests.cpus where a weight is enough"
    return f"watch it by other means, or take it out of the policy: nothing will keep {row.key.rpartition('.')[2]}"
