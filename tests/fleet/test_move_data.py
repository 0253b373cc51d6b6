"""A PostgreSQL moves to another node while clients write: every acknowledged row arrives, and never do two write."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from yard import Yard, journal, nodes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab import Lab, Node

    Row = tuple[float, str, int, str]
    Moved = tuple[Path, subprocess.CompletedProcess[str], list[Row]]

COMPOSE = """
services:
  db:
    image: REGISTRY/postgres:1
    environment: {POSTGRES_USER: app, POSTGRES_DB: app}
    command: postgres -c max_wal_size=2GB
    ports: ["5432:5432"]
    volumes: ["data:/var/lib/postgresql/data"]
    mem_limit: 512m
    restart: unless-stopped
volumes: {data: {}}
"""
POLICY = """
sources: {app: {compose: compose/app.yml, node: front, root: /opt/app}}
services:
  db: {placement: back, limits: {memory: 512MiB}, why: front is to be retired}
"""
WRITER = """#!/bin/sh
# Writes one row after the other to whoever answers; a row is noted after its commit was acknowledged.
n=0
until [ -e /tmp/stop ]; do
  n=$((n + 1))
  for host in FRONT BACK; do
    if PGCONNECT_TIMEOUT=1 psql -h $host -U app -d app -qtAc "insert into rows values ('$1', $n)" 2>/dev/null; then
      echo "$1 $n $(date +%s.%N) $host"
      break
    fi
  done
