"""Clients of databases: how many connections each may open, to whom, and how many a database takes.

Only what is written is counted: a pool whose size nobody says has one that its framework knows, and a setting with a
variable in it is known where it runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.check.caches import image_name
from bayplan.check.compose_lines import line
from bayplan.tuning.command import words_of
from bayplan.tuning.reading import application
from bayplan.tuning.settings import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.check.survey import Survey
    from bayplan.finding import Place
    from bayplan.model.names import Name
    from bayplan.model.service import Service
    from bayplan.source import Node

_POSTGRES = ("postgres", "postgresql", "pgvector", "postgis", "timescaledb", "timescaledb-ha")
_DEFAULT = {
    **dict.fromkeys(_POSTGRES, 100),
    **dict.fromkeys(("mysql", "mariadb", "percona", "percona-server"), 151),
    "pgbouncer": 100,
}
"""Image → how many connections it takes where nobody says it."""
_TAKES = {
    "pgbouncer": re.compile(r"(PGBOUNCER_)?MAX_CLIENT_CONN"),
    "postgresql": re.compile(r"POSTGRESQL_MAX_CONNECTIONS"),
    "timescaledb": re.compile(r"TS_TUNE_MAX_CONNS"),
    "timescaledb-ha": re.compile(r"TS_TUNE_MAX_CONNS"),
}
"""Image → the variable that says it. The official images of PostgreSQL and MySQL read none."""
_FLAGS = re.compile(r"(MYSQL|MARIADB|POSTGRESQL)_EXTRA_FLAGS")
_MAX = re.compile(r"(?:max[_-]connections[\s=]+|(?<!\S)-N\s*)(\d{1,6})\b")

_FILES = (".conf", ".cnf", ".ini", "conf.d", "/etc/mysql", "/etc/postgresql")
"""How files and folders end in which a database is told, too."""

_SIZE = re.compile(
    r"(?P<whose>.*?)_?(POOL_?SIZE|POOL_?LIMIT|POOL_?MAX(_?SIZE|_?CONN(ECTION)?S?)?|MAX(IMUM)?_?POOL(_?SIZE)?|JDBC_MAX_SIZE"
    r"|(MAX|LIMIT)_?(OPEN_?)?CONN(ECTION)?S?|CONN(ECTION)?S?_?(LIMIT|MAX)|POOL)"
)
_DATABASE = re.compile(
    r"(?:^|_)(?:DB|DATABASE|SQL|PG|POSTGRES|MYSQL|MARIA|JDBC|HIKARI|DATASOURCE|TYPEORM|PRISMA|SEQUELIZE|KNEX|GORM|HASURA"
    r"|ECTO_)"
)
_OTHER = re.compile(
    r"(?:^|_)(?:(?:REDIS|VALKEY|MONGO|INFLUX|NEO4J|RABBIT|AMQP|KAFKA|NATS|LDAP|ELASTIC|MEMCACHE)|(?:MIN|MINIMUM|IDLE)(?:_|$))"
)
"""What a pool of another program, or the least of one, is called."""
_PLAIN = frozenset({"", "APP", "API", "SERVICE", "CONNECTION", "CONN", "MAX_OPEN"})
"""What may stand before `_POOL_SIZE` where nothing names a database."""
_THREADS = "RAILS_MAX_THREADS"
"""What a pool of Rails is as large as where nobody says it."""
_NO_WORD = re.compile(r"[^A-Z0-9]+")
_OVERFLOW = re.compile(r"(.*_)?MAX_?OVERFLOW|(.*_)?POOL_?OVERFLOW")
_PROCESSES = re.compile(r"WEB_CONCURRENCY|(GUNICORN|UVICORN)_WORKERS")
_SERVERS = re.compile(r"(^|[\s/])(gunicorn|uvicorn|hypercorn|granian)(\s|$)")
_WORKERS = re.compile(r"(?:--workers[\s=]+|\s-w\s*)(\d{1,4})\b")
_IN_URL = re.compile(
    r"(?<=[?&;])\s*"
    r"(?:max(?:imum)?[ _]?pool[ _]?size|pool_?size|pool_max|pool_max_conns|connection_?limit|max_connections)"
    r"=(?P<size>\d{1,6})\b",
    re.IGNORECASE,
)
_USER = re.compile(r"//[^@/\s]*@")
_HOST = re.compile(
    r"(?://|@|\bhost=|\bserver=|\bdata source=|\btcp\()([\w.-]+)|(?<![\w./@-])([\w.-]+):\d", re.IGNORECASE
)
_NAMES_A_HOST = re.compile(r"(HOST(NAME)?|SERVER|ADDR(ESS)?|ENDPOINT|UR[IL]|DSN|SERVICE)S?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pool:
    """What one copy of a client may open.

    Attributes:
        size: connections of one pool.
        node: where that is written.
        overflow: what a pool opens beyond its size for a while.
        processes: how many there are, each with a pool of its own.
        variable: the name of the variable.
    """

    size: int
    node: Node
    variable: str
    overflow: int = 0
    processes: int = 1

    @property
    def connections(self) -> int:
        """Return how many connections one copy may open."""
        return (self.size + self.overflow) * self.processes

    def fitting(self, connections: int) -> int:
        """Return the size with which one copy opens so many connections at most; below 1 if there is none."""
        return connections // self.processes - self.overflow

    def shown(self, copies: int) -> str:
        """Return the product of which the connections of all copies are made: `4 x 3 x (20 + 10)`."""
        size = f"({self.size} + {self.overflow})" if self.overflow else str(self.size)
        factors = [str(one) for one in (copies, self.processes) if one > 1]
        alone = not factors and self.overflow
        return f"{self.size} + {self.overflow}" if alone else " x ".join([*factors, size])

    def written(self, size: int) -> str:
        """Return what stands at the node with another size; empty where a password would be shown with it."""
        text = self.node.string
        if not text.isdigit():
            if _USER.search(text) or "password" in text.lower():
                return ""
            text = _IN_URL.sub(lambda found: found[0].removesuffix(found["size"]) + str(size), text)
        else:
            text = str(size)
        in_list = self.node.key == self.node.place
        return f'"{self.variable}={text}"' if in_list else f'"{text}"'


@dataclass(frozen=True, slots=True)
class Taken:
    """How many connections a database takes, and where that is written, if anywhere."""

    connections: int
    place: Place | None = None


def is_database(service: Service) -> bool:
    """Whether clients connect to a service by pools: a database, or what stands before one."""
    return image_name(service.image) in _DEFAULT


def taken(database: Service) -> Taken | None:
    """Return how many connections a database takes; None where a file that nobody sees here may say it."""
    image = image_name(database.image)
    environment = line(database, "environment")
    for key, value in environment.items() if environment is not None else ():
        says = (own := _TAKES.get(image)) is not None and own.fullmatch(key)
        found = value.string if says else (_MAX.search(value.string) or ("", ""))[1] if _FLAGS.fullmatch(key) else ""
        if found.isdigit():
            return Taken(int(found), value.place)
    known = application(database)
    said = known.last(CONNECTIONS) if known is not None else None
    if said is not None:
        return Taken(said.amount, said.place)
    for key in ("entrypoint", "command"):
        text = " ".join(words_of(database.body.get(key)))
        if found_in := _MAX.search(f" {text}"):
            node = line(database, key)
            return Taken(int(found_in[1]), node.place if node is not None else None)
        if "$" in text or "config" in text:
            return None
    if any(mount.target.rstrip("/").endswith(_FILES) for mount in database.mounts):
        return None
    return Taken(_DEFAULT[image])


def pools(survey: Survey, service: Service, hosts: Mapping[str, Name]) -> Iterator[tuple[Name, Pool]]:
    """Yield each database that a service connects to, with the pool for it.

    Args:
        survey: the fleet.
        service: the client.
        hosts: what databases are called, as `hosts_of` tells it.
    """
    environment = dict(pairs.items()) if (pairs := line(service, "environment")) is not None else {}
    named = _named(survey, service, environment, hosts)
    sizes = _bouncing(environment) if image_name(service.image) == "pgbouncer" else _sizes(environment, named)
    processes, overflow = _processes(service, environment), _overflow(environment)
    for name, keys in sorted(named.items()):
        own = [one for key in keys if (one := _in_url(key, environment.get(key)))]
        near = own or [one for one in sizes if _nearest(one.variable, named) in (None, name)]
        if near:
            pool = max(near, key=lambda one: (one.size, one.variable))
            yield name, Pool(pool.size, pool.node, pool.variable, 0 if own else overflow, processes)


def hosts_of(survey: Survey) -> dict[str, Mapping[str, Name]]:
    """Return project → what a database is called there → the database; under the empty key, by its container's name."""
    found: dict[str, dict[str, Name]] = {"": {}}
    for service in filter(is_database, survey.services):
        aliases = [alias for link in service.networks for alias in link.aliases]
        called = (service.name.name, service.container_name, str(service.body.get("hostname") or ""), *aliases)
        found.setdefault(service.name.project, {}).update(dict.fromkeys(filter(None, called), service.name))
        if service.container_name:
            found[""][service.container_name] = service.name
    return {project: {**found[""], **names} for project, names in found.items()}


