"""What is built of Dockerfiles: those that lie in the repository are read, no others are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.compose.dockerfile import Image, built, read_dockerfile
from bayplan.policy.beside import Beside
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.service import Service
    from bayplan.source import Node


def read_images(policy: Path, fleet: Fleet) -> Mapping[Name, Image]:
    """Return service → the image that is built for it, of those whose Dockerfile can be read inside of the border.

    Args:
        policy: a policy folder, or one policy file.
        fleet: its services.

    Raises:
        PolicyError: if there is no policy any more.
    """
    files = Beside(policy, read_dockerfile)
    images: dict[tuple[Path, str], Image | None] = {}
    found: dict[Name, Image] = {}
    for service in fleet.active():
        build = _build(service)
        if build is None:
            continue
        file = word(build.get("dockerfile")) or "Dockerfile"
        key = (files.root(fleet, service) / service.build / file, word(build.get("target")))
        if key not in images:
            images[key] = built(files.read(key[0]), key[1])
        image = images[key]
        if image is not None:
            found[service.name] = image
    return found


def _build(service: Service) -> Node | None:
    """Return how a service is built, if it is by a Dockerfile of its own."""
    build = service.tree.get("build") if service.build and service.tree is not None else None
    return build if build is not None and build.get("dockerfile_inline") is None else None