done
"""
FILL = "create table rows (writer text, n int); create table ballast as select i, repeat(md5(i::text), 30) as t from generate_series(1, ROWS) i; checkpoint"
ROWS = 1_050_000  # a bit over 1 GiB on disk


@pytest.fixture(scope="module")
def yard(lab_of: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Yard:
    lab = lab_of(["front", "back", "client"])
    made = Yard(tmp_path_factory.mktemp("yard"), lab, "app")
    addresses = {node: lab.node(node).address for node in ("front", "back")}
    made.write(nodes(addresses) + POLICY, {"app": COMPOSE})
    made.deploy("front", "app")
    sql(lab.node("front"), FILL.replace("ROWS", str(ROWS)))
    writer = WRITER.replace("FRONT", addresses["front"]).replace("BACK", addresses["back"])
    lab.node("client").put(writer, "/opt/writer.sh")
    lab.node("client").run(f"docker pull -q {lab.registry}/postgres:1")
    return made


def sql(node: Node, text: str) -> str:
    return node.run(
        f'docker exec $(docker ps -qf label=com.docker.compose.service=db) psql -h 127.0.0.1 -U app -d app -tAc "{text}"'
    ).stdout.strip()


def writing(yard: Yard) -> None:
    yard.lab.node("client").run(
        f"docker rm -f writer 2>/dev/null; docker run -d --name writer --entrypoint sh -v /opt/writer.sh:/writer.sh:ro {yard.lab.registry}/postgres:1 "
        "-c 'sh /writer.sh a > /tmp/a & sh /writer.sh b > /tmp/b & wait'"
    )


def written(yard: Yard) -> list[Row]:
    """Stop the writers; return what was acknowledged: writer, number, when, by whom."""
    client = yard.lab.node("client")
    client.run("docker exec writer touch /tmp/stop; docker wait writer", timeout=60)
    client.run("docker cp writer:/tmp/a /tmp/a; docker cp writer:/tmp/b /tmp/b")
    rows = [line.split() for line in client.run("cat /tmp/a /tmp/b").stdout.splitlines()]
    return sorted((float(when), writer, int(n), host) for writer, n, when, host in rows)


def gap(rows: list[Row]) -> float:
    """Return the longest time in which nobody was acknowledged anything."""
    times = [row[0] for row in rows]
    return max(later - earlier for earlier, later in pairwise(times))


@pytest.fixture(scope="module")
def moved(yard: Yard) -> Moved:
    plan = yard.plan()
    writing(yard)
    time.sleep(3)
    done = yard.bayplan("apply", str(plan), "--yes")
    time.sleep(3)
    return plan, done, written(yard)


def test_every_acknowledged_row_is_there_afterwards(yard: Yard, moved: Moved) -> None:
    _, _, acknowledged = moved
    there = set(sql(yard.lab.node("back"), "select writer || n from rows").splitlines())
    assert len(acknowledged) > 50
    assert {f"{writer}{n}" for _, writer, n, _ in acknowledged} <= there
    assert sql(yard.lab.node("back"), "select count(*) from ballast") == str(ROWS)


def test_one_writes_at_every_moment(yard: Yard, moved: Moved) -> None:
    front, back = yard.lab.node("front"), yard.lab.node("back")
    _, _, acknowledged = moved
    last_here = max(when for when, _, _, host in acknowledged if host == front.address)
    first_there = min(when for when, _, _, host in acknowledged if host == back.address)
    assert last_here < first_there
    stopped = [line["at"] for line in journal(front, "app") if (line["what"], line["event"]) == ("stop", "done")]
    committed = [line["at"] for line in journal(front, "app") if (line["what"], line["event"]) == ("commit", "done")]
    started = [line["at"] for line in journal(back, "app") if (line["what"], line["event"]) == ("start", "begin")]
    assert len(stopped) == len(committed) == len(started) == 1
    assert stopped[0] < committed[0] < started[0]
    born = back.run(
        "docker inspect -f '{{.State.StartedAt}}' $(docker ps -qf label=com.docker.compose.service=db)"
    ).stdout.strip()
    assert stopped[0] < born
    assert front.docker("ps", "-aq").stdout == "", "no container is left that could write"


def test_the_old_copy_of_the_data_is_kept(yard: Yard, moved: Moved) -> None:
    assert moved
    assert yard.lab.node("front").docker("volume", "ls", "-q").stdout.split() == ["app_data"]


def test_the_gap_is_shown_beside_that_of_a_copy_by_hand(
    yard: Yard, moved: Moved, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, acknowledged = moved
    ours = gap(acknowledged)
    writing(yard)
    time.sleep(2)
    by_hand(yard)
    time.sleep(2)
    theirs = gap(written(yard))
    size = (
        yard.lab.node("back").run("du -sm /var/lib/docker/volumes/app_data/_data | cut -f1", sudo=True).stdout.strip()
    )
    with capsys.disabled():
        sys.stdout.write(
            f"\nPostgreSQL, {size} MiB: writers waited {ours:.1f} s; stop, copy, start by hand {theirs:.1f} s; ratio {theirs / ours:.1f}"
        )
    assert ours > 0


def by_hand(yard: Yard) -> None:
    """Stop, copy through the control machine, start: what one does without a tool; from back to front."""
    front, back = yard.lab.node("front"), yard.lab.node("back")
    identity = back.run("docker ps -qf label=com.docker.compose.service=db").stdout.strip()
    back.docker("stop", "-s", "INT", "-t", "60", identity)
    front.run(
        "rm -rf /var/lib/docker/volumes/app_data/_data && mkdir /var/lib/docker/volumes/app_data/_data", sudo=True
    )
    pipe(
        yard.lab,
        "back",
        "sudo tar -C /var/lib/docker/volumes/app_data/_data -c .",
        "front",
        "sudo tar -C /var/lib/docker/volumes/app_data/_data -x",
    )
    front.run("cd /opt/app && docker compose -p app -f compose.yml up -d --wait")


def pipe(lab: Lab, source: str, command: str, target: str, into: str) -> None:
    """Pipe one node's output into another's input, through this machine."""
    ssh = ["ssh", "-F", str(lab.ssh_config)]
    with subprocess.Popen([*ssh, source, command], stdout=subprocess.PIPE) as sending:
        subprocess.run([*ssh, target, into], stdin=sending.stdout, check=True)
    assert sending.returncode == 0
