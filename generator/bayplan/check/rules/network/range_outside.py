"""Gateways and ranges that lie outside of their subnet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import addresses
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.addresses import Range
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("network/range-outside", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each gateway and each `ip_range` that Docker would refuse."""
    for network in survey.fleet.networks.values():
        for one in () if network.external else addresses.subnets(network):
            for key, (value, place) in one.said.items():
                if addresses.inside(value, one.subnet):
                    continue
                instead = next(one.subnet.hosts(), "") if key == "gateway" else _upper_half(one.subnet)
                yield RULE.finding(
                    place,
                    network.name,
                    f"has the {key} {value}, which is not in its subnet {one.subnet}: Docker refuses to make it",
                    arithmetic=f"{value} not in {one.subnet}",
                    write=str(instead),
                    also=(one.place,),
                )


def _upper_half(subnet: Range) -> Range:
    """Return the part of a subnet that addresses may be drawn from, while the lower ones are given by hand."""
    *_, last = subnet.subnets(1) if subnet.num_addresses > 1 else (subnet,)
    return last
