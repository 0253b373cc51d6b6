"""The `sources:` of a policy: which Compose files make which project, and where it runs today."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bayplan.compose.read import ComposeProject, read_project
from bayplan.compose.service import copies_of, too_many_together
from bayplan.finding import error
from bayplan.model.fleet import Project
from bayplan.model.names import Name
from bayplan.model.service import MOST_COPIES
from bayplan.policy.values import Findings, word, words
from bayplan.source import Border, Budget, Node, border_of, plain, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.finding import Place


@dataclass(frozen=True, slots=True)
class Source:
    """A project with its Compose files as they were read; `compose` is None if they are broken."""

    project: Project
    compose: ComposeProject | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What relative paths are relative to, what they may not lead out of, how much may be read, how many copies be."""

    folder: Path
    border: Border
    budget: Budget
    copies: Budget


def read_sources(
    document: Node, folder: Path, nodes: Iterable[str], elsewhere: Iterable[str] = ()
) -> tuple[dict[str, Source], Findings]:
    """Read the Compose files of all sources.

    Args:
        document: the merged policy.
        folder: what relative paths are relative to: the policy folder.
        nodes: the nodes there are.
        elsewhere: the nodes of other environments.
    """
    findings = Findings()
    known = tuple(nodes)
    reach = Reach(folder, border_of(folder), Budget(), Budget(MOST_COPIES))
    sources = {}
    for name, node in (document.get("sources") or Node({}, document.place)).items():
        sources[name] = _source(findings, name, node, reach, known, tuple(elsewhere))
    return dict(sorted(sources.items())), findings


def _source(
    findings: Findings, name: str, node: Node, reach: Reach, nodes: tuple[str, ...], elsewhere: tuple[str, ...]
) -> Source:
    named = node.get("compose") if node.is_map else node
    files = words(named)
    paths = [reach.folder / file for file in files]
    where = word(node.get("node"))
    reference = node.get("node")
    if where and where not in nodes and reference is not None:
        # What runs on a node that the environment has not runs nowhere, as far as that environment goes.
        if where not in elsewhere:
            message = f"'{where}' is not among nodes"
            findings.say("nodes/unknown", reference, f"sources.{name}", message, f"use one of: {', '.join(nodes)}")
        where = ""
    env_file, listed = node.get("env_file"), node.get("profiles")
    profiles = words(listed) if listed is not None else None
    compose, found = read_project(
        name,
        paths,
        shown=[shown(path) for path in paths],
        env_file=reach.folder / word(env_file) if env_file is not None else None,
        profiles=profiles,
        places=dict(_named(reach.folder, named, env_file)),
        border=reach.border,
        budget=reach.budget,
    )
    findings.extend(found)
    if compose and not reach.copies.take(sum(copies_of(node) for node in compose.services.values())):
        findings.append(too_many_together(f"sources.{name}", node.here))
        compose = None
    if not files:
        findings.append(
            error("sources/no-file", node.here, f"sources.{name}", "names no Compose file", "compose: FILE")
        )
    default_root = str(Path(files[0]).parent) if files else "."
    project = Project(
        name=name,
        node=where,
        root=word(node.get("root"), default_root),
        files=files,
        profiles=compose.profiles if compose else profiles or (),
        secrets=_plain(compose.secrets) if compose else {},
        configs=_plain(compose.configs) if compose else {},
        place=node.here,
    )
    return Source(project, compose)


def _named(folder: Path, *nodes: Node | None) -> Iterator[tuple[Path, Place]]:
    """Yield the files that nodes name, each with the place where it is named."""
    for node in nodes:
        items = () if node is None else node if node.is_list else (node,)
        yield from ((folder / one.string, one.place) for one in items if not one.is_map and not one.is_list)


def declared(sources: Mapping[str, Source], section: str) -> dict[Name, Node]:
    """Return the volumes or networks that the Compose files of all sources declare."""
    return {
        Name(project, key): node
        for project, source in sources.items()
        if source.compose
        for key, node in getattr(source.compose, section).items()
    }


def _plain(nodes: Mapping[str, Node]) -> dict[str, object]:
    return {key: plain(node) for key, node in sorted(nodes.items())}
