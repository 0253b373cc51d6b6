"""A stateless service moves behind the proxy while 50 requests a second come in, and none of them fails."""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING, Self

import pytest
from yard import Yard, nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab

COMPOSE = """
services:
  web:
    image: REGISTRY/web:1
    ports: ["8080:8080"]
    mem_limit: 64m
    restart: unless-stopped
"""
POLICY = """
sources: {shop: {compose: compose/shop.yml, node: front, root: /opt/shop}}
edges:
  door: {listen: 8000, to: web, image: REGISTRY/nginx:1, placement: door}
services:
  web: {placement: NODE, limits: {memory: 64MiB}, why: where it is wanted}
"""
RATE = 50


@pytest.fixture(scope="module")
def yard(lab_of: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Yard:
    lab = lab_of(["front", "back", "door"])
    made = Yard(tmp_path_factory.mktemp("yard"), lab)
    place(made, "front")
    made.deploy("front", "shop")
    made.bayplan("apply", str(made.plan()), "--yes")  # the proxy comes
    return made


def place(yard: Yard, node: str) -> None:
    addresses = {name: yard.lab.node(name).address for name in ("front", "back", "door")}
    text = POLICY.replace("REGISTRY", yard.lab.registry).replace("NODE", node)
    yard.write(nodes(addresses) + text, {"shop": COMPOSE})


class Load:
    """Requests at a steady rate from several clients; every answer that is not a 200 is kept."""

    def __init__(self, address: str, clients: int = 5) -> None:
        self.address, self.good, self.bad = address, 0, list[str]()
        self._stop, self._count = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._client, args=(clients,)) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _client(self, clients: int) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self._ask()
            due += clients / RATE
            self._stop.wait(max(0.0, due - time.monotonic()))

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self.address, 8000, timeout=10)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            text = answer.read().decode()
            fault = "" if answer.status == http.HTTPStatus.OK and "version=" in text else f"{answer.status} {text[:60]}"
        except (OSError, http.client.HTTPException) as gone:
            fault = repr(gone)
        finally:
            connection.close()
        with self._count:
            self.good += not fault
            self.bad += [fault] if fault else []


def test_no_request_fails_while_it_moves(yard: Yard) -> None:
    place(yard, "back")
    plan = yard.plan()
    with Load(yard.lab.node("door").address) as load:
        time.sleep(2)
        yard.bayplan("apply", str(plan), "--yes")
        time.sleep(2)
    assert load.bad == []
    assert load.good > RATE
    assert "web" not in yard.services("front")
    assert yard.services("back")["web"]["running"]


def test_the_proxy_is_a_service_like_any_other(yard: Yard) -> None:
    assert yard.services("door")["edge-door"]["memory"] == 64 << 20
    assert "door: 1 services are what the policy says" in yard.bayplan("verify", "policies/shop").stdout


def test_and_back_again_by_rollback_without_a_failure(yard: Yard) -> None:
    plan = max((yard.root / "plans").glob("*/rollout.json"), key=lambda file: file.stat().st_mtime).parent
    with Load(yard.lab.node("door").address) as load:
        time.sleep(1)
        yard.bayplan("rollback", str(plan), "--yes")
        time.sleep(1)
    assert load.good > RATE
    assert yard.services("front")["web"]["running"]
    assert "web" not in yard.services("back")
