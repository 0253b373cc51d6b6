"""A Compose project as anyone wrote it, read into one canonical form."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bayplan.compose.document import Reader, Scope
from bayplan.compose.fold import apart, fold
from bayplan.compose.include import load
from bayplan.compose.references import dangling
from bayplan.compose.service import active_services
from bayplan.finding import Finding, Place, error, in_order
from bayplan.source import Budget, Node
from bayplan.source import shown as shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bayplan.source import Border


@dataclass(frozen=True, slots=True)
class ComposeProject:
    """The services of one Compose project in canonical form, each value with its place.

    Attributes:
        name: the project's name; volumes and networks are called after it.
        files: every file that was read, as shown in findings.
        services: service → its canonical mapping, inactive ones too.
        volumes, networks, secrets, configs: key → its canonical mapping.
        env: the variables of the project, from its env file.
        profiles: those that are chosen.
    """

    name: str
    files: tuple[str, ...]
    services: Mapping[str, Node]
    volumes: Mapping[str, Node] = field(default_factory=dict)
    networks: Mapping[str, Node] = field(default_factory=dict)
    secrets: Mapping[str, Node] = field(default_factory=dict)
    configs: Mapping[str, Node] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()


def read_project(
    name: str,
    files: Sequence[Path],
    *,
    shown: Sequence[str] | None = None,
    env_file: Path | None = None,
    profiles: Sequence[str] | None = None,
    interpolate_all: bool = False,
    verbatim: bool = False,
    places: Mapping[Path, Place] | None = None,
    border: Border | None = None,
    budget: Budget | None = None,
) -> tuple[ComposeProject | None, tuple[Finding, ...]]:
    """Read the files of a project, laid on each other in their order.

    Variables come from `env_file`, or from `.env` beside the first file, and never from the process: the same files
    give the same project on every machine.

    Args:
        name: the project.
        files: what `docker compose -f` would be given.
        shown: what findings call the files; relative to the working directory by default.
        env_file: the variables, instead of `.env`.
        profiles: services of other profiles are checked less strictly: Compose does not look at them. Where none are
            named, not even an empty list, `COMPOSE_PROFILES` of the env file chooses, as for Compose.
        interpolate_all: fill in variables everywhere, also where a value may be secret; for comparisons.
        verbatim: fill in no variables and look for none: the file was compiled, what it leaves open is open on purpose.
        places: file → where it is named.
        border: what all files must lie inside of, also those that are included; none by default.
        budget: how much may be read; enough for one project by default.

    Returns:
        The project, or None if a file cannot be read or there is no service at all, and the findings in order.
    """
    names = dict(zip(files, shown or [shown_path(path) for path in files], strict=False))
    reader = Reader(
        everything=interpolate_all,
        verbatim=verbatim,
        names=names,
        places=dict(places or {}),
        border=border,
        budget=budget or Budget(),
    )
    folder = files[0].parent if files else Path()
    own = (env_file, reader.places.get(env_file, Place(shown_path(env_file)))) if env_file else (folder / ".env", None)
    env = {**reader.variables([] if verbatim else [own], {}), "COMPOSE_PROJECT_NAME": name}
    document = load(reader, files, Scope(folder, env))
    if document is None or reader.broken:
        return None, in_order(reader.findings or [_no_services(name, reader)])
    chosen = _words(env.get("COMPOSE_PROFILES", "")) if profiles is None else tuple(profiles)
    project = _project(name, document, reader, env, chosen)
    if not project.services:
        return None, in_order([*reader.findings, _no_services(name, reader)])
    active = active_services(project.services, chosen)
    return project, in_order([*reader.findings, *dangling(project, active)])


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _no_services(name: str, reader: Reader) -> Finding:
    place = Place(next(iter(reader.files), name) or ".")
    return error("compose/no-services", place, name, "defines no service", "write services: and what shall run")


def _project(
    name: str, document: Node, reader: Reader, env: Mapping[str, str], profiles: tuple[str, ...]
) -> ComposeProject:
    for key, node in _section(document, "services"):
        reader.findings.extend(apart(node, f"services.{key}"))
    services = {
        key: fold(node, f"services.{key}", reader.findings) for key, node in sorted(_section(document, "services"))
    }
    rest = {
        section: dict(sorted(_section(document, section))) for section in ("volumes", "networks", "secrets", "configs")
    }
    return ComposeProject(name, tuple(reader.files), services, **rest, env=dict(sorted(env.items())), profiles=profiles)


def _section(document: Node, section: str) -> tuple[tuple[str, Node], ...]:
    node = document.get(section)
    return node.items() if node is not None else ()
