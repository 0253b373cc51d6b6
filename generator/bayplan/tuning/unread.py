"""Variables that people set and images do not read, each with what the image takes instead.

Sources: the documentation of the official images (postgres, mysql, mariadb, redis, valkey: options and configuration
files only); rabbitmq 3.9 and newer refuse to start with variables of theirs; elasticsearch-env, opensearch-env and
Logstash's start script drop JAVA_TOOL_OPTIONS and JAVA_OPTS; kafka-run-class reads KAFKA_HEAP_OPTS; Neo4j writes `.` as
`_` and `_` as `__`; Ollama takes num_thread from the model or the request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bayplan.tuning import images
from bayplan.tuning.command import is_own_script, words_of
from bayplan.tuning.reading import options_amount
from bayplan.tuning.settings import (
    BUFFER_POOL,
    CACHE,
    CACHE_SIZE,
    CONNECTIONS,
    EVICTION,
    HEAP,
    HEAP_START,
    MAINTENANCE,
    MAXMEMORY,
    PAGE_CACHE,
    SHARED_BUFFERS,
    WORK_MEM,
    Setting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.service import Service
    from bayplan.tuning.settings import Application


@dataclass(frozen=True, slots=True)
class Unread:
    """A variable that is set for nothing.

    Attributes:
        variable: its name.
        value: what it says.
        setting: what it is meant to set.
        instead: how the image takes it: an option (`shared_buffers`), a variable (`ES_JAVA_OPTS`), or words.
        default: what holds as long as nobody says it so, or empty.
    """

    variable: str
    value: str
    setting: str
    instead: str
    default: str = ""


_POSTGRES = {
    SHARED_BUFFERS: "128MB",
    WORK_MEM: "4MB",
    MAINTENANCE: "64MB",
    CACHE_SIZE: "4GB",
    CONNECTIONS: "100",
}
MEMORY_LIMIT = "memory_limit"
_REDIS = {MAXMEMORY: "no bound", EVICTION: "noeviction"}
_MYSQL = {BUFFER_POOL: "128M", CONNECTIONS: "151"}
_OPTIONS: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    images.POSTGRES: (("", "POSTGRES_", "POSTGRESQL_", "PG_"), _POSTGRES),
    images.REDIS: (("", "REDIS_"), _REDIS),
    images.VALKEY: (("", "VALKEY_", "REDIS_"), _REDIS),
    images.MYSQL: (("", "MYSQL_"), _MYSQL),
    images.MARIADB: (("", "MARIADB_", "MYSQL_"), _MYSQL),
    images.MEMCACHED: (("", "MEMCACHED_"), {MEMORY_LIMIT: "64"}),
}
"""Application → prefixes of variables that would say its options, and the options with their defaults."""
_OLD_HEAP = {images.ELASTICSEARCH: ("ES_HEAP_SIZE",), images.LOGSTASH: ("LS_HEAP_SIZE",)}
"""Application → variables that were read before release 5."""
_NEO4J_OTHER = {
    "NEO4J_HEAP_SIZE": "heap_max__size", "NEO4J_HEAP_MEMORY": "heap_max__size",
    "NEO4J_PAGECACHE_SIZE": "pagecache_size", "NEO4J_CACHE_MEMORY": "pagecache_size",
}  # fmt: skip
REFUSED = "high watermark"
"""What is meant by a variable with which RabbitMQ does not start."""
_NEO4J = re.compile(r"NEO4J_(?:dbms|server)_memory_(heap_max_size|heap_initial_size|pagecache__size)")


_NAMES = {MEMORY_LIMIT: CACHE, "heap_max__size": HEAP, "heap_initial__size": HEAP_START, "pagecache_size": PAGE_CACHE}
"""What a variable sets → how settings call it."""


def unread(known: Application) -> Iterator[Unread]:
    """Yield what a service sets for nothing, unless it says the same where it is read."""
    for one in _variables(known):
        name = _NAMES.get(one.setting, one.setting)
        said = known.heaps if name == HEAP else known.all(name)
        if all(other.where == one.variable for other in said):
            yield one


def meant(known: Application, name: str) -> Setting | None:
    """Return what a variable that nobody reads says of an option of PostgreSQL, as if it were read."""
    for one in _variables(known):
        amount = options_amount(name, one.value) if one.setting == name else None
        if amount:
            said = f"{one.variable}={one.value}"
            return Setting(name, said, amount, one.variable, known.place_of(one.variable), one.value)
    return None


def is_memory(known: Application, variable: str) -> bool:
    """Whether a variable of a service is about its memory, read or not."""
    set_by = any(one.where == variable for one in known.settings)
    return set_by or any(one.variable == variable for one in _variables(known))


def _variables(known: Application) -> Iterator[Unread]:
    """Yield the variables that are not read; what lines name, or an own script may read, is left out."""
    image, body = known.image, known.service.body
    if not image.application or body.get("build") or is_own_script(body):
        return
    lines = " ".join(word for line in ("entrypoint", "command") for word in words_of(body.get(line)))
    for variable, value in known.environment.items():
        found = None if value is None or variable in lines else _unread(known, variable, str(value))
        if found is not None:
            yield found


def _unread(known: Application, variable: str, value: str) -> Unread | None:
    image = known.image
    option = _options(image.application).get(variable)
    if option and not _reads_at_start(known.service):
        return Unread(variable, value, option, option, _OPTIONS[image.application][1][option])
    reads, dropped = images.JAVA_OPTIONS.get(image.application, ("", ()))
    if variable in dropped and "-Xm" in value:
        return Unread(variable, value, HEAP, reads)
    if variable in _OLD_HEAP.get(image.application, ()) and not image.before(5):
        return Unread(variable, f"-Xms{value} -Xmx{value}", HEAP, reads)
    if image.application == images.NEO4J and (meaning := _neo4j_says(image, variable)):
        return Unread(variable, value, *meaning)
    if image.application == images.RABBITMQ and variable == "RABBITMQ_VM_MEMORY_HIGH_WATERMARK":
        older = image.before(3, 9)
        return None if older else Unread(variable, value, REFUSED, "")
    if image.application == images.OLLAMA and variable in ("OLLAMA_NUM_THREAD", "OLLAMA_NUM_THREADS"):
        return Unread(variable, value, "num_thread", "")
    return None


def _neo4j_says(image: images.Image, variable: str) -> tuple[str, str] | None:
    """Return what a variable that this release of Neo4j does not read is meant to set, and the one that it reads."""
    prefix = "dbms" if image.before(5) else "server"
    if variable in _NEO4J_OTHER:
        setting = _NEO4J_OTHER[variable]
        return setting, f"NEO4J_{prefix}_memory_{setting}"
    if found := _NEO4J.fullmatch(variable):
        right = {"heap_max_size": "heap_max__size", "heap_initial_size": "heap_initial__size"}
        return found[1], variable.replace(found[1], right.get(found[1], "pagecache_size"))
    if image.before(5) and variable.startswith("NEO4J_server_memory_"):
        return variable.removeprefix("NEO4J_server_memory_"), variable.replace("server", "dbms", 1)
    return None


@lru_cache
def _options(application: str) -> Mapping[str, str]:
    prefixes, options = _OPTIONS.get(application, ((), {}))
    named = {f"{prefix}{option.upper()}": option for prefix in prefixes for option in options}
    if application == images.MEMCACHED:
        named |= {f"MEMCACHED_{one}": MEMORY_LIMIT for one in ("CACHE_SIZE", "MEMORY", "MAX_MEMORY")}
    if application in (images.REDIS, images.VALKEY):
        named |= {f"{prefix}MAX_MEMORY": MAXMEMORY for prefix in prefixes}
    return named


def _reads_at_start(service: Service) -> bool:
    """Whether a script that runs when the database is made may read variables."""
    mounts: tuple[Any, ...] = service.mounts
    return any("initdb.d" in mount.target and not mount.target.endswith((".sql", ".sql.gz")) for mount in mounts)
