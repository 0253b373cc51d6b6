"""Settings of applications that follow their limit, in the form that each image really reads.

Sources of the shares: PostgreSQL documentation 19.4 (shared_buffers a quarter of memory), Redis documentation (leave
room for fork and buffers), Elasticsearch reference, heap size (at most half, below 32 GB), Neo4j operations manual,
memory configuration, RabbitMQ documentation, memory alarms. Amounts are rounded down to whole MiB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.model.units import GIB, MIB
from bayplan.tuning.command import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.model.service import Service, Tuning


@dataclass(frozen=True, slots=True)
class Settings:
    """What a recipe sets: environment variables, and command-line options with how they are written.

    Attributes:
        environment: variable → value.
        without: variables that say the same under another name; they are taken away.
        options: option → value; `bayplan.tuning.command` writes them into a command line.
        programs: the programs that read the options; the first is the one that the image starts.
        style: `-c` for `-c name=value`, `--` for `--name value`.
        command: a whole command line, where the policy writes one.
        why: variable, option or `command` → what its value follows; empty for what follows nothing.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    programs: tuple[str, ...] = ()
    style: str = ""
    command: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)


def tuned(service: Service) -> Settings:
    """Return the settings that follow from a service's limit and CPUs; none without a memory limit or a recipe."""
    tuning = service.tuning
    if tuning is None:
        return Settings()
    limit = service.limits.get(MEMORY)
    share = service.limits.get(CPUS) or service.requests.get(CPUS)
    memory = limit.amount if limit else 0
    cpus = max(1, -(-share.amount // 1000)) if share else 1
    recipe = RECIPES.get(tuning.recipe)
    made = recipe(service, memory, cpus) if recipe and memory else Settings()
    # A share of a limit that nobody set is nothing: better the image's own default than a 1.
    said = {key: text for key, text in tuning.environment.items() if memory or not _uses(text, MEMORY)}
    words = _words(tuning.command)
    words = words if memory or not any(_uses(word, MEMORY) for word in words) else ()
    return replace(
        made,
        environment={**made.environment, **{key: _filled(text, memory, cpus) for key, text in said.items()}},
        command=tuple(_filled(word, memory, cpus) for word in words),
        why={
            **dict.fromkeys([*made.environment, *made.options], _follows("{memory}", memory, cpus)),
            **made.why,
            **{key: _follows(text, memory, cpus) for key, text in said.items()},
            "command": _follows(" ".join(words), memory, cpus),
        },
    )


def follows_memory(tuning: Tuning) -> bool:
    """Whether something that a tuning says in its own words is a share of the limit of memory."""
    return any(_uses(text, MEMORY) for text in (*tuning.environment.values(), *tuning.command))


_TEMPLATE = re.compile(r"\{(memory|cpus)(?:\s*\*\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+))?(?:\s*\|\s*(B|KiB|MiB|GiB))?\}")


def _filled(text: str, memory: int, cpus: int) -> str:
    """Fill `{memory*0.5|MiB}` and `{cpus}`: whole numbers, rounded down, at least 1."""

    def fill(found: re.Match[str]) -> str:
        amount = Fraction(memory if found[1] == MEMORY else cpus) * Fraction(found[2] or "1")
        unit = {"KiB": 1024, "MiB": MIB, "GiB": GIB}.get(found[3] or "", 1)
        return str(max(1, int(amount / unit)))

    return _TEMPLATE.sub(fill, text)


def _uses(text: str, what: str) -> bool:
    return any(found[1] == what for found in _TEMPLATE.finditer(text))


def _follows(text: str, memory: int, cpus: int) -> str:
    """Return what a value follows, in words; empty if it is written as it stands."""
    parts = [f"the limit of {units.show_bytes(memory)}"] if _uses(text, MEMORY) else []
    parts += [f"{cpus} CPU"] if _uses(text, CPUS) else []
    return f"follows {' and '.join(parts)}" if parts else ""


def _words(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command line as words; one that is written as one text is split as Compose would."""
    return tuple(split(command[0])) if len(command) == 1 else command


def _mib(memory: int, share: float, least: int = 1) -> int:
    return max(least, int(memory * share) // MIB)


def _postgres(service: Service, memory: int, cpus: int) -> Settings:
    connections = int(service.tuning.options.get("connections", "100")) if service.tuning else 100
    options = {
        "shared_buffers": f"{_mib(memory, 0.25)}MB",
        "effective_cache_size": f"{_mib(memory, 0.75)}MB",
        "maintenance_work_mem": f"{_mib(memory, 0.05)}MB",
        "work_mem": f"{max(1, _mib(memory, 0.25) // connections)}MB",
        "max_connections": str(connections),
        "max_worker_processes": str(max(8, cpus)),
    }
    workers = f"follows {cpus} CPU" if cpus > 8 else ""  # noqa: PLR2004 - the default of PostgreSQL
    why = {"max_connections": f"{connections} connections share the memory", "max_worker_processes": workers}
    return Settings(options=options, programs=("postgres", "postmaster"), style="-c", why=why)


_REDIS_FORKS = {"valkey": "valkey-server", "keydb": "keydb-server"}


def _redis(service: Service, memory: int, cpus: int) -> Settings:
    del cpus
    options = {"maxmemory": f"{_mib(memory, 0.75)}mb"}
    policy = service.tuning.options.get("policy") if service.tuning else None
    if policy:
        options["maxmemory-policy"] = policy
    first = next((program for fork, program in _REDIS_FORKS.items() if fork in service.image), "redis-server")
    programs = (first, *sorted({"redis-server", *_REDIS_FORKS.values()} - {first}))
    return Settings(options=options, programs=programs, style="--", why={"maxmemory-policy": ""})


def _heap(variable: str, share: float, most: int) -> Callable[[Service, int, int], Settings]:
    def recipe(service: Service, memory: int, cpus: int) -> Settings:
        del cpus
        heap = min(_mib(memory, share), most // MIB)
        known = str((service.body.get("environment") or {}).get(variable) or "")
        # A variable may hold a heap, and the last one on the line wins: so ours stands there.
        rest = [word for word in _options(known) if not word.startswith(("-Xms", "-Xmx"))]
        size = f"{heap // 1024}g" if heap % 1024 == 0 else f"{heap}m"
        return Settings({variable: " ".join([*rest, f"-Xms{size}", f"-Xmx{size}"])})

    return recipe


def _options(text: str) -> list[str]:
    """Return the words of a text; `${X:-a b}` is one."""
    return re.findall(r"(?:\$\{[^}]*\}|\S)+", text)


def _elasticsearch(service: Service, memory: int, cpus: int) -> Settings:
    variable = "OPENSEARCH_JAVA_OPTS" if "opensearch" in service.image else "ES_JAVA_OPTS"
    return _heap(variable, 0.5, 31 * GIB)(service, memory, cpus)


def _jvm(service: Service, memory: int, cpus: int) -> Settings:
    """Return a heap for any JVM. A start script that passes -Xmx itself beats JAVA_TOOL_OPTIONS, so it gets its own."""
    found = re.search(r"(?:^|/)confluentinc/(cp-[a-z-]+)", service.image)
    scripted = {"cp-schema-registry": "SCHEMA_REGISTRY_HEAP_OPTS", "cp-kafka-rest": "KAFKAREST_HEAP_OPTS",
                "cp-ksqldb-server": "KSQL_HEAP_OPTS"}  # fmt: skip
    variable = scripted.get(found[1], "KAFKA_HEAP_OPTS") if found else "JAVA_TOOL_OPTIONS"
    return _heap(variable, 0.5, 31 * GIB)(service, memory, cpus)


_NEO4J = {"_heap_initial__size": 0.4, "_heap_max__size": 0.4, "_pagecache_size": 0.35}
_NEO4J_PREFIXES = ("NEO4J_dbms_memory", "NEO4J_server_memory")


def _neo4j(service: Service, memory: int, cpus: int) -> Settings:
    del cpus
    version = re.search(r":(\d+)", service.image)
    # Neo4j 5 renamed dbms.memory.* to server.memory.*; the image turns _ into . and __ into _.
    old, new = _NEO4J_PREFIXES
    prefix, other = (old, new) if version and int(version[1]) < 5 else (new, old)  # noqa: PLR2004
    return Settings(
        environment={f"{prefix}{name}": f"{_mib(memory, share)}m" for name, share in _NEO4J.items()},
        without=tuple(f"{other}{name}" for name in _NEO4J),
    )


def _rabbitmq(service: Service, memory: int, cpus: int) -> Settings:
    del cpus
    # The variable RABBITMQ_VM_MEMORY_HIGH_WATERMARK is no longer read; Erlang arguments are, in every release.
    ours = ("-rabbit total_memory_available_override_value", "-rabbit vm_memory_high_watermark")
    variable = "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"
    known = str((service.body.get("environment") or {}).get(variable) or "")
    for argument in ours:
        known = re.sub(rf"{argument} +(?:\{{[^}}]*\}}|\S+)", "", known)
    arguments = (known.split(), [ours[0], str(memory), ours[1], "0.6"])
    return Settings({variable: " ".join(word for part in arguments for word in part)})


RECIPES: Mapping[str, Callable[[Service, int, int], Settings]] = {
    "postgres": _postgres,
    "redis": _redis,
    "elasticsearch": _elasticsearch,
    "kafka": _heap("KAFKA_HEAP_OPTS", 0.5, 6 * GIB),
    "neo4j": _neo4j,
    "rabbitmq": _rabbitmq,
    "jvm": _jvm,
}
