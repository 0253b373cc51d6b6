"""The policy against its schema: every unknown key and every value of the wrong kind, all at once.

The schema (`schema.json`, beside this file) says what is allowed and is what editors show; `wording` says in
sentences where a policy departs from it.
"""

from __future__ import annotations

import json
import math
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from bayplan.compose.schema import whole_texts
from bayplan.finding import Finding, Place, in_order
from bayplan.policy.wording import Fault, sentences
from bayplan.schema import Schema
from bayplan.source import Node, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SETTLING = ("type", "maxLength")
_LONGEST_FORM, _LONGEST_TEXT = 1000, 10_000
"""How long a text may be where the schema does not say: one of a certain form, and any other."""
_COUNTING = ("amounts", "quotaAmounts", "claim", "savings")
"""The maps of the schema that also take countables which nodes offer under `resources`."""


def schema_text() -> str:
    """Return the JSON Schema of the policy, as `bayplan schema` prints it."""
    return resources.files("bayplan.policy").joinpath("schema.json").read_text(encoding="utf-8")


def validate(document: Node) -> tuple[Finding, ...]:
    """Return all that is wrong with the form of a policy, in the order of the files."""
    faults = _faults(plain(document), _countables(document))
    findings = in_order([finding for fault in faults for finding in sentences(document, fault)])
    once: dict[tuple[Place, str, str], Finding] = {}
    for finding in findings:
        # What an alias or a merge key repeats is written once, and said once.
        once.setdefault((finding.place, finding.rule, finding.message), finding)
    return tuple(once.values())


def _faults(data: object, countables: frozenset[str]) -> Iterator[Fault]:
    """Yield the departures; a value of the wrong type, or one that is too long, is not asked for anything else."""
    faults = [_fault(error) for error in _with(countables).faults(data)]
    settled = {(fault.path, fault.name) for fault in faults if fault.kind in _SETTLING}
    yield from (fault for fault in faults if fault.kind in _SETTLING or (fault.path, fault.name) not in settled)


def _fault(error: ValidationError) -> Fault:
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    name = str(error.instance) if "propertyNames" in error.absolute_schema_path else None
    return Fault(tuple(error.absolute_path), str(error.validator), error.validator_value, schema, name)


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_text())
    return schema


@lru_cache(maxsize=16)
def _with(countables: frozenset[str]) -> Schema:
    """Return the schema of policies whose nodes offer these countables; other such names are unknown."""
    schema: dict[str, Any] = _bounded(whole_texts(_schema()))
    for name in _COUNTING:
        part = schema["$defs"][name]
        rest = part["additionalProperties"]
        part["properties"] = {**dict.fromkeys(sorted(countables), rest), **part["properties"]}
        part["additionalProperties"] = False
    return Schema(schema, _Validator)


def _bounded(schema: Any) -> Any:
    """Return a schema in which every text has a longest: what is read later need not ask how long it is."""
    if isinstance(schema, list):
        return [_bounded(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    copied = {key: _bounded(value) for key, value in schema.items()}
    if "string" in (copied.get("type") or ()) and "enum" not in copied:
        copied.setdefault("maxLength", _LONGEST_FORM if "pattern" in copied else _LONGEST_TEXT)
    return copied


def _unique(_: object, wanted: bool, value: object, __: object) -> Iterator[ValidationError]:  # noqa: FBT001 - so called
    """Yield a fault if a list names one thing twice; jsonschema compares each with each where they cannot be sorted."""
    if wanted and isinstance(value, list):
        seen = {json.dumps(item, sort_keys=True, default=str) for item in value}
        if len(seen) < len(value):
            yield ValidationError("names one thing twice")


def _number(_: object, value: object) -> bool:
    """Whether a value is a number that can be compared: neither infinity nor what is not a number can."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"uniqueItems": _unique},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _number),
)


def _countables(document: Node) -> frozenset[str]:
    """Return the names under `resources` of any node or shape."""
    sections = (document.get("nodes"), document.get("shapes"))
    machines = (machine for section in sections if section for _, machine in section.items())
    offers = (machine.get("resources") for machine in machines)
    return frozenset(name for offer in offers if offer for name, _ in offer.items() if name != "why")
