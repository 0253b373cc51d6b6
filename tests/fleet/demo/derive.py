"""From any policy to one for the lab: `policies/<fleet>` becomes `<work>/policies/<fleet>-lab`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from bayplan import pipeline
from bayplan.analyse.ledger import ledger
from bayplan.model import units
from bayplan.model.names import Name
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.policy.patterns import matching
from bayplan.workspace import workspace

from . import lab_policy, stand_ins, subset
from .projects import Lab, Project, projects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayplan.analyse.ledger import Ledger
    from bayplan.model.fleet import Node
    from bayplan.model.placement import Placement
    from bayplan.policy.fleet import Policy

__all__ = ["Derived", "Draft", "Lab", "Project", "derive", "draft"]
NOWHERE = "192.0.2.1"
"""The address of every node while its size is still being found out."""


@dataclass(frozen=True)
class Derived:
    """A policy for the lab, written.

    Attributes:
        folder: its folder, `<work>/policies/<fleet>-lab`.
        projects: what runs today, by name.
        sizes: node → its CPUs (thousandths) and memory (bytes).
        notes: what is not simply a sixteenth, a sentence each.
    """

    folder: Path
    projects: Mapping[str, Project]
    sizes: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...] = ()


@dataclass
class Draft:
    """A policy for a lab that is not there yet: everything is known but its addresses.

    Attributes:
        source, placement: the original, and where it puts its services.
        original, folder: its folder, and that of what is written.
        names: the services that are played.
        sizes: node → resource → lab size.
        parts: node and resource → how much of it a smaller story has.
        notes: what was done about sizes.
    """

    source: Policy
    placement: Placement
    original: Path
    folder: Path
    names: frozenset[Name]
    sizes: dict[str, dict[str, int]]
    parts: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether all services are played."""
        return self.names == frozenset(self.source.to_be.services)

    def at(self, lab: Lab) -> Derived:
        """Write it for a lab."""
        return Derived(self.folder, _write(self, lab), self.sizes, tuple(self.notes))


def derive(folder: Path, work: Path, lab: Lab, *, env: str | None = None, services: int = 0) -> Derived:
    """Write the lab's policy of a fleet; see `draft`."""
    return draft(folder, work, env=env, services=services).at(lab)


def draft(folder: Path, work: Path, *, env: str | None = None, services: int = 0) -> Draft:
    """Return the lab's policy of a fleet, the sizes of its nodes found.

    Args:
        folder: the policy, `policies/<fleet>`.
        work: gets `policies/<fleet>-lab`.
        env: which environment, where there are several.
        services: how many services to keep, with all that they depend on; 0 keeps all.

    Raises:
        PolicyError: if the original cannot be read.
        ViolatedError: if it cannot hold.
    """
    space = workspace(folder)
    source = pipeline.read(space, env)
    placement, _ = pipeline.decide_or_keep(space, source, replan=False)
    sizes = {name: lab_policy.size(node.capacity) for name, node in source.as_is.nodes.items()}
    target = work / "policies" / f"{space.fleet}-lab"
    made = Draft(source, placement, folder, target, frozenset(source.to_be.services), sizes)
    bars = _bars(made)
    if services:
        made.names = subset.chosen(source.to_be, placement, services)
        _shrink(made, bars, _bars(made))
        bars = _bars(made)
    _enlarge(made, bars)
    return made


