"""What is built of Dockerfiles: those that lie in the repository are read, no others are looked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bayplan.compose.dockerfile import Image, Stage, built, read_dockerfile
from bayplan.policy.folder import policy_files
from bayplan.policy.values import word
from bayplan.source import Budget, border_of, is_there, read_file, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.service import Service


def read_images(policy: Path, fleet: Fleet) -> Mapping[Name, Image]:
    """Return service → the image that is built for it, of those whose Dockerfile can be read inside of the border.

    Each file is read once, and all together hold no more lines than one reading handles. One that cannot be read is
    left out: it need not be here.

    Args:
        policy: a policy folder, or one policy file.
        fleet: its services.

    Raises:
        PolicyError: if there is no policy any more.
    """
    folder = policy_files(policy)[0].parent
    border, budget = border_of(folder), Budget()
    files: dict[str, tuple[Stage, ...]] = {}
    images: dict[tuple[str, str], Image | None] = {}
    found: dict[Name, Image] = {}
    for service in fleet.active():
        path, target = _path(folder, fleet, service), ""
        if path is None:
            continue
        name = os.path.normpath(path)
        if name not in files:
            text, _ = read_file(path, border=border) if is_there(path) else (None, ())
            enough = text is not None and budget.take(text.count("\n"))
            files[name] = read_dockerfile(text, shown(path)) if text is not None and enough else ()
        target = word(service.tree.get("build").get("target"))
        if (name, target) not in images:
            images[name, target] = built(files[name], target)
        image = images[name, target]
        if image is not None:
            found[service.name] = image
    return found


def _path(folder: Path, fleet: Fleet, service: Service) -> Path | None:
    """Return where the Dockerfile of a service would lie, seen from the folder of its project's first file."""
    build = service.tree.get("build") if service.build and service.tree is not None else None
    if build is None or build.get("dockerfile_inline") is not None:
        return None
    return root_of_files(folder, fleet, service) / service.build / (word(build.get("dockerfile")) or "Dockerfile")


def root_of_files(folder: Path, fleet: Fleet, service: Service) -> Path:
    """Return the folder from which the files of a service are named: that of its project's first file."""
    project = fleet.projects.get(service.name.project)
    return (folder / project.files[0]).parent if project is not None and project.files else folder
