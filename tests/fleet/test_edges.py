"""A real nginx takes every proxy that is rendered, and follows a service to another node without losing a request."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.render.compose import compose_files
from bayplan.render.edges import edge_files, switches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab import Lab, Node

    from bayplan.model.fleet import Fleet

ROOT = Path(__file__).parents[2]
ANSIBLE = Path(sys.executable).with_name("ansible")
FOLDER = "/var/lib/bayplan/shop/proxy/shop"
POLICY = """
nodes:
  one: {address: ADDRESS_ONE, cpus: 2, memory: 4GiB}
  two: {address: ADDRESS_TWO, cpus: 2, memory: 4GiB}
services:
  web:
    compose:
      image: REGISTRY/web:1
      ports: ["8080:8080"]
      stop_grace_period: 1s
    limits: {memory: 128MiB}
edges:
  shop: {listen: 80, to: web, image: "REGISTRY/nginx:1", placement: one, EDGE}
"""
EDGES = {
    "round_robin": "keepalive: 0",
    "least_conn": "balance: least_conn, keepalive: 32",
    "ip_hash": "balance: ip_hash, timeouts: {connect: 500ms, read: 1m30s}",
    "random": "balance: random, health: {max_fails: 3, fail_timeout: 30s}",
    "tls": "tls: {certificate: /tls/c.pem, key: /tls/k.pem, redirect: 8000}, why: 'it costs {nothing}; # $host'",
}


@dataclass(frozen=True)
class Shop:
    """The fleet of the tests on its nodes."""

    lab: Lab
    fleet: Fleet
    placement: Placement

    @property
    def one(self) -> Node:
        """Return the node that has the proxy."""
        return self.lab.node("one")

    def seats(self, node: str) -> dict[Instance, Seat]:
        """Return the seats with web on a node."""
        return {**self.placement.seats, Instance(Name("shop", "web")): Seat(node)}

    def proxy(self, *, check: bool = False, **given: Any) -> dict[str, Any]:
        """Run the module on node one; return what it returns."""
        told = {"fleet": "shop", "edge": "shop", "container": "shop/edge-shop", "deadline": 20, **given}
        hosts = self.lab.folder / "hosts.yml"
        self.lab.inventory(hosts)
        words = [str(ANSIBLE), "one", "-i", str(hosts), "-b", "-m", "bayplan.fleet.proxy", "-a", json.dumps(told)]
        words += ["--check", "--diff"] if check else []
        env = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
        done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        before, arrow, result = done.stdout.partition(" => ")
        assert arrow, done.stdout + done.stderr
        return {"said": before, "failed": "FAILED" in before, **json.loads(result)}


def seated(fleet: Fleet) -> Placement:
    """Return a placement with all copies on node one."""
    return Placement({copy: Seat("one") for copy in fleet.instances()})


@pytest.fixture(scope="module")
def lab(lab_of: Callable[..., Lab]) -> Lab:
    made = lab_of(["one", "two"])
    for node in made.nodes:
        node.run(f"docker pull -q {made.registry}/web:1 && docker pull -q {made.registry}/nginx:1")
    return made


@pytest.fixture(scope="module")
def fleet(lab: Lab, read: Any) -> Callable[[str], Fleet]:
    def make(edge: str) -> Fleet:
        text = POLICY.replace("EDGE", edge).replace("REGISTRY", lab.registry)
        for node in lab.nodes:
            text = text.replace(f"ADDRESS_{node.name.upper()}", node.address)
        policy = read(text)
        assert policy.findings == ()
        return policy.to_be

    return make


@pytest.fixture(scope="module")
def shop(lab: Lab, fleet: Callable[[str], Fleet]) -> Shop:
    """Start web on both nodes, and the proxy on node one, which leads to the web of its own node."""
    made = Shop(lab, fleet("balance: least_conn"), seated(fleet("balance: least_conn")))
    bring(made.one, edge_files(made.fleet, made.placement, "p"), FOLDER)
    both = {**made.placement.seats, Instance(Name("shop", "web"), 2): Seat("two")}
    for node in lab.nodes:
        text = compose_files(made.fleet, Placement(both), "p")[f"{node.name}/shop/compose.yaml"]
        node.put(text, "/opt/shop/compose.yaml")
        node.run("cd /opt/shop && docker compose up -d --wait --quiet-pull", timeout=120)
    return made


def bring(node: Node, files: Mapping[str, str], folder: str) -> None:
    """Write the files of a proxy to a node."""
    for path, text in files.items():
        node.put(text, f"{folder}/{path.split('/', 3)[3]}")


# --- what nginx takes ---


@pytest.mark.parametrize("edge", EDGES)
def test_nginx_takes_what_is_rendered(lab: Lab, fleet: Callable[[str], Fleet], edge: str) -> None:
    made = fleet(EDGES[edge])
    node, folder = lab.node("two"), f"/opt/taken/{edge}"
    bring(node, edge_files(made, seated(made), "p"), folder)
    assert taken(lab, node, folder, edge) == (0, "")


def test_nginx_takes_the_proxies_of_all_policies(lab: Lab) -> None:
    found = sorted({path.parent for path in (ROOT / "compiled").rglob("proxy/*/nginx.conf")})
    assert found
    node = lab.node("two")
    for number, proxy in enumerate(found):
        for file in sorted(proxy.rglob("*.conf")):
            text = file.read_text()
            for variable in {part.split("}")[0] for part in text.split("${")[1:]}:
                text = text.replace(f"${{{variable}}}", "192.0.2.1")
            node.put(text, f"/opt/all/{number}/{file.relative_to(proxy)}")
        assert taken(lab, node, f"/opt/all/{number}", proxy.name) == (0, ""), proxy


def taken(lab: Lab, node: Node, folder: str, name: str) -> tuple[int, str]:
    """Return how `nginx -t` ends, and what it complains of."""
    certificate, key = signed(name)
    for file, text in {"c.pem": certificate, "k.pem": key, "shop.pem": certificate, "shop.key": key}.items():
        node.put(text, f"/opt/tls/{file}")
    mounts = f"-v {folder}:/etc/nginx:ro -v /opt/tls:/tls/certificate:ro -v /opt/tls:/tls/key:ro"
    done = node.run(f"docker run --rm {mounts} {lab.registry}/nginx:1 nginx -t", check=False)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "[" in line]
    return done.returncode, "\n".join(complaints)


def signed(name: str) -> tuple[str, str]:
    """Return a certificate that is signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number(), now, now + timedelta(30))
    certificate = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return certificate.public_bytes(pem).decode(), key.private_bytes(pem, *plain).decode()


