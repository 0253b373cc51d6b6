"""What a service sets of its application's memory: in its environment, on its command line, or by its tuning.

Each value keeps its place. What a recipe sets is read as it is compiled: it is that value which counts. A variable is
what is known of it; a value of which nothing is known is left out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayplan.finding import NOWHERE
from bayplan.model.quantity import MEMORY
from bayplan.model.units import KIB, MIB
from bayplan.tuning import images, sizes
from bayplan.tuning.applied import Applied, applied
from bayplan.tuning.command import words_of
from bayplan.tuning.given import given as options_of
from bayplan.tuning.given import options_in
from bayplan.tuning.images import Image, image_of
from bayplan.tuning.places import Places
from bayplan.tuning.settings import (
    CACHE,
    CACHE_SIZE,
    CODE,
    CONNECTIONS,
    DIRECT,
    EVICTION,
    HEAP,
    HEAP_SHARE,
    HEAP_START,
    LINES,
    MAINTENANCE,
    MAXMEMORY,
    METASPACE,
    MODELS,
    MYSQL_OPTIONS,
    PAGE_CACHE,
    SHARED_BUFFERS,
    TOLD,
    WATERMARK,
    WORK_MEM,
    Application,
    Setting,
)
from bayplan.tuning.variables import filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bayplan.model.service import Service, Tuning
    from bayplan.source import Node

_BLOCK = 8 * KIB


def application(service: Service, given: Mapping[str, Node] | None = None) -> Application | None:
    """Return what a service sets of its memory, or None if nothing is known of it.

    Args:
        service: as it should be.
        given: variable → its value in a file for the container (`env_file`), which its own environment replaces.
    """
    image = image_of(service.image)
    body = _with_files(service.body, given or {})
    if not (image.application or service.tuning or _HINT.search(_everything(body))):
        return None
    done = applied(service, body) if service.tuning else Applied()
    body = body if not service.tuning else {**body, "environment": done.environment}
    if done.made.command:
        body = {**body, "command": list(done.made.command)}
    if done.line is not None:
        body = {**body, done.line.key: list(done.line.words)}
    places = Places(service, done, given or {})
    found = tuple(_settings(service, image, _filled(body, service.variables), places))
    own = service.tuning.environment if service.tuning else {}
    recipe = frozenset(
        {*(one.replace("-", "_") for one in done.made.options), *(set(done.made.environment) - set(own))}
    )
    idle = bool(done.made.options) and done.line is None
    return Application(service, image, found, body.get("environment") or {}, recipe, idle, places)


def under(known: Application, tuning: Tuning) -> Application | None:
    """Return the same service under another tuning."""
    given = known.places.given if known.places else {}
    return application(replace(known.service, tuning=tuning, settings={}), given)


_HINT = re.compile(
    r"-Xm[xs]|-XX:|max.old.space.size|maxmemory|shared.buffers|innodb|work.mem|GOMEMLIMIT=|HEAP(?:_SIZE)?=|CACHE_SIZE="
    r"|MEMORY_SIZE=|WATERMARK="
)


def _with_files(body: Mapping[str, Any], given: Mapping[str, Node]) -> Mapping[str, Any]:
    if not given:
        return body
    own = {key: value for key, value in (body.get("environment") or {}).items() if value is not None}
    return {**body, "environment": {key: node.string for key, node in given.items()} | own}


def _filled(body: Mapping[str, Any], variables: Mapping[str, str]) -> Mapping[str, Any]:
    """Return a Compose mapping in which variables are what is known of them: what `.env` says, or their default."""

    def fill(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [fill(one) for one in value]
        return filled(value, variables) if isinstance(value, str) else value

    environment = {key: fill(value) for key, value in (body.get("environment") or {}).items()}
    return {**body, "environment": environment, **{line: fill(body[line]) for line in LINES if body.get(line)}}


def _everything(body: Mapping[str, Any]) -> str:
    texts = [f"{key}={value}" for key, value in (body.get("environment") or {}).items()]
    lines = [one if isinstance(one, str) else " ".join(map(str, one or ())) for one in map(body.get, LINES)]
    return "\n".join([*texts, *lines])


def _settings(service: Service, image: Image, body: Mapping[str, Any], places: Places) -> Iterator[Setting]:
    limit = service.limits.get(MEMORY)
    memory = limit.amount if limit else 0
    environment = {key: str(value) for key, value in (body.get("environment") or {}).items() if value is not None}
    for key, text in environment.items():
        for one in _of_variable(image, key, text, memory):
            yield replace(one, place=places.variable(key))
    for line in LINES:
        for index, word in enumerate(words_of(body.get(line))):
            for one in _of_runtime(line, word, memory):
                yield replace(one, place=places.word(line, index))
    yield from _of_options(body, places)
    yield from _of_memcached(image, body, places)
    yield from _of_flags(environment, places)
    yield from _of_neo4j(image, environment, places)
    yield from _of_rabbitmq(image, environment, places, memory)


def _of_options(body: Mapping[str, Any], places: Places) -> Iterator[Setting]:
    for style, names, read in _OPTIONS:
        for option in options_of(body, names, style):
            amount = read(option.name, option.value)
            if amount is not None:
                name = option.name.replace("_", "-") if style == "--" else option.name
                place = places.word(option.line, option.index)
                setting = CACHE if read is _wired_tiger else option.name
                yield Setting(setting, f"{name} {option.value}", amount, option.line, place, option.value)


_ITEMS = re.compile(r"(?:-m|--memory-limit=?)(\d*)")


def _of_memcached(image: Image, body: Mapping[str, Any], places: Places) -> Iterator[Setting]:
    """Yield the cache of memcached, of a line that starts it or is its options: `-m 64`, in one word or two."""
    for line in LINES:
        words = words_of(body.get(line))
        ours = bool(words) and (words[0].endswith("memcached") or image.application == images.MEMCACHED)
        for index, word in enumerate(words if ours else ()):
            found = _ITEMS.fullmatch(word)
            apart = found is not None and not found[1] and index + 1 < len(words)
            text = words[index + 1] if apart else found[1] if found else ""
            amount = sizes.mib(text)
            if amount:
                name = word.removesuffix(text).removesuffix("=")
                yield Setting(CACHE, f"{name} {text}", amount, line, places.word(line, index + apart), text)


def _of_flags(environment: Mapping[str, str], places: Places) -> Iterator[Setting]:
    for key in sorted(_FLAGS.keys() & environment.keys()):
        for style, names, read in _OPTIONS:
            for name, value in options_in(environment[key], names, style) if style in _FLAGS[key] else ():
                amount = read(name, value)
                if amount is not None:
                    said = f"{name.replace('_', '-') if style == '--' else name} {value}"
                    yield Setting(name, said, amount, key, places.variable(key), value)


# --- Java and Node ---

_JVM = re.compile(
    r"(?<![\w-])-(Xmx|Xms|XX:(?:(?:Max|Initial)HeapSize|MaxDirectMemorySize|MaxMetaspaceSize|ReservedCodeCacheSize"
    r"|MaxRAMPercentage|MaxRAMFraction)=)([^\s\"'$]+)(?=[\s\"']|$)"
)
_NODE = re.compile(r"(?<![\w-])--max[-_]old[-_]space[-_]size[= ](\d{1,7})(?=[\s\"']|$)")
_JVM_NAMES = {
    "Xmx": HEAP, "Xms": HEAP_START, "XX:MaxHeapSize=": HEAP, "XX:InitialHeapSize=": HEAP_START,
    "XX:MaxDirectMemorySize=": DIRECT, "XX:MaxMetaspaceSize=": METASPACE, "XX:ReservedCodeCacheSize=": CODE,
}  # fmt: skip


def _of_runtime(where: str, text: str, memory: int) -> Iterator[Setting]:
    """Yield the heap and its neighbours that a text sets for Java or Node."""
    for found in _JVM.finditer(text):
        option, value = found[1], found[2]
        if option in _JVM_NAMES:
            amount = sizes.jvm(value)
            if amount:
                yield Setting(_JVM_NAMES[option], found[0], amount, where, NOWHERE, value)
        elif memory and re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value) and float(value):
            share = 1 / float(value) if "Fraction" in option else float(value) / 100
            yield Setting(HEAP_SHARE, found[0], int(memory * share), where, NOWHERE, value)
    for found in _NODE.finditer(text):
        yield Setting(HEAP, found[0], int(found[1]) * MIB, where, NOWHERE, found[1])


# --- variables that an image reads ---


def _of_variable(image: Image, key: str, text: str, memory: int) -> Iterator[Setting]:
    yield from _of_runtime(key, text, memory)
    readers = _READ.get(key, {})
    name, size = readers.get(image.repository) or readers.get("", ("", sizes.jvm))
    if name and (amount := size(text)):
        yield Setting(name, f"{key}={text}", amount, key, NOWHERE, text)
    if key == "OLLAMA_MAX_LOADED_MODELS" and image.application == images.OLLAMA and text.isdigit():
        yield Setting(MODELS, f"{key}={text}", int(text), key, NOWHERE, text)


_READ: Mapping[str, Mapping[str, tuple[str, Callable[[str], int | None]]]] = {
    "SOLR_HEAP": {"solr": (HEAP, sizes.jvm)},
    "MAX_HEAP_SIZE": {"cassandra": (HEAP, sizes.jvm)},
    "ELASTICSEARCH_HEAP_SIZE": {"bitnami/elasticsearch": (HEAP, sizes.jvm)},
    "OPENSEARCH_HEAP_SIZE": {"bitnami/opensearch": (HEAP, sizes.jvm)},
    "ZK_SERVER_HEAP": {"zookeeper": (HEAP, sizes.mib)},
    "ZOO_HEAP_SIZE": {"bitnami/zookeeper": (HEAP, sizes.mib)},
    "GOMEMLIMIT": {"": (HEAP, sizes.erlang)},
    "MEMCACHED_CACHE_SIZE": {"bitnami/memcached": (CACHE, sizes.mib)},
    "INFLUXD_STORAGE_CACHE_MAX_MEMORY_SIZE": {"influxdb": (CACHE, sizes.jvm)},
    "INFLUXDB_DATA_CACHE_MAX_MEMORY_SIZE": {"influxdb": (CACHE, sizes.jvm)},
    "TS_TUNE_MEMORY": dict.fromkeys(images.TIMESCALE, (TOLD, sizes.postgres)),
}
"""Variable → the image that reads it (empty: the program itself, whatever its image), what it sets, and its sizes."""
_FLAGS: Mapping[str, tuple[str, ...]] = {
    "REDIS_ARGS": ("--",), "REDIS_EXTRA_FLAGS": ("--",), "VALKEY_EXTRA_FLAGS": ("--",), "MYSQL_EXTRA_FLAGS": ("--",),
    "MARIADB_EXTRA_FLAGS": ("--",), "POSTGRESQL_EXTRA_FLAGS": ("-c",),
}  # fmt: skip
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
    return sizes.policy(text) if name == EVICTION else sizes.redis(text)


def _mysql(name: str, text: str) -> int | None:
    return (int(text) if text.isdigit() else None) if name == CONNECTIONS else sizes.jvm(text)


def _wired_tiger(name: str, text: str) -> int | None:
    return sizes.erlang(f"{text}GiB") if name else None


_OPTIONS = (
    ("-c", (SHARED_BUFFERS, WORK_MEM, CONNECTIONS, MAINTENANCE, CACHE_SIZE), options_amount),
    ("--", (MAXMEMORY, EVICTION), _redis),
    ("--", MYSQL_OPTIONS, _mysql),
    ("--", ("wiredTigerCacheSizeGB",), _wired_tiger),
)
