"""Plans, ledgers and findings as plain data, for `--format json`. Amounts in bytes and thousandths of a CPU."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.analyse.ledger import Ledger, Row
    from bayplan.analyse.ports import Ports
    from bayplan.finding import Finding
    from bayplan.plan.change import Change
    from bayplan.plan.plan import Plan
    from bayplan.plan.steps import Wave

SCHEMA_VERSION = 1


def text(kind: str, data: dict[str, Any]) -> str:
    """Return a JSON document of a kind, with its schema_version, keys in order."""
    return document({"schema_version": SCHEMA_VERSION, "kind": kind, **data})


def document(data: dict[str, Any]) -> str:
    """Return data as a JSON document."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def finding(one: Finding) -> dict[str, Any]:
    """Return a finding as data."""
    return {
        "rule": one.rule,
        "severity": one.severity.value,
        "file": one.place.file,
        "line": one.place.line,
        "column": one.place.column,
        "subject": one.subject,
        "message": one.message,
        "arithmetic": one.arithmetic,
        "remedy": one.remedy,
        "paste": one.paste,
        "write": one.write,
        "also": [str(place) for place in one.also],
    }


def findings(some: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as data."""
    return [finding(one) for one in some]


def ledger(some: Ledger) -> list[dict[str, Any]]:
    """Return a ledger as data: a list of nodes, each with its resources."""
    nodes = sorted({row.node for row in some.rows})
    return [
        {
            "node": node,
            "state": some.state(node).value,
            "services": some.services.get(node, 0),
            "copies": some.copies.get(node, 0),
            "resources": [_row(row) for row in some.of(node)],
            "ports": _ports(some.ports.get(node)),
        }
        for node in nodes
    ]


def _ports(found: Ports | None) -> dict[str, Any]:
    clashes = found.clashes if found else ()
    return {
        "published": found.published if found else 0,
        "clashes": [{"port": one.port, "services": [str(name) for name in one.services]} for one in clashes],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "resource": row.resource,
        "state": row.state.value,
        "capacity": row.capacity,
        "line": row.line,
        "reserve": row.reserve,
        "charges": {
            "total": row.charges.total,
            "without_replicas": row.charges.total - row.charges.replicas,
            **{origin.value: amount for origin, amount in row.charges.parts()},
        },
        "services": {origin.value: many for origin, many in row.kinds.items()},
        "pooled": row.pooled,
        "bar": row.bar,
        "over": row.over,
        "unbounded": [str(name) for name in row.unbounded],
    }


def plan(some: Plan) -> dict[str, Any]:
    """Return a plan as data."""
    return {
        "fleet": some.to_be.name,
        "environment": some.to_be.environment,
        "holds": some.holds,
        "optimal": some.placement.optimal if some.placement else False,
        "counts": some.counts(),
        "unchanged": some.unchanged,
        "before": ledger(some.before),
        "after": ledger(some.after),
        "stages": [
            {
                "name": stage.cut.name,
                "changes": [_change(one) for one in stage.changes],
                "after": ledger(stage.ledger),
            }
            for stage in some.stages
        ],
        "waves": [_wave(one) for one in some.waves],
        "relocked": dict(some.relocked or {}),
        "findings": findings(some.findings),
        "conflicts": [
            {
                "message": one.message,
                "arithmetic": one.arithmetic,
                "irreducible": one.proven,
                "lines": [
                    {"place": str(line.place), "subject": line.subject, "words": line.words} for line in one.lines
                ],
                "remedies": [{"text": r.text, "path": list(r.path), "value": r.value} for r in one.remedies],
            }
            for one in some.conflicts
        ],
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "service": str(one.service),
        "from": one.node,
        "to": one.target,
        "details": [{"key": d.key, "before": d.before, "after": d.after} for d in one.details],
        "why": one.why,
        "restarts": one.restarts,
        "downtime": one.downtime,
        "undo": one.undo,
    }


def _wave(one: Wave) -> dict[str, Any]:
    move = one.move
    return {
        "number": one.number,
        "stage": one.stage,
        "kind": one.kind.value,
        "why": one.why,
        "steps": [
            {"id": step.id, "service": str(step.service), "node": step.node, "why": step.why} for step in one.steps
        ],
        "restarts": one.restarts,
        "downtime": one.downtime,
        **(
            {"from": move.source, "to": move.target, "bytes": move.bytes, "stop_first": move.stop_first} if move else {}
        ),
    }
