"""Settings of applications that follow their limit, in the form that each image really reads.

Sources of the shares: PostgreSQL documentation 19.4 (shared_buffers a quarter of memory), Redis documentation (leave
room for fork and buffers), Elasticsearch reference, heap size (at most half, below 32 GB), Neo4j operations manual,
memory configuration, RabbitMQ documentation, memory alarms. Amounts are rounded down to whole MiB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from bayplan.model.quantity import CPUS, MEMORY
from bayplan.model.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bayplan.model.service import Service


@dataclass(frozen=True, slots=True)
class Settings:
    """What a recipe sets: environment variables, and command-line options with how they are written."""

    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    program: str = ""
    style: str = ""
    """`-c` for `-c name=value`, `--` for `--name value`."""


def tuned(service: Service) -> Settings:
    """Return the settings that follow from a service's limit and CPUs; none without a memory limit or a recipe."""
    if service.tuning is None:
        return Settings()
    limit = service.limits.get(MEMORY)
    share = service.limits.get(CPUS) or service.requests.get(CPUS)
    memory = limit.amount if limit else 0
    cpus = max(1, -(-share.amount // 1000)) if share else 1
    recipe = RECIPES.get(service.tuning.recipe)
    made = recipe(service, memory, cpus) if recipe and memory else Settings()
    environment = {**made.environment, **_templates(service.tuning.environment, memory, cpus)}
    return Settings(environment, made.options, made.program, made.style)


_TEMPLATE = re.compile(r"\{(memory|cpus)(?:\s*\*\s*([0-9.]+))?(?:\s*\|\s*(B|KiB|MiB|GiB))?\}")


def _templates(values: Mapping[str, str], memory: int, cpus: int) -> dict[str, str]:
    """Fill `{memory*0.5|MiB}` and `{cpus}`: whole numbers, rounded down, at least 1."""

    def fill(found: re.Match[str]) -> str:
        amount = Fraction(memory if found[1] == "memory" else cpus) * Fraction(found[2] or "1")
        unit = {"KiB": 1024, "MiB": MIB, "GiB": GIB}.get(found[3] or "", 1)
        return str(max(1, int(amount / unit)))

    return {key: _TEMPLATE.sub(fill, text) for key, text in values.items()}


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
    return Settings(options=options, program="postgres", style="-c")


def _redis(service: Service, memory: int, cpus: int) -> Settings:
    del cpus
    options = {"maxmemory": f"{_mib(memory, 0.75)}mb"}
    policy = service.tuning.options.get("policy") if service.tuning else None
    if policy:
        options["maxmemory-policy"] = policy
    return Settings(options=options, program="redis-server", style="--")


def _heap(variable: str, share: float, most: int) -> Callable[[Service, int, int], Settings]:
    def recipe(service: Service, memory: int, cpus: int) -> Settings:
        del cpus
        heap = min(_mib(memory, share), most // MIB)
        known = str((service.body.get("environment") or {}).get(variable) or "")
        rest = [word for word in known.split() if not word.startswith(("-Xms", "-Xmx"))]
        size = f"{heap // 1024}g" if heap % 1024 == 0 else f"{heap}m"
        return Settings({variable: " ".join([f"-Xms{size}", f"-Xmx{size}", *rest])})

    return recipe


def _jvm(service: Service, memory: int, cpus: int) -> Settings:
    """Return a heap for any JVM. A start script that passes -Xmx itself beats JAVA_TOOL_OPTIONS, so it gets its own."""
    scripted = service.image.startswith("confluentinc/cp-")
    return _heap("KAFKA_HEAP_OPTS" if scripted else "JAVA_TOOL_OPTIONS", 0.5, 31 * GIB)(service, memory, cpus)


def _neo4j(service: Service, memory: int, cpus: int) -> Settings:
    del cpus
    version = re.search(r":(\d+)", service.image)
    # Neo4j 5 renamed dbms.memory.* to server.memory.*; the image turns _ into . and __ into _.
    prefix = "NEO4J_dbms_memory" if version and int(version[1]) < 5 else "NEO4J_server_memory"  # noqa: PLR2004
    heap, pages = _mib(memory, 0.4), _mib(memory, 0.35)
    return Settings(
        {
            f"{prefix}_heap_initial__size": f"{heap}m",
            f"{prefix}_heap_max__size": f"{heap}m",
            f"{prefix}_pagecache_size": f"{pages}m",
        }
    )


def _rabbitmq(service: Service, memory: int, cpus: int) -> Settings:
    del service, cpus
    # The variable RABBITMQ_VM_MEMORY_HIGH_WATERMARK is no longer read; Erlang arguments are, in every release.
    arguments = f"-rabbit total_memory_available_override_value {memory} -rabbit vm_memory_high_watermark 0.6"
    return Settings({"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": arguments})


RECIPES: Mapping[str, Callable[[Service, int, int], Settings]] = {
    "postgres": _postgres,
    "redis": _redis,
    "elasticsearch": _heap("ES_JAVA_OPTS", 0.5, 31 * GIB),
    "kafka": _heap("KAFKA_HEAP_OPTS", 0.5, 6 * GIB),
    "neo4j": _neo4j,
    "rabbitmq": _rabbitmq,
    "jvm": _jvm,
}


def command(current: Sequence[str] | None, made: Settings) -> list[str] | None:
    """Return a command line with the recipe's options set, each once; None if nothing is to be set."""
    if not made.options:
        return None
    words = list(current) if current else [made.program]
    kept: list[str] = []
    index = 0
    while index < len(words):
        width = _option_width(words, index, made)
        if not width:
            kept.append(words[index])
        index += width or 1
    for name, value in made.options.items():
        kept.extend(["-c", f"{name}={value}"] if made.style == "-c" else [f"--{name}", value])
    return kept


def _option_width(words: Sequence[str], index: int, made: Settings) -> int:
    """Return how many words from `index` on set an option that the recipe sets anew, 0 if they do not."""
    word = words[index]
    if made.style == "-c":
        if word == "-c" and index + 1 < len(words):
            return 2 if words[index + 1].partition("=")[0] in made.options else 0
        return 1 if word.startswith("-c") and word[2:].partition("=")[0] in made.options else 0
    return 2 if word.removeprefix("--") in made.options and word.startswith("--") else 0


def reads(body: Mapping[str, Any]) -> Sequence[str] | None:
    """Return the command of a Compose mapping as words, or None if it has none."""
    words = body.get("command")
    return words.split() if isinstance(words, str) else words