def _named(
    survey: Survey, service: Service, environment: Mapping[str, Node], hosts: Mapping[str, Name]
) -> dict[Name, list[str]]:
    """Return the databases that a client's environment names, with the variables that do; else what it depends on."""
    found: dict[Name, list[str]] = {}
    for key, value in environment.items():
        for host in _hosts(key, value.string):
            name = hosts.get(host)
            if name is not None and name != service.name:
                found.setdefault(name, []).append(key)
    if not found:
        needed = (hosts.get(one.name) for one in service.depends_on)
        known = {name for name in needed if name is not None and name in survey.fleet.services}
        found = {name: [] for name in known} if len(known) == 1 else {}
    return found


def _hosts(key: str, text: str) -> Iterable[str]:
    if _NAMES_A_HOST.search(key) and re.fullmatch(r"[\w.-]+", text):
        return (text,)
    return (found[1] or found[2] for found in _HOST.finditer(_USER.sub("//", text)))


def _sizes(environment: Mapping[str, Node], named: Mapping[Name, list[str]]) -> list[Pool]:
    """Return what variables say of the sizes of pools for databases."""
    numbers = {key: value for key, value in environment.items() if value.string.isdigit()}
    keys = [key for key in numbers if _is_size(_NO_WORD.sub("_", key.upper()), named)] or [
        key for key in numbers if key == _THREADS
    ]
    return [Pool(int(numbers[key].string), numbers[key], key) for key in keys]


