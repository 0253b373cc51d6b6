"""What a service sets of its application's memory, in words that are the same for all applications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.tuning import images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Place
    from bayplan.model.service import Service
    from bayplan.tuning.images import Image
    from bayplan.tuning.places import Places

HEAP, HEAP_START, HEAP_SHARE, DIRECT, METASPACE, CODE, PAGE_CACHE, CACHE = (
    "heap", "heap start", "heap share", "direct memory", "metaspace", "code cache", "page cache", "cache",
)  # fmt: skip
MAXMEMORY, EVICTION = "maxmemory", "maxmemory_policy"
SHARED_BUFFERS, WORK_MEM, CONNECTIONS, BUFFER_POOL = (
    "shared_buffers", "work_mem", "max_connections", "innodb_buffer_pool_size",
)  # fmt: skip
MAINTENANCE, CACHE_SIZE, TOLD = "maintenance_work_mem", "effective_cache_size", "memory"
PER_CONNECTION = ("sort_buffer_size", "join_buffer_size", "read_buffer_size", "read_rnd_buffer_size")
"""What MySQL gives each connection that needs it."""
MYSQL_OPTIONS = (BUFFER_POOL, CONNECTIONS, *PER_CONNECTION)
WATERMARK, MODELS = "vm_memory_high_watermark", "models"
LINES = ("entrypoint", "command")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that a service sets.

    Attributes:
        name: what it sets, in one word for all applications: `heap`, `maxmemory`, `shared_buffers`.
        said: as it is written: `-Xmx4g`, `--maxmemory 1gb`.
        amount: bytes, or pieces; 0 for what is neither.
        where: the variable, `command` or `entrypoint`.
        place: where it is written.
        text: the value alone.
    """

    name: str
    said: str
    amount: int
    where: str
    place: Place
    text: str = ""


@dataclass(frozen=True, slots=True)
class Application:
    """What is known of a service as an application.

    Attributes:
        service: whose settings they are.
        image: its image.
        settings: in the order in which they are read; of two for one thing in one place, the last one wins.
        environment: every variable as it is compiled, those of files for the container among them.
        recipe: the options and variables that its recipe sets.
        idle: whether none of its lines is known to read the options that its recipe would set.
        places: where its values are written.
    """

    service: Service
    image: Image
    settings: tuple[Setting, ...]
    environment: Mapping[str, Any]
    recipe: frozenset[str] = frozenset()
    idle: bool = False
    places: Places | None = None

    def place_of(self, variable: str) -> Place:
        """Return where the value of a variable is written."""
        return self.places.variable(variable) if self.places else self.service.place

    def all(self, name: str) -> tuple[Setting, ...]:
        """Return every setting of a name, the last one of each place where it is set."""
        return tuple({one.where: one for one in self.settings if one.name == name}.values())

    def last(self, name: str) -> Setting | None:
        """Return the setting of a name that wins, or None."""
        found = self.all(name)
        return found[-1] if found else None

    def is_in_file(self, variable: str) -> bool:
        """Whether a variable comes from a file for the container: no environment can take it back."""
        own = self.service.body.get("environment") or {}
        return self.places is not None and variable in self.places.given and own.get(variable) is None

    def by_recipe(self, setting: Setting) -> bool:
        """Whether the recipe itself sets a value: it follows the limit, and is right by itself."""
        on_line = setting.name in self.recipe and setting.where in LINES
        return on_line or setting.where in self.recipe

    @property
    def heaps(self) -> tuple[Setting, ...]:
        """Return the heaps that hold: a command line beats JAVA_TOOL_OPTIONS, and _JAVA_OPTIONS beats them all."""
        _, dropped = images.JAVA_OPTIONS.get(self.image.application, ("", ()))
        found = tuple(one for one in self.all(HEAP) or self.all(HEAP_SHARE) if one.where not in dropped)
        last = tuple(one for one in found if one.where == "_JAVA_OPTIONS")
        first = tuple(one for one in found if one.where not in _ANY_JVM)
        return last or first or found


_ANY_JVM = frozenset({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"})
