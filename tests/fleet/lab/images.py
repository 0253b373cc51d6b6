"""The images of a lab: each made once from its recipe, named by its content, and made anew when the recipe changes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import apt
from .process import LabError, alone, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .engine import Engine

SHELF = "bayplan-lab-shelf-"
NAMES, OURS = "{{.Repository}}:{{.Tag}}", "reference=bayplan-lab/*"
RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Image:
    """One image: the folder of its recipe, what it is built from, and the arguments of its build."""

    recipe: str
    parents: tuple[str, ...] = ()
    arguments: dict[str, str] = field(default_factory=dict)


IMAGES = {
    "base": Image("hub", arguments={"SUITE": "bookworm"}),
    "tools": Image("tools", ("base",)),
    "system": Image("system", ("base",)),
    "programs": Image("programs", ("base",)),
    "node": Image("node", ("system", "tools")),
    "registry": Image("registry", ("programs",)),
    "postgres:1": Image("postgres", ("programs",)),
    "redis:1": Image("redis", ("programs",)),
    "nginx:1": Image("nginx", ("programs",)),
    "web:1": Image("web", ("tools",), {"VERSION": "1"}),
    "web:2": Image("web", ("tools",), {"VERSION": "2"}),
}
"""In the order of building: parents first."""
SERVICES = tuple(name for name in IMAGES if ":" in name)
"""What runs on nodes, by the name it has in a lab's registry."""


def digest(name: str) -> str:
    """Return the content of an image as twelve digits: its recipe's files, its arguments, its parents."""
    image = IMAGES[name]
    total = hashlib.sha256(repr((image.arguments, [digest(parent) for parent in image.parents])).encode())
    for file in sorted((RECIPES / image.recipe).iterdir()):
        total.update(f"{file.name} {file.stat().st_mode & 0o111}\n".encode() + file.read_bytes())
    return total.hexdigest()[:12]


def tag(name: str) -> str:
    """Return the name of an image in the outer engine."""
    return f"bayplan-lab/{name.replace(':', '-')}:{digest(name)}"


def shelf() -> str:
    """Return the name of the volume in which all labs' registries keep these images."""
    return SHELF + hashlib.sha256("".join(map(digest, SERVICES)).encode()).hexdigest()[:12]


def ensure(engine: Engine, lock: Path) -> None:
    """Build what is not there, whoever asks first; those that need nothing of each other side by side."""
    if not _missing(engine):
        return
    with alone(lock):
        for names in _rounds(_missing(engine)):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda name: _build(engine, name), names))


def clean(engine: Engine) -> None:
    """Remove what older recipes left: images and shelves, unless a lab still uses them."""
    current = {tag(name) for name in IMAGES}
    for name in set(engine.lines("image", "ls", "--format", NAMES, "--filter", OURS)) - current:
        engine("image", "rm", name, check=False)
    for volume in set(engine.lines("volume", "ls", "--quiet", "--filter", f"name={SHELF}")) - {shelf()}:
        engine("volume", "rm", volume, check=False)
    if engine.ours:
        engine("image", "prune", "--force")  # what builds that failed left


def _missing(engine: Engine) -> list[str]:
    there = set(engine.lines("image", "ls", "--format", NAMES, "--filter", OURS))
    return [name for name in IMAGES if tag(name) not in there]


def _rounds(names: list[str]) -> Iterator[list[str]]:
    """Yield the names in rounds: what one is built from belongs to an earlier round."""
    left = list(names)
    while left:
        now = [name for name in left if not set(IMAGES[name].parents) & set(left)]
        yield now
        left = [name for name in left if name not in now]


def _build(engine: Engine, name: str) -> None:
    with timed(f"building {name}"):
        if name == "base" and _from_here():
            _bootstrap(engine, tag(name))
            return
        image = IMAGES[name]
        arguments = {parent.upper(): tag(parent) for parent in image.parents} | image.arguments | apt.proxy()
        words = [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
        folder = str(RECIPES / image.recipe)
        engine("build", "--quiet", "--network", "host", *words, "--tag", tag(name), folder, timeout=1800)


def _from_here() -> bool:
    """Tell whether this machine can make the base itself; where it cannot, a published image is asked for."""
    try:
        apt.mirror()
    except LabError:
        return False
    return shutil.which("mmdebstrap") is not None and not os.geteuid()


def _bootstrap(engine: Engine, name: str) -> None:
    """Make the base from this machine's mirror: no registry of images is asked for anything."""
    habits, suite, address = RECIPES / "hub", IMAGES["base"].arguments["SUITE"], apt.mirror()
    extra = ["--include=ca-certificates"] if address.address.startswith("https:") else []
    make = [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=apt", *extra,
        f"--aptopt={habits / 'apt'}", f"--dpkgopt={habits / 'dpkg'}", suite, "-", address.entry(suite),
    ]  # fmt: skip
    load = [engine.client, "-H", engine.host, "import", "--change", "ENV DEBIAN_FRONTEND=noninteractive", "-", name]
    environment = {**os.environ, **apt.proxy(), **_memory()}
    with subprocess.Popen(make, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as maker:
        loaded = subprocess.run(load, stdin=maker.stdout, capture_output=True, text=True, check=False)
        said = maker.communicate()[1].decode(errors="replace")
    if maker.returncode or loaded.returncode:
        engine("image", "rm", name, check=False)
        raise LabError(f"The base image could not be made:\n{said[-3000:]}{loaded.stderr}")


def _memory() -> dict[str, str]:
    """Return the setting that lets temporary files be made in memory, where there is room: disks are slow at many."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder for each run is made below it
    return {"TMPDIR": str(shared)} if shared.is_dir() and shutil.disk_usage(shared).free > 1 << 30 else {}
