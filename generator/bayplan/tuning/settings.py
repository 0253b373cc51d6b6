"""What a service sets of its application's memory: in its environment, on its command line, or by its tuning.

Each value keeps its place. What a recipe sets is read as it is compiled: it is that value which counts. A value with a
variable in it is left out, since nobody knows it here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bayplan.finding import NOWHERE
from bayplan.model.quantity import MEMORY
from bayplan.model.units import KIB, MIB
from bayplan.tuning import images, sizes
from bayplan.tuning.applied import Applied, applied
from bayplan.tuning.command import words_of
from bayplan.tuning.given import given, options_in
from bayplan.tuning.images import Image, image_of
from bayplan.tuning.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.finding import Place
    from bayplan.model.service import Service

HEAP, HEAP_START, HEAP_SHARE, DIRECT, METASPACE, PAGE_CACHE = (
    "heap", "heap start", "heap share", "direct memory", "metaspace", "page cache",
)  # fmt: skip
MAXMEMORY, EVICTION = "maxmemory", "maxmemory_policy"
SHARED_BUFFERS, WORK_MEM, CONNECTIONS, BUFFER_POOL = (
    "shared_buffers", "work_mem", "max_connections", "innodb_buffer_pool_size",
)  # fmt: skip
MAINTENANCE, CACHE_SIZE = "maintenance_work_mem", "effective_cache_size"
WATERMARK, MODELS = "vm_memory_high_watermark", "models"
_BLOCK = 8 * KIB


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
        environment: every variable as it is compiled.
        recipe: the options and variables that its recipe sets.
        idle: whether none of its lines is known to read the options that its recipe would set.
    """

    service: Service
    image: Image
    settings: tuple[Setting, ...]
    environment: Mapping[str, Any]
    recipe: frozenset[str] = frozenset()
    idle: bool = False

    def all(self, name: str) -> tuple[Setting, ...]:
        """Return every setting of a name, the last one of each place where it is set."""
        return tuple({one.where: one for one in self.settings if one.name == name}.values())

    def last(self, name: str) -> Setting | None:
        """Return the setting of a name that wins, or None."""
        found = self.all(name)
        return found[-1] if found else None

    def by_recipe(self, setting: Setting) -> bool:
        """Whether the recipe itself sets a value: it follows the limit, and is right by itself."""
        on_line = setting.name in self.recipe and setting.where in _LINES
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


def application(service: Service) -> Application | None:
    """Return what a service sets of its memory, or None if nothing is known of it."""
    image = image_of(service.image)
    if not (image.application or service.tuning or _HINT.search(_everything(service.body))):
        return None
    done = applied(service, service.body) if service.tuning else Applied()
    body = service.body if not service.tuning else {**service.body, "environment": done.environment}
    if done.made.command:
        body = {**body, "command": list(done.made.command)}
    if done.line is not None:
        body = {**body, done.line.key: list(done.line.words)}
    places = Places(service, done)
    found = tuple(_settings(service, image, body, places))
    own = service.tuning.environment if service.tuning else {}
    recipe = frozenset(
        {*(one.replace("-", "_") for one in done.made.options), *(set(done.made.environment) - set(own))}
    )
    idle = bool(done.made.options) and done.line is None
    return Application(service, image, found, body.get("environment") or {}, recipe, idle)


_HINT = re.compile(r"-Xm[xs]|MaxRAMPercentage|max.old.space.size|maxmemory|shared.buffers|innodb|work.mem")


def _everything(body: Mapping[str, Any]) -> str:
    texts = [str(one) for one in (body.get("environment") or {}).values()]
    lines = [one if isinstance(one, str) else " ".join(map(str, one or ())) for one in map(body.get, _LINES)]
    return "\n".join([*texts, *lines])


_LINES = ("entrypoint", "command")


def place_of(service: Service, variable: str) -> Place:
    """Return where the value of a variable of a service is written."""
    return Places(service, applied(service, service.body) if service.tuning else Applied()).variable(variable)


def _settings(service: Service, image: Image, body: Mapping[str, Any], places: Places) -> Iterator[Setting]:
    limit = service.limits.get(MEMORY)
    memory = limit.amount if limit else 0
    environment = {key: str(value) for key, value in (body.get("environment") or {}).items() if value is not None}
    for key, text in environment.items():
        for one in _of_variable(image, key, text, memory):
            yield replace(one, place=places.variable(key))
    for line in _LINES:
        for index, word in enumerate(words_of(body.get(line))):
            for one in _of_runtime(line, word, memory):
                yield replace(one, place=places.word(line, index))
    yield from _of_options(body, places)
    yield from _of_flags(environment, places)
    yield from _of_neo4j(image, environment, places)
    yield from _of_rabbitmq(image, environment, places, memory)


def _of_options(body: Mapping[str, Any], places: Places) -> Iterator[Setting]:
    for style, names, read in _OPTIONS:
        for option in given(body, names, style):
            amount = read(option.name, option.value)
            if amount is not None:
                name = option.name.replace("_", "-") if style == "--" else option.name
                place = places.word(option.line, option.index)
                yield Setting(option.name, f"{name} {option.value}", amount, option.line, place, option.value)


def _of_flags(environment: Mapping[str, str], places: Places) -> Iterator[Setting]:
    for key in sorted(_FLAGS & set(environment)):
        for name, value in options_in(environment[key], (MAXMEMORY, EVICTION), "--"):
            amount = _redis(name, value)
            if amount is not None:
                said = f"{name.replace('_', '-')} {value}"
                yield Setting(name, said, amount, key, places.variable(key), value)