def _is_size(key: str, named: Mapping[Name, list[str]]) -> bool:
    found = _SIZE.fullmatch(key)
    if found is None or _OTHER.search(key):
        return False
    called = any(name.name.upper().replace("-", "_") in key for name in named)
    return called or bool(_DATABASE.search(key)) or (found["whose"] in _PLAIN and "POOL" in key)


def _bouncing(environment: Mapping[str, Node]) -> list[Pool]:
    """Return what a PgBouncer opens to its database: a pool for its one user, if nobody bounds all of them."""
    said = {key.removeprefix("PGBOUNCER_"): (key, value) for key, value in environment.items()}
    for option in ("MAX_DB_CONNECTIONS", "DEFAULT_POOL_SIZE"):
        key, value = said.get(option, ("", None))
        if value is not None and value.string.isdigit() and int(value.string):
            return [Pool(int(value.string), value, key)]
    return []


def _in_url(key: str, value: Node | None) -> Pool | None:
    found = _IN_URL.search(value.string) if value is not None else None
    return Pool(int(found["size"]), value, key) if found is not None and value is not None else None


def _nearest(variable: str, named: Mapping[Name, list[str]]) -> Name | None:
    """Return the database whose host is said under the most similar variable; None if several are alike."""
    alike = {name: max((_common(variable, key) for key in keys), default=0) for name, keys in named.items()}
    best = max(alike.values())
    first, *others = [name for name, length in alike.items() if length == best]
    return None if others else first


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _overflow(environment: Mapping[str, Node]) -> int:
    said = (value.string for key, value in environment.items() if _OVERFLOW.fullmatch(key.upper()))
    return next((int(text) for text in said if text.isdigit()), 0)


def _processes(service: Service, environment: Mapping[str, Node]) -> int:
    """Return how many processes a copy has, each with pools of its own, as far as they are said."""
    words = " ".join((*words_of(service.body.get("entrypoint")), *words_of(service.body.get("command"))))
    found = _WORKERS.search(words) if _SERVERS.search(words) else None
    if found is not None:
        return max(1, int(found[1]))
    said = (value.string for key, value in environment.items() if _PROCESSES.fullmatch(key))
    return max(1, next((int(text) for text in said if text.isdigit()), 1))
