"""`bayplan import`: a policy folder from any set of Compose files."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from bayplan.cli.show import show_findings, talk
from bayplan.compose.read import read_project
from bayplan.compose.service import to_service
from bayplan.errors import OutputError, PolicyError, UsageError
from bayplan.finding import Finding, Place, in_order
from bayplan.model import units
from bayplan.policy.validate import schema_text
from bayplan.render import tree
from bayplan.render.proposal import Imported, Machine, proposal
from bayplan.source import read_yaml
from bayplan.source.file import border_of, outside

_NODE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)(?::(?P<cpus>[0-9.m]+),(?P<memory>[0-9.A-Za-z]+))?=(?P<files>.+)"
)


@click.command("import")
@click.option("--node", "nodes", multiple=True, required=True, metavar="NAME[:CPUS,MEMORY]=FILE[,FILE…]",
              help="A node with the Compose files that run there; files of one project are joined by +.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The policy folder to make.")
def command(nodes: tuple[str, ...], out: Path) -> None:
    """Make a policy folder from Compose files, with tiers proposed. Nothing that exists is overwritten.

    \b
    bayplan import --node nas:4,16GiB=media/compose.yml --node tower:16,64GiB=ai/compose.yml --out policies/home
    bayplan import --node web=compose.yml+compose.prod.yml --out policies/web
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} exists already; name a new folder with --out")
    machines, projects, findings = _read(nodes, out)
    console = talk()
    show_findings(console, in_order(findings))
    if any(finding.is_error for finding in findings):
        raise PolicyError("a Compose file is broken; nothing was written")
    files = {**proposal(machines, projects), "policy.schema.json": schema_text()}
    tree.write(out, files, {})
    (out / tree.MANIFEST).unlink()  # the folder is the user's from now on: nothing of ours prunes it
    count = sum(len(project.services) for project in projects)
    console.print(f"{out}: {count} services of {len(projects)} projects; next: bayplan analyze {out}")


def _read(nodes: tuple[str, ...], out: Path) -> tuple[list[Machine], list[Imported], list[Finding]]:
    machines: dict[str, Machine] = {}
    projects: dict[str, Imported] = {}
    findings: list[Finding] = []
    for text in nodes:
        machine, groups = _parsed(text)
        machines[machine.name] = machine
        for group in groups:
            found, some = _project(machine, group, out, projects)
            findings.extend(some)
            if found:
                projects[found.project] = found
    return list(machines.values()), list(projects.values()), findings


def _parsed(text: str) -> tuple[Machine, list[list[Path]]]:
    found = _NODE.fullmatch(text)
    if not found:
        raise UsageError(f"--node {text!r}: write NAME=FILE or NAME:CPUS,MEMORY=FILE, such as nas:4,16GiB=compose.yml")
    groups = [[Path(file) for file in group.split("+")] for group in found["files"].split(",")]
    try:
        cpus = units.cpus(found["cpus"]) if found["cpus"] else None
        memory = units.policy_memory(found["memory"]) if found["memory"] else None
    except units.UnitError as fault:
        raise UsageError(f"--node {text!r}: {fault}") from fault
    return Machine(found["name"], cpus, memory), groups


def _project(
    machine: Machine, files: list[Path], out: Path, taken: dict[str, Imported]
) -> tuple[Imported | None, tuple[Finding, ...]]:
    name = _project_name(machine, files, taken)
    compose, findings = read_project(name, files)
    if compose is None:
        return None, findings
    services, more = [], list(findings)
    border = border_of(out)
    more.extend(outside(Place(str(file)), str(file), border) for file in files if not border.holds(file))
    for key, node in compose.services.items():
        service, found = to_service(name, key, node)
        services.append(service)
        more.extend(found)
    shown = tuple(Path(os.path.relpath(file.resolve(), out.resolve())).as_posix() for file in files)
    return Imported(name, machine.name, shown, tuple(services)), tuple(more)


def _project_name(machine: Machine, files: list[Path], taken: dict[str, Imported]) -> str:
    """Return what Compose calls the project, so that its volumes keep their names: its `name:`, else its folder.

    Two projects of one folder would be one to Compose; the name of the file tells them apart here.
    """
    tree, _ = read_yaml(files[0])
    said = tree.get("name") if tree is not None else None
    folder = _slug(said.string if said is not None else files[0].resolve().parent.name)
    stem = re.sub(r"^(docker-)?compose[-._]?", "", files[0].stem)
    return folder if folder not in taken else _slug(f"{folder}-{stem or machine.name}")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "", text.lower()).lstrip("_-") or "project"
