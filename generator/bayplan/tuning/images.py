"""Which application an image is: its repository without the registry, and what is known to be built on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

POSTGRES, REDIS, VALKEY, MYSQL, MARIADB = "postgres", "redis", "valkey", "mysql", "mariadb"
ELASTICSEARCH, OPENSEARCH, LOGSTASH = "elasticsearch", "opensearch", "logstash"
KAFKA, NEO4J, RABBITMQ, OLLAMA = "kafka", "neo4j", "rabbitmq", "ollama"
SOLR, CASSANDRA, MEMCACHED, MONGO = "solr", "cassandra", "memcached", "mongo"

_REPOSITORIES = {
    "postgres": POSTGRES,
    "pgvector/pgvector": POSTGRES,
    "postgis/postgis": POSTGRES,
    "timescale/timescaledb": POSTGRES,
    "timescale/timescaledb-ha": POSTGRES,
    "redis": REDIS,
    "valkey/valkey": VALKEY,
    "mysql": MYSQL,
    "mariadb": MARIADB,
    "elasticsearch": ELASTICSEARCH,
    "elasticsearch/elasticsearch": ELASTICSEARCH,
    "opensearchproject/opensearch": OPENSEARCH,
    "logstash": LOGSTASH,
    "logstash/logstash": LOGSTASH,
    "apache/kafka": KAFKA,
    "confluentinc/cp-kafka": KAFKA,
    "confluentinc/cp-server": KAFKA,
    "confluentinc/cp-zookeeper": KAFKA,
    "neo4j": NEO4J,
    "rabbitmq": RABBITMQ,
    "ollama/ollama": OLLAMA,
    "solr": SOLR,
    "cassandra": CASSANDRA,
    "memcached": MEMCACHED,
    "mongo": MONGO,
}
"""The application's own images, and those built on them that keep their start script."""

TIMESCALE = tuple(one for one in _REPOSITORIES if "timescaledb" in one)
"""Images that tune themselves when their database is made."""

RECIPES = {
    POSTGRES: "postgres",
    REDIS: "redis",
    VALKEY: "redis",
    ELASTICSEARCH: "elasticsearch",
    OPENSEARCH: "elasticsearch",
    KAFKA: "kafka",
    NEO4J: "neo4j",
    RABBITMQ: "rabbitmq",
}
"""Application → the recipe that is made for it."""

JAVA_OPTIONS = {
    ELASTICSEARCH: ("ES_JAVA_OPTS", ("JAVA_OPTS", "JAVA_TOOL_OPTIONS")),
    OPENSEARCH: ("OPENSEARCH_JAVA_OPTS", ("JAVA_OPTS", "JAVA_TOOL_OPTIONS", "ES_JAVA_OPTS")),
    LOGSTASH: ("LS_JAVA_OPTS", ("JAVA_OPTS", "JAVA_TOOL_OPTIONS")),
    KAFKA: ("KAFKA_HEAP_OPTS", ("JAVA_OPTS",)),
}
"""Application → the variable that its start script reads for Java, and those that it drops."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image.

    Attributes:
        repository: `bitnami/redis`, without a registry and without `library/`.
        tag: what follows the colon, or empty.
        application: what it is known to be, or empty.
    """

    repository: str
    tag: str = ""
    application: str = ""

    def before(self, *version: int) -> bool:
        """Whether its tag says a version older than this one; a tag that says none is the newest."""
        found = re.match(r"v?(\d+(?:\.\d+)*)", self.tag)
        return found is not None and tuple(map(int, found[1].split("."))) < version


@lru_cache(maxsize=4096)
def image_of(reference: str) -> Image:
    """Return what an image reference names: `mirror.lan:5000/library/redis:7@sha256:…` is `redis`."""
    name, _, _ = reference.partition("@")
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    path = f"{folder}{slash}{last}".split("/")
    if len(path) > 1 and (path[0] == "localhost" or "." in path[0] or ":" in path[0]):
        path = path[1:]
    if "library" in path[:-1]:
        path = path[-1:]
    repository = "/".join(path)
    return Image(repository, tag, _REPOSITORIES.get(repository, ""))
