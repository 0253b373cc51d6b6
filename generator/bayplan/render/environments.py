"""What each number of a service is in each environment, and what made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service

HALVES = ("requests", "limits")


@dataclass(frozen=True, slots=True)
class Cell:
    """One number in one environment: in the unit of its resource, as people read it, and what made it."""

    amount: int
    shown: str
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """One number of one service, or of all of them together: environment → cell; who has none is left out."""

    subject: str
    key: str
    cells: Mapping[str, Cell]


def rows(fleets: Mapping[str, Fleet], names: Iterable[Name] | None = None) -> list[Row]:
    """Return a row for each number of each service, then the sums of one copy each, then those of all copies.

    Args:
        fleets: environment → its fleet, as it should be.
        names: the services to show; all of them, and the sums, if none are named.
    """
    every = sorted({name for fleet in fleets.values() for name in fleet.services})
    found = [row for name in (every if names is None else sorted(names)) for row in _of_service(fleets, name)]
    return found if names is not None else [*found, *_sums(fleets, each=True), *_sums(fleets, each=False)]


def _of_service(fleets: Mapping[str, Fleet], name: Name) -> list[Row]:
    here = {env: fleet.services[name] for env, fleet in fleets.items() if name in fleet.services}
    copies = {env: Cell(one.replicas.count, _copies(one), _range(one)) for env, one in here.items()}
    found = [Row(str(name), "replicas", copies)]
    for half in HALVES:
        resources = sorted({key for one in here.values() for key in getattr(one, half)})
        for resource in resources:
            amounts = {env: getattr(one, half).get(resource) for env, one in here.items()}
            cells = {env: _cell(resource, amount) for env, amount in amounts.items() if amount is not None}
            found.append(Row(str(name), f"{half}.{resource}", cells))
    return found


def _copies(service: Service) -> str:
    return str(service.replicas.count)


def _range(service: Service) -> str:
    return f"{service.replicas.minimum} to {service.replicas.maximum}" if service.replicas.scaled else ""


def _cell(resource: str, amount: Quantity) -> Cell:
    """Return a number with what made it: `500m x 0.5`, and where it is written if no factor did."""
    if amount.was is not None and amount.source.startswith("environment "):
        factor = amount.source.rpartition(" ")[2]
        return Cell(amount.amount, _show(resource, amount.amount), f"{_show(resource, amount.was.amount)} x {factor}")
    return Cell(amount.amount, _show(resource, amount.amount), amount.source if amount.source != "policy" else "")


def _sums(fleets: Mapping[str, Fleet], *, each: bool) -> list[Row]:
    subject = "one copy of each" if each else "all copies"
    found = []
    for half in HALVES:
        resources = sorted({key for fleet in fleets.values() for one in fleet.active() for key in getattr(one, half)})
        for resource in resources:
            cells = {}
            for env, fleet in fleets.items():
                parts = [
                    getattr(one, half)[resource].amount * (1 if each else one.replicas.count)
                    for one in fleet.active()
                    if resource in getattr(one, half)
                ]
                cells[env] = Cell(sum(parts), _show(resource, sum(parts)), f"{len(parts)} services")
            found.append(Row(subject, f"{half}.{resource}", cells))
    return found


def _show(resource: str, amount: int) -> str:
    if resource == "cpus":
        return f"{amount}m"
    return units.show(resource, amount)


def table(found: Iterable[Row], environments: Iterable[str]) -> list[list[str]]:
    """Return rows as words for columns: subject, key, then a cell for each environment; `-` where there is none."""
    envs = list(environments)
    lines = [["service", "", *envs]]
    last = ""
    for row in found:
        lines.append(
            [row.subject if row.subject != last else "", row.key, *(_words(row.cells.get(env)) for env in envs)]
        )
        last = row.subject
    return lines


def _words(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return f"{cell.shown}  ({cell.why})" if cell.why else cell.shown


def as_data(found: Iterable[Row]) -> list[dict[str, Any]]:
    """Return rows as data."""
    return [
        {
            "subject": row.subject,
            "key": row.key,
            "environments": {
                env: {"amount": cell.amount, "shown": cell.shown, "why": cell.why} for env, cell in row.cells.items()
            },
        }
        for row in found
    ]
