"""`extends`: a service laid on another one, of the same file or of another."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayplan.compose.document import real
from bayplan.compose.forms import RESET, word
from bayplan.compose.merge import SERVICE, merge_long, settled
from bayplan.compose.paths import moved_service

if TYPE_CHECKING:
    from pathlib import Path

    from bayplan.compose.document import Reader, Scope
    from bayplan.source import Node

MAX_CHAIN = 32
"""How many services deep `extends` is followed."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file that a service stands in."""

    document: Node
    path: Path
    scope: Scope


def with_extends(reader: Reader, document: Node, path: Path, scope: Scope) -> Node:
    """Return a Compose file whose services extend nothing any more."""
    services = document.get("services")
    if services is None or not services.is_map:
        return document
    file = _File(document, path, scope)
    here = real(path)
    extended = {key: _extended(reader, key, service, file, ((here, key),)) for key, service in services.items()}
    return document.with_value({**document.value, "services": services.with_value(extended)})


def _extended(reader: Reader, key: str, service: Node, file: _File, chain: tuple[tuple[str, str], ...]) -> Node:
    """Return a service laid on the one that it extends, without the key `extends`."""
    wanted = service.get("extends")
    if wanted is None or wanted.tag == RESET:
        return service
    rest = service.with_value({name: child for name, child in service.items() if name != "extends"})
    other, named = _target(wanted)
    found = _source(reader, named, file, wanted)
    if found is None:
        _say(reader, "compose/extends", wanted, key, f"extends '{other}' of {named}, which cannot be read")
        return rest
    step = (real(found.path), other)
    if step in chain or len(chain) >= MAX_CHAIN:
        way = " → ".join((*(name for _, name in chain), other))
        _say(reader, "compose/extends-cycle", wanted, key, f"extends itself: {way}")
        return rest
    services = found.document.get("services")
    base = services.get(other) if services is not None else None
    if base is not None and not reader.afford(base, wanted.here):
        return rest
    if base is None or not base.is_map:
        message = f"extends '{other}', which {named or 'this file'} does not define"
        _say(reader, "compose/extends", wanted, key, message)
        return rest
    base = settled(_extended(reader, other, base, found, (*chain, step)))
    if named:
        base = moved_service(base, posixpath.dirname(named))
    return merge_long(replace(base, place=service.place, key=service.key), rest, SERVICE)


def _target(wanted: Node) -> tuple[str, str]:
    """Return the service and the file that `extends` names; the file is empty for the same one."""
    if not wanted.is_map:
        return word(wanted), ""
    service, file = wanted.get("service"), wanted.get("file")
    return (word(service) if service is not None else ""), (word(file) if file is not None else "")


def _source(reader: Reader, named: str, file: _File, wanted: Node) -> _File | None:
    if not named:
        return file
    path, scope = file.scope.at(named), file.scope.below(posixpath.dirname(named))
    reader.places[path] = wanted.here
    document = reader.document(path, scope)
    return _File(document, path, scope) if document is not None else None


def _say(reader: Reader, rule: str, node: Node, subject: str, message: str) -> None:
    reader.say(rule, node, subject, message, "name a service that exists, in a chain that ends")
