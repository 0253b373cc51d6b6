"""What rules look over: a policy, its two fleets, and the moments on the way from one to the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bayplan.analyse.coregroups import shares
from bayplan.check.apart import pairs
from bayplan.check.claims import judged, read_claims
from bayplan.check.crowds import crowds
from bayplan.check.moment import AS_IS, TO_BE
from bayplan.check.paste import fragment
from bayplan.model import units
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY, SWAP
from bayplan.policy.patterns import expand_range
from bayplan.tuning.reading import application

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from fractions import Fraction

    from bayplan.analyse.coregroups import Shares
    from bayplan.check.apart import Pair
    from bayplan.check.crowds import Crowd
    from bayplan.check.moment import Moment
    from bayplan.check.subject import Claim
    from bayplan.compose.dockerfile import Image
    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet, Volume
    from bayplan.model.names import Name
    from bayplan.model.service import Service
    from bayplan.source import Node
    from bayplan.tuning.settings import Application

_MULTIPLIED = frozenset({"services", "pools", "defaults"})
_STEP = {MEMORY: units.MIB, SWAP: units.MIB, GPU_MEMORY: units.MIB, CPUS: 10}
"""What amounts are written in: whole MiB, and CPUs in Docker's smallest step."""


@dataclass(frozen=True)
class Survey:
    """A policy as rules see it. Everything is looked up in constant time, so that rules stay linear.

    Attributes:
        document: the policy, its environment laid over it except for `services`.
        environment: the name of the environment.
        moments: the fleet as it is, after each stage, and as it should be (`as-is`, stages, `to-be`).
        strict: whether each line that nothing holds is asked for.
        complete: whether every copy has a place in `to-be`; if not, sums of nodes are only what is known.
        settled: whether it is decided where everything stands, or proven that it cannot.
        factors: resource → what the environment multiplies it by.
        released: whether bayplan has deployed something already.
        images: service → what is built for it, of those whose Dockerfile is at hand.
        given: service → what files set in its container (`env_file`), of those that are at hand.
    """

    document: Node
    environment: str
    moments: Mapping[str, Moment]
    complete: bool = True
    settled: bool = True
    factors: Mapping[str, Fraction] = field(default_factory=dict)
    strict: bool = False
    released: bool = False
    images: Mapping[Name, Image] = field(default_factory=dict)
    given: Mapping[Name, Mapping[str, Node]] = field(default_factory=dict)

    @property
    def before(self) -> Moment:
        """Return what stands today."""
        return self.moments[AS_IS]

    @property
    def after(self) -> Moment:
        """Return what should stand in the end."""
        return self.moments[TO_BE]

    @property
    def fleet(self) -> Fleet:
        """Return the fleet as it should be."""
        return self.after.fleet

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Return the services that run, as they should be, by name."""
        return self.fleet.active()

    @property
    def nodes_of(self) -> Mapping[Name, tuple[str, ...]]:
        """Return service → the nodes on which it should have copies, sorted; those without a place are not there."""
        return self.after.nodes_of

    @property
    def copies_on(self) -> Mapping[str, Mapping[Name, int]]:
        """Return node → service → how many copies should stand there; nodes without any are there too."""
        return self.after.copies_on

    @cached_property
    def pools(self) -> Mapping[str, tuple[Service, ...]]:
        """Return pool → its services, by name; services of no pool are under the empty name."""
        return _grouped((service.pool, service) for service in self.services)

    @cached_property
    def tiers(self) -> Mapping[str, tuple[Service, ...]]:
        """Return tier → its services, by name."""
        return _grouped((service.tier, service) for service in self.services)

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """Return what services set of their applications' memory, of those of which anything is known."""
        found = (application(one, self.given.get(one.name)) for one in self.services)
        return tuple(one for one in found if one is not None)

    @cached_property
    def crowds(self) -> tuple[Crowd, ...]:
        """Return the services of each set of nodes on which some may stand alone, the smaller sets first."""
        return tuple(crowds(self.fleet))

    @cached_property
    def shares(self) -> Mapping[str, Shares]:
        """Return node → who shares its cores, for each node with a copy, by name."""
        return shares(self.fleet, self.after.seats)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Return those who are to stand apart by cores and may meet on one."""
        return tuple(pairs(self))

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Return what the policy claims of this environment."""
        return read_claims(self.document, self.environment)

    @cached_property
    def judged(self) -> Mapping[str, tuple[Finding, ...]]:
        """Return rule → what is found about the claims: each is measured once, and tells what it is that is wrong."""
        found: dict[str, list[Finding]] = {}
        for one in judged(self.claims, self.moments, complete=self.complete, released=self.released):
            found.setdefault(one.rule, []).append(one)
        return {rule: tuple(some) for rule, some in found.items()}

    def at(self, *path: str) -> Node | None:
        """Return the node at a path of the policy, or None if nothing is said there."""
        return _below(self.document, path)

    def path_of(self, service: Service, *keys: str) -> tuple[str, ...]:
        """Return where the policy speaks of a service, under the key that it has there already if there is one."""
        full, bare = str(service.name), service.name.name
        known = self.at("services", bare) is not None and self.at("services", full) is None
        return ("services", bare if known else full, *keys)

    def volume_key(self, volume: Volume) -> str:
        """Return the key under which the policy speaks of a volume, or its full name where it does not yet."""
        full, bare = str(volume.name), volume.name.name
        return bare if self.at("volumes", bare) is not None and self.at("volumes", full) is None else full

    def settings_of(self, service: Service, *path: str) -> Node | None:
        """Return the node that has the last word about a key of a service, or None where the policy says nothing."""
        found: Node | None = service.settings.get(path)
        return found

    def node_path(self, name: str, *keys: str) -> tuple[str, ...]:
        """Return where the policy speaks of a node; where that is a range, what is said there is said of all of it."""
        return ("nodes", self._node_keys.get(name, name), *keys)

    @cached_property
    def _node_keys(self) -> Mapping[str, str]:
        section = self.at("nodes")
        return {name: key for key, _ in (section.items() if section else ()) for name in expand_range(key)}

    def copies_before(self, copies: int) -> int:
        """Return a number of copies before the environment multiplies it; one at least."""
        factor = self.factors.get("replicas")
        return copies if factor is None else max(1, copies * factor.denominator // factor.numerator)

    def paste_copies(self, path: tuple[str, ...], copies: Mapping[str, int]) -> str:
        """Return a fragment that makes numbers of copies what they should be, after the environment multiplies them.

        Where its factor always gives more, the factor is lowered as well.
        """
        least = min(copies.values())
        if least >= self.factors.get("replicas", 1):
            return self.paste_each({(*path, key): self.copies_before(one) for key, one in copies.items()})
        said = {(*self._in_environment(path), key): one // least for key, one in copies.items()}
        return _joined({("environments", self.environment, "multiply", "replicas"): least, **said})

    def said(self, path: tuple[str, ...]) -> Node | None:
        """Return what the environment, or else the policy, says at a path."""
        found = self.at(*self._in_environment(path))
        return self.at(*path) if found is None else found

    def paste(self, path: tuple[str, ...], value: Any) -> str:
        """Return a fragment that says a value at a path, in the environment where that has a word about it already."""
        return self.paste_each({path: value})

    def paste_each(self, values: Mapping[tuple[str, ...], Any]) -> str:
        """Return one fragment that says several values of one section, as `paste` does for each."""
        inside = any(self.at(*self._in_environment(path)[:-1]) is not None for path in values)
        return _joined({self._in_environment(path) if inside else path: value for path, value in values.items()})

    def _in_environment(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return a path of the policy below its environment, a service under the key that it has there."""
        here = ("environments", self.environment)
        if path[0] != "services" or len(path) == 1:
            return (*here, *path)
        section, key, *rest = path
        others = (text for name in self.after.names.get(key, ()) for text in (str(name), name.name))
        known = next((one for one in (key, *others) if self.at(*here, section, one) is not None), key)
        return (*here, section, known, *rest)

    def paste_before(self, path: tuple[str, ...], resource: str, amount: int) -> str:
        """Return a fragment that says an amount in the environment as it is before that multiplies it."""
        where = self._in_environment(path) if self.at("environments") is not None else path
        return _joined({(*where, resource): written(resource, amount, down=False)})

    def paste_amount(self, path: tuple[str, ...], resource: str, amount: int, *, at_most: bool = True) -> str:
        """Return a fragment that makes an amount what it should be, before the environment multiplies it.

        Args:
            path: where, without the resource: `("services", "shop/web", "limits")`.
            resource: of what.
            amount: in the unit of the resource, after multiplying.
            at_most: whether the amount may come out lower (rounded down to what can be written), or rather higher.
        """
        return self.paste_amounts({path: amount}, resource, at_most=at_most)

    def paste_amounts(self, amounts: Mapping[tuple[str, ...], int], resource: str, *, at_most: bool = True) -> str:
        """Return a fragment that makes several amounts of one section what they should be, as `paste_amount` does."""
        section = next(iter(amounts))[0]
        factor = self.factors.get(resource) if section in _MULTIPLIED else None
        if factor is None:
            values = {path: written(resource, amount, down=at_most) for path, amount in amounts.items()}
            return self.paste_each({(*path, resource): value for path, value in values.items()})
        # Multiplying rounds up: what is to end at 4 GiB at most under a factor of 2 is written as 2 GiB, cut to a step.
        before = {path: _divided(amount, factor, down=at_most) for path, amount in amounts.items()}
        values = {path: written(resource, one, down=at_most) for path, one in before.items()}
        return _joined({(*self._in_environment(path), resource): one for path, one in values.items()})


def written(resource: str, amount: int, *, down: bool) -> str | int | float:
    """Return an amount as a policy says it, rounded to a step that the policy and Docker can say."""
    step = _STEP.get(resource, units.MIB if resource.startswith("disk:") else 1)
    steps = amount // step if down else -(-amount // step)
    if resource == CPUS:
        return steps * step // 1000 if steps * step % 1000 == 0 else steps * step / 1000
    return units.in_policy(resource, steps * step) if step > 1 else steps


def _divided(amount: int, factor: Fraction, *, down: bool) -> int:
    exact = amount * factor.denominator
    return exact // factor.numerator if down else -(-exact // factor.numerator)


def _joined(values: Mapping[tuple[str, ...], Any]) -> str:
    """Return one fragment of several values below one section."""
    whole: dict[str, Any] = {}
    for path, value in values.items():
        below = whole
        for key in path[:-1]:
            below = below.setdefault(key, {})
        below[path[-1]] = value
    ((section, rest),) = whole.items()
    return fragment((section,), rest)


def _grouped(pairs: Iterable[tuple[str, Service]]) -> dict[str, tuple[Service, ...]]:
    found: dict[str, list[Service]] = {}
    for key, service in pairs:
        found.setdefault(key, []).append(service)
    return {key: tuple(some) for key, some in sorted(found.items())}


def _below(node: Node | None, path: tuple[str, ...]) -> Node | None:
    for key in path:
        if node is None:
            return None
        node = node.get(key)
    return node