# --- Java and Node ---

_JVM = re.compile(
    r"(?<![\w-])-(Xmx|Xms|XX:MaxDirectMemorySize=|XX:MaxMetaspaceSize=|XX:MaxRAMPercentage=)([^\s\"'$]+)(?=[\s\"']|$)"
)
_NODE = re.compile(r"(?<![\w-])--max[-_]old[-_]space[-_]size[= ](\d{1,7})(?=[\s\"']|$)")
_JVM_NAMES = {
    "Xmx": HEAP, "Xms": HEAP_START, "XX:MaxDirectMemorySize=": DIRECT, "XX:MaxMetaspaceSize=": METASPACE,
}  # fmt: skip


def _of_runtime(where: str, text: str, memory: int) -> Iterator[Setting]:
    """Yield the heap and its neighbours that a text sets for Java or Node."""
    for found in _JVM.finditer(text):
        option, value = found[1], found[2]
        if option in _JVM_NAMES:
            amount = sizes.jvm(value)
            if amount:
                yield Setting(_JVM_NAMES[option], found[0], amount, where, NOWHERE, value)
        elif memory and re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value):
            yield Setting(HEAP_SHARE, found[0], int(memory * float(value) / 100), where, NOWHERE, value)
    for found in _NODE.finditer(text):
        yield Setting(HEAP, found[0], int(found[1]) * MIB, where, NOWHERE, found[1])


# --- variables that an image reads ---


def _of_variable(image: Image, key: str, text: str, memory: int) -> Iterator[Setting]:
    yield from _of_runtime(key, text, memory)
    heap = {"SOLR_HEAP": images.SOLR, "MAX_HEAP_SIZE": images.CASSANDRA}.get(key)
    if heap and heap == image.application and (amount := sizes.jvm(text)):
        yield Setting(HEAP, f"{key}={text}", amount, key, NOWHERE, text)
    if key == "OLLAMA_MAX_LOADED_MODELS" and image.application == images.OLLAMA and text.isdigit():
        yield Setting(MODELS, f"{key}={text}", int(text), key, NOWHERE, text)


_FLAGS = frozenset({"REDIS_ARGS", "REDIS_EXTRA_FLAGS", "VALKEY_EXTRA_FLAGS"})
"""Variables that images put behind the command, so that they win: redis-stack, Bitnami's, Valkey's own."""


def _of_neo4j(image: Image, environment: Mapping[str, str], places: Places) -> Iterator[Setting]:
    """Yield the memory of Neo4j; release 5 renamed dbms.memory.* to server.memory.*, and the newer name wins there."""
    older, newer = ("server", "dbms") if image.before(5) else ("dbms", "server")
    for prefix in (older, newer):
        for rest, name in _NEO4J.items():
            key = f"NEO4J_{prefix}_memory_{rest}"
            amount = sizes.neo4j(environment[key]) if key in environment else None
            if amount:
                text = environment[key]
                yield Setting(name, f"{key}={text}", amount, key, places.variable(key), text)


_NEO4J = {"heap_max__size": HEAP, "heap_initial__size": HEAP_START, "pagecache_size": PAGE_CACHE}


def _of_rabbitmq(image: Image, environment: Mapping[str, str], places: Places, memory: int) -> Iterator[Setting]:
    key = "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"
    text = environment.get(key, "")
    override = re.search(r"total_memory_available_override_value +(\d+)", text)
    found = re.search(r"vm_memory_high_watermark +(?:\{absolute, *\\?\"?([\w.]+)\\?\"?\}|([\d.]+))", text)
    bare = "RABBITMQ_VM_MEMORY_HIGH_WATERMARK"
    reads = image.repository == "bitnami/rabbitmq" or (image.application == images.RABBITMQ and image.before(3, 9))
    if found is None and reads and bare in environment:
        key, text = bare, environment[bare]
        found = re.fullmatch(r"(?!0?\.\d|1\.0|\d+%)([\w.]+)|(0?\.\d+|1\.0)", text)
    if found is None:
        return
    amount = sizes.erlang(found[1]) if found[1] else int(float(found[2]) * (int(override[1]) if override else memory))
    if amount:
        yield Setting(WATERMARK, found[0], amount, key, places.variable(key), found[1] or found[2])


# --- options of command lines ---


def options_amount(name: str, text: str) -> int | None:
    """Return bytes, or pieces, that an option of PostgreSQL says; None if it cannot be read."""
    if name == CONNECTIONS:
        return int(text) if text.isdigit() else None
    return sizes.postgres(text, KIB if name in (WORK_MEM, MAINTENANCE) else _BLOCK)


def _redis(name: str, text: str) -> int | None:
    return 0 if name == EVICTION else sizes.redis(text)


def _mysql(name: str, text: str) -> int | None:
    return (int(text) if text.isdigit() else None) if name == CONNECTIONS else sizes.jvm(text)


_OPTIONS = (
    ("-c", (SHARED_BUFFERS, WORK_MEM, CONNECTIONS, MAINTENANCE, CACHE_SIZE), options_amount),
    ("--", (MAXMEMORY, EVICTION), _redis),
    ("--", (BUFFER_POOL, CONNECTIONS), _mysql),
)
