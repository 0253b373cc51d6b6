"""What tests of plans share: a policy of texts, planned towards seats that are written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from bayplan import pipeline, place
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.plan.plan import Plan


class Planned(Protocol):
    """Plans a policy of texts; `seats` says where copies are to stand (`shop/web#2: b`)."""

    def __call__(self, texts: str | Mapping[str, str], seats: Mapping[str, str]) -> Plan:
        """Return the plan."""


@pytest.fixture(scope="session")
def planned(read: Any) -> Planned:
    """Return what plans a policy whose decision is written by hand."""

    def make(texts: str | Mapping[str, str], seats: Mapping[str, str]) -> Plan:
        policy = read(texts)
        errors = [finding for finding in policy.findings if finding.is_error]
        assert not errors, errors
        placement = Placement({_instance(copy): Seat(node) for copy, node in seats.items()})
        return pipeline.make_plan(policy, place.Decision(placement), None)

    return make


def _instance(text: str) -> Instance:
    name, _, number = text.partition("#")
    return Instance(Name.parse(name), int(number or "1"))