def test_an_encrypted_edge_answers(shop: Shop, fleet: Callable[[str], Fleet]) -> None:
    lab, made = shop.lab, fleet(EDGES["tls"])
    node = lab.node("two")
    bring(node, edge_files(made, seated(made), "p"), "/opt/taken/answers")
    taken(lab, node, "/opt/taken/answers", "answers")
    mounts = "-v /opt/taken/answers:/etc/nginx:ro -v /opt/tls:/tls/certificate:ro -v /opt/tls:/tls/key:ro"
    ports = "-p 8443:80 -p 8000:8000"
    node.run(f"docker run -d --rm --name answers {ports} {mounts} {lab.registry}/nginx:1")
    try:
        wait_until(lambda: protocol(node.address) == "h2")
        http_1 = trusting()
        http_1.set_alpn_protocols(["http/1.1"])
        with contextlib.closing(http.client.HTTPSConnection(node.address, 8443, timeout=10, context=http_1)) as asked:
            asked.request("GET", "/")
            assert asked.getresponse().status == 200
        with contextlib.closing(http.client.HTTPConnection(node.address, 8000, timeout=10)) as asked:
            asked.request("GET", "/a?b", headers={"Host": "shop.example"})
            found = asked.getresponse()
            assert (found.status, found.getheader("Location")) == (301, "https://shop.example:80/a?b")
    finally:
        node.docker("rm", "-f", "answers")