def _write(made: Draft, lab: Lab) -> dict[str, Project]:
    """Write the policy and return its projects."""
    shutil.rmtree(made.folder, ignore_errors=True)
    (made.folder / "compose").mkdir(parents=True)
    some = projects(made.source, made.original, made.names, lab)
    for key, project in some.items():
        text = lab_policy.written(project.document, f"{key}, as it is deployed in the lab.")
        (made.folder / "compose" / f"{key}.yml").write_text(text, encoding="utf-8")
        (made.folder / "compose" / f"{key}.env").write_text(project.env, encoding="utf-8")
    nodes = {name: _node(made, machine, lab) for name, machine in made.source.as_is.nodes.items()}
    head = {"nodes": nodes, "sources": {key: _source(project) for key, project in some.items()}}
    tree = {key: value for key, value in {**head, **_document(made, some, lab)}.items() if value != {}}
    header = f"policies/{made.source.name} in the lab: the same decisions, a sixteenth of memory and CPU."
    (made.folder / "policy.yml").write_text(lab_policy.written(tree, header), encoding="utf-8")
    return some


def _document(made: Draft, some: Mapping[str, Project], lab: Lab) -> dict[str, Any]:
    source = made.source
    images = {name: one.image if not one.build else "" for name, one in source.as_is.services.items()}

    def least(pattern: str) -> int:
        return max([stand_ins.stand_in(images[name]).least for name in matching(pattern, images)], default=0)

    document, claims = lab_policy.data(source.document), made.whole and not made.notes
    tree = lab_policy.lab_document(document, source.environment, lab.registry, lab.arch, least, claims=claims)
    if made.whole:
        return tree
    volumes, networks = (
        [Name(key, one) for key, project in some.items() for one in project.document.get(section, {})]
        for section in ("volumes", "networks")
    )
    return subset.narrowed(tree, sorted(made.names), volumes, networks)


def _source(project: Project) -> dict[str, Any]:
    made = {
        "compose": f"compose/{project.name}.yml",
        "node": project.node,
        "root": project.root,
        "env_file": f"compose/{project.name}.env",
        "profiles": list(project.profiles),
    }
    return {key: value for key, value in made.items() if value}


def _node(made: Draft, machine: Node, lab: Lab) -> dict[str, Any]:
    parts = {resource: made.parts.get((machine.name, resource), Fraction(1)) for resource in (CPUS, MEMORY)}
    return lab_policy.lab_node(machine, lab.addresses[machine.name], lab.arch, made.sizes[machine.name], parts)


def _bars(made: Draft) -> Ledger:
    """Return what the policy, written, charges to the nodes, its services standing where the original puts them."""
    _write(made, Lab("registry", "amd64", dict.fromkeys(made.sizes, NOWHERE)))
    written = pipeline.read(workspace(made.folder))
    pipeline.stop_if_broken(written)
    # What a policy defines itself, its proxies too, belongs to a project that is called like the policy.
    known, own = written.to_be.services, written.to_be.name
    seats = {
        copy if copy.service in known else copy._replace(service=Name(own, copy.service.name)): seat
        for copy, seat in made.placement.seats.items()
    }
    return ledger(written.to_be, seats)


def _shrink(made: Draft, full: Ledger, small: Ledger) -> None:
    """Make the nodes of a smaller story as full as those of the whole one."""
    for name, sizes in made.sizes.items():
        for resource in (CPUS, MEMORY):
            all_of_it, part = full.row(name, resource), small.row(name, resource)
            if all_of_it is not None and part is not None and all_of_it.charged:
                share = made.parts[name, resource] = Fraction(part.charged, all_of_it.charged)
                sizes[resource] = lab_policy.part(resource, sizes[resource], share)


def _enlarge(made: Draft, bars: Ledger) -> None:
    """Make each node as large as what floors and rounding have put on it needs, and say so."""
    for name, sizes in made.sizes.items():
        for resource in (CPUS, MEMORY):
            row = bars.row(name, resource)
            if row is None or not row.over:
                continue
            share = made.source.as_is.nodes[name].ceilings[resource].value
            before, sizes[resource] = sizes[resource], lab_policy.enlarged(row.bar, share, resource)
            factor = sizes[resource] / before
            made.notes.append(
                f"{name} has {units.show(resource, sizes[resource])} instead of {units.show(resource, before)} "
                f"(x {factor:.3f}): services do not go below their floors"
            )
