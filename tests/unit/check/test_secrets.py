"""Whatever is found about a service, no finding shows a secret that its files hold."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.finding import Finding

SECRET = "hunter2"  # noqa: S105 - of nobody
IMAGES = {
    "redis:7.4": "redis-server --requirepass hunter2 --maxmemory 64gb --maxmemory-policy ${WORD}",
    "postgres:17.2": "postgres -c shared_buffers=64GB --admin-password hunter2",
    "elasticsearch:9.0.0": "eswrapper --password=hunter2",
    "confluentinc/cp-kafka:7.8.0": "run --api-key hunter2",
    "neo4j:5.26": "neo4j --admin-password hunter2",
    "rabbitmq:4.0": "rabbitmq-server --password hunter2",
    "mysql:9.1": "mysqld --innodb-buffer-pool-size=64G --password=hunter2",
    "eclipse-temurin:21": "java -Xmx64g -Dapp.secret=hunter2 -jar app.jar --password hunter2",
    "node:22": "node --max-old-space-size=65536 app.js --api-key hunter2",
    "ollama/ollama:0.5.4": "serve --api-key hunter2",
}
SERVICE = """
services:
  app:
    image: "{image}"
    command: {command}
    env_file: app.env
    privileged: true
    cap_add: [SYS_ADMIN]
    ports: ["5432:5432", "6379:6379", "7687:7687", "9200:9200"]
    healthcheck: {{test: [CMD, ask, --password, hunter2], disable: true}}
    environment:
      JAVA_OPTS: -Xmx64g -Dpassword=hunter2
      NEO4J_AUTH: neo4j/hunter2
      APP_PASSWORD: hunter2
      APP_URL: http://me:hunter2@other:80/
      OLLAMA_MAX_LOADED_MODELS: "90"
      POSTGRES_SHARED_BUFFERS: 64GB
      POSTGRES_PASSWORD: hunter2
    labels: {{app.secret: hunter2}}
    volumes: ["/var/run/docker.sock:/var/run/docker.sock", "/etc:/etc/host"]
    deploy: {{resources: {{limits: {{memory: 2G, cpus: "2"}}, reservations: {{memory: 128M}}}}}}
  other:
    image: "{image}"
    build: {{context: ., args: {{TOKEN: hunter2}}}}
    mem_limit: 40g
    environment: [PASSWORD=hunter2]
"""


@pytest.mark.parametrize("image", sorted(IMAGES))
def test_no_finding_shows_a_secret(image: str, checked: Callable[..., tuple[Finding, ...]]) -> None:
    texts = {
        "policy.yml": "nodes: {n1: {cpus: 8, memory: 16GiB}}\nsources: {c: {compose: c/app.yml, node: n1}}\n",
        "c/app.yml": SERVICE.format(image=image, command=IMAGES[image]),
        "c/.env": f"WORD={SECRET}\n",
        "c/app.env": f"KAFKA_OPTS=-Xmx64g -Dapi.token={SECRET}\nOTHER_PASSWORD={SECRET}\nES_HEAP_SIZE={SECRET}\n",
        "c/Dockerfile": f"FROM golang:1.23\nARG TOKEN={SECRET}\nRUN apt-get install gcc # {SECRET}\n",
    }
    found = checked(texts, strict=True)
    assert {one.rule for one in found} >= {"security/literal-secret", "security/docker-socket"}
    assert [one for one in found if SECRET in str(astuple(one))] == []
    assert image != "mysql:9.1" or any("not shown" in one.remedy for one in found)