def trusting() -> ssl.SSLContext:
    """Return what believes any certificate: that of the tests is signed by itself."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def protocol(address: str) -> str | None:
    """Return what the proxy would rather speak; None: nobody is there yet."""
    try:
        plain = socket.create_connection((address, 8443), timeout=5)
        with plain, trusting().wrap_socket(plain) as wrapped:
            return wrapped.selected_alpn_protocol()
    except OSError:
        return None


def wait_until(what: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


# --- the proxy as a service ---


def test_the_proxy_is_healthy_and_passes_on(shop: Shop) -> None:
    assert answer(shop.one.address).startswith("version=1")
    state = shop.one.docker(
        "inspect", "-f", "{{.State.Health.Status}} {{.HostConfig.Memory}}", "shop-edge-shop-1"
    ).stdout
    assert state.split() == ["healthy", str(64 << 20)]


def answer(address: str, path: str = "/") -> str:
    with contextlib.closing(http.client.HTTPConnection(address, 80, timeout=30)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


@dataclass
class Load:
    """Clients that ask for a path without a break, each over one connection that stays open or always over a new one.

    nginx closes connections that stay open when it reloads; HTTP clients then ask again, and so do these. Over a new
    connection there is no such excuse.
    """

    address: str
    path: str
    clients: int
    stays: bool = False
    good: int = 0
    bad: list[str] = field(default_factory=list)
    reconnected: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self.threads = [threading.Thread(target=self.ask) for _ in range(self.clients)]
        for one in self.threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for one in self.threads:
            one.join()

    def ask(self) -> None:
        connection = http.client.HTTPConnection(self.address, 80, timeout=15)
        fresh = True
        while not self.ended.is_set():
            try:
                connection.request("GET", self.path)
                found = connection.getresponse()
                body = found.read().decode()
            except (http.client.HTTPException, OSError) as fault:
                if fresh:
                    self.count(f"{type(fault).__name__}: {fault}")
                else:
                    with self.lock:
                        self.reconnected += 1
                connection.close()
                fresh = True
                continue
            fresh = not self.stays
            if fresh:
                connection.close()
            self.count("" if found.status == 200 else f"{found.status}: {body[:80]}")
        connection.close()

    def count(self, why: str) -> None:
        with self.lock:
            self.good += not why
            self.bad += [why] if why else []


@pytest.mark.parametrize(
    ("path", "clients", "stays"), [("/", 8, True), ("/", 8, False), ("/work?seconds=0.3", 16, False)]
)
def test_no_request_is_lost_when_a_service_moves(shop: Shop, path: str, clients: int, *, stays: bool) -> None:
    """Start there, switch, and kill what was here at once when the module says that the switch is done."""
    there, back = shop.seats("two"), shop.seats("one")
    for before, after, old in ((back, there, "one"), (there, back, "two")):
        (switch,) = switches(shop.fleet, before, after, Name("shop", "web"))
        with Load(shop.one.address, path, clients, stays) as load:
            time.sleep(1)
            found = shop.proxy(upstream=switch["upstream"], servers=switch["to"])
            shop.lab.node(old).docker("kill", "shop-web-1")
            time.sleep(1)
        shop.lab.node(old).docker("start", "shop-web-1")
        wait_healthy(shop.lab.node(old))
        print(f"{path}: {load.good} answered, {load.reconnected} reconnected, switch {found.get('seconds')} s")  # noqa: T201
        assert found["changed"], found
        assert found["reloaded"]
        assert found["workers"]
        assert load.bad == []
        assert load.good > clients


def test_lost_requests_would_be_seen(shop: Shop) -> None:
    with Load(shop.one.address, "/work?seconds=0.3", 4) as load:
        time.sleep(1)
        shop.one.docker("kill", "shop-web-1")
        time.sleep(1)
    shop.one.docker("start", "shop-web-1")
    wait_healthy(shop.one)
    assert load.good
    assert {why[:3] for why in load.bad} == {"502"}


def wait_healthy(node: Node) -> None:
    state = ("inspect", "-f", "{{.State.Health.Status}}", "shop-web-1")
    wait_until(lambda: node.docker(*state).stdout.strip() == "healthy", 30)


# --- the module ---


def test_a_second_run_changes_nothing(shop: Shop) -> None:
    files = {path.split("/", 3)[3]: text for path, text in edge_files(shop.fleet, shop.placement, "p").items()}
    shop.proxy(files=files)
    found = shop.proxy(files=files)
    assert (found["changed"], found["reloaded"]) == (False, False)


def test_check_mode_shows_and_touches_nothing(shop: Shop) -> None:
    before = shop.one.run(f"find {FOLDER} -type f -exec sha256sum {{}} +", sudo=True).stdout
    found = shop.proxy(check=True, upstream="web", servers=["192.0.2.9:1"])
    assert found["changed"]
    assert "+    server 192.0.2.9:1 max_fails=1 fail_timeout=10s;" in found["said"]
    assert shop.one.run(f"find {FOLDER} -type f -exec sha256sum {{}} +", sudo=True).stdout == before


def test_what_nginx_refuses_is_taken_back(shop: Shop) -> None:
    before = shop.one.read(f"{FOLDER}/nginx.conf")
    files = {
        "nginx.conf": before.replace("http {", "http {\n    nonsense on;"),
        "upstreams/new.conf": "upstream x {}\n",
    }
    found = shop.proxy(files={**files, "upstreams/web.conf": shop.one.read(f"{FOLDER}/upstreams/web.conf")})
    assert found["failed"]
    assert 'unknown directive "nonsense"' in found["msg"]
    assert shop.one.read(f"{FOLDER}/nginx.conf") == before
    assert shop.one.run(f"ls {FOLDER}/upstreams", sudo=True).stdout == "web.conf\n"
    assert answer(shop.one.address).startswith("version=1")


def test_what_was_written_and_never_read_is_read_by_the_next_run(shop: Shop) -> None:
    """A run that is killed between writing and reloading leaves files that look right."""
    two = shop.lab.node("two").address
    text = shop.one.read(f"{FOLDER}/upstreams/web.conf")
    changed = text.replace(shop.one.address, two)
    shop.one.run(f"cat > {FOLDER}/upstreams/web.conf", sudo=True, text=changed)
    found = shop.proxy(upstream="web", servers=[f"{two}:8080"])
    assert (found["changed"], found["reloaded"]) == (False, True)
    assert shop.proxy(upstream="web", servers=[f"{two}:8080"])["reloaded"] is False
    host = shop.lab.node("two").docker("ps", "-q", "--no-trunc", "--filter", "name=shop-web-1").stdout[:12]
    assert host in answer(shop.one.address)
    assert shop.proxy(upstream="web", servers=[f"{shop.one.address}:8080"])["reloaded"]


def test_a_proxy_that_does_not_run_is_written_for(shop: Shop) -> None:
    found = shop.proxy(edge="other", container="shop/edge-other", files={"nginx.conf": "x\n"})
    assert (found["changed"], found["reloaded"]) == (True, False)
    assert shop.one.read("/var/lib/bayplan/shop/proxy/other/nginx.conf") == "x\n"
    more = {"nginx.conf": "y\n", "upstreams/a.conf": "${BAYPLAN_ADDRESS_ONE}:1 $host\n"}
    given = {"edge": "other", "container": "shop/edge-other", "files": more, "only_missing": True}
    found = shop.proxy(**given, addresses={"BAYPLAN_ADDRESS_ONE": "192.0.2.1"})
    assert found["changed"]
    assert shop.one.read("/var/lib/bayplan/shop/proxy/other/nginx.conf") == "x\n"
    assert shop.one.read("/var/lib/bayplan/shop/proxy/other/upstreams/a.conf") == "192.0.2.1:1 $host\n"


def test_workers_that_do_not_end_are_named(shop: Shop) -> None:
    """A request that takes longer than the deadline: the new files serve, and nobody is told that the old ones do not."""

    def ask() -> None:
        with contextlib.suppress(http.client.HTTPException, OSError):  # after 10 s the old worker gives up
            answer(shop.one.address, "/work?seconds=40")

    asked = threading.Thread(target=ask)
    asked.start()
    time.sleep(0.5)
    found = shop.proxy(upstream="web", servers=[f"{shop.lab.node('two').address}:8080"], deadline=2)
    asked.join()
    assert found["failed"]
    assert "old workers still answer requests" in found["msg"]
    found = shop.proxy(upstream="web", servers=[f"{shop.one.address}:8080"])
    assert found["reloaded"]


def test_the_journal_knows(shop: Shop) -> None:
    lines = [json.loads(line) for line in shop.one.read("/var/lib/bayplan/shop/journal.jsonl").splitlines()]
    events = [line["event"] for line in lines if line["what"] == "proxy" and line["service"] == "shop/edge-shop"]
    assert {"begin", "done", "failed"} == set(events)


def test_a_folder_is_mounted_not_a_file(shop: Shop) -> None:
    """A file that is mounted by itself would stay the old one when another is renamed into its place."""
    inside = shop.one.docker("exec", "shop-edge-shop-1", "base64", "/etc/nginx/upstreams/web.conf").stdout
    assert base64.b64decode(inside).decode() == shop.one.read(f"{FOLDER}/upstreams/web.conf")
