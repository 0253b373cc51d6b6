"""Volumes and folders on their way between two real nodes: whole, by a key for them alone, and never over others' data."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from modules import Hands
from yard import journal, untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab import Lab, Node

PLAN, OTHER = "0123456789ab", "ba9876543210"
HOME = "/var/lib/bayplan/shop"
COPY = f"{HOME}/copy/{PLAN}-4"
KEYS = "/root/.ssh/authorized_keys"
VOLUME = {"project": "shop", "key": "data", "name": "shop_data"}
DATA = "/var/lib/docker/volumes/shop_data/_data"
WEB = {"project": "shop", "service": "web"}
DB = {"project": "shop", "service": "db"}
COMPOSE = """
services:
  web:
    image: REGISTRY/web:1
    volumes: ["data:/data", "./files:/files"]
    stop_grace_period: 1s
    restart: always
volumes: {data: {}}
"""
POSTGRES = """
services:
  db:
    image: REGISTRY/postgres:1
    environment: {POSTGRES_USER: shop, POSTGRES_DB: shop}
    volumes: ["data:/var/lib/postgresql/data"]
volumes: {data: {}}
"""
ODD = r"""
cd FOLDER
truncate -s 300M sparse && printf x | dd of=sparse bs=1 seek=200M conv=notrunc status=none
echo one > first && ln first second && mkdir -p 'a folder/deep' && echo two > "a folder/deep/line
break"
echo three > owned && chown 4242:4243 owned && setfacl -m u:12345:rw owned && setfacl -d -m g:54321:rx 'a folder'
setfattr -n user.colour -v green owned && setfattr -n trusted.colour -v blue owned
cp /bin/true setuid && chown 7:8 setuid && chmod 6755 setuid && setcap cap_net_raw+ep sparse
ln -s ../nowhere link && chown -h 4242 link && mkfifo pipe && mknod null c 1 3 && : > empty
touch -d '2001-02-03 04:05:06.123456789' first && touch -h -d '2002-03-04 05:06:07.987654321' link
chown 4242:4243 . && chmod 1770 . && touch -d '2003-04-05 06:07:08.5' 'a folder' .
"""
PICTURE = r"""
cd FOLDER && find . -printf '%P|%y|%m|%U|%G|%s|%T@|%l|%n\0' | sort -z | tr '\0' '\n'
find . -type f -links +1 -printf '%i\n' | uniq | wc -l
find . -type f -print0 | sort -z | xargs -0 sha256sum; getfacl -Rpn . ; getfattr -Rhd -m - . ; getcap sparse
"""


def here(script: str, folder: str = DATA) -> str:
    return script.replace("FOLDER", folder)


@dataclass(frozen=True)
class Move:
    """A move of some volumes and paths from one node to the other."""

    source: Hands
    target: Hands
    volumes: tuple[dict[str, str], ...] = (VOLUME,)
    paths: tuple[str, ...] = ()
    services: tuple[dict[str, str], ...] = (WEB,)
    plan: str = PLAN

    def told(self, hands: Hands, state: str, **more: Any) -> dict[str, Any]:
        """Run `data` on one end."""
        carried = {"volumes": list(self.volumes), "paths": list(self.paths), "services": list(self.services)}
        return hands("data", state=state, wave=4, release_plan=self.plan, **carried, **more)

    def good(self, hands: Hands, state: str, **more: Any) -> dict[str, Any]:
        found = self.told(hands, state, **more)
        assert not found["failed"], found["msg"]
        return found

    def known(self) -> dict[str, Any]:
        return self.good(self.source, "known")

    def opened(self) -> dict[str, Any]:
        """Let the target in; return what `pulled` and `verified` are told."""
        known = self.known()
        keys = self.good(self.target, "keyed", offered=known["offered"])["public_keys"]
        self.good(self.source, "offered", public_keys=keys, target_address=self.target.node.address)
        return {
            "source_address": self.source.node.address,
            "source_port": known["port"],
            "host_keys": known["host_keys"],
            "offered": known["offered"],
        }

    def carried(self) -> dict[str, Any]:
        """Carry everything and compare; return how to do it again."""
        way = self.opened()
        self.good(self.target, "pulled", **way)
        self.good(self.target, "verified", **way)
        return way


@pytest.fixture(scope="module")
def both(lab_of: Callable[..., Lab]) -> tuple[Hands, Hands]:
    lab = lab_of(["one", "two"])
    return Hands(lab, "one"), Hands(lab, "two")


@pytest.fixture
def move(both: tuple[Hands, Hands]) -> Iterator[Move]:
    """Give each test a volume on one node, and a clean other one."""
    one, two = both
    one.node.docker("volume", "create", "--label", "com.docker.compose.project=shop", "shop_data")
    yield Move(one, two)
    for hands in both:
        hands.node.run(
            "docker rm -f $(docker ps -aq); docker volume rm $(docker volume ls -q); docker network prune -f",
            check=False,
        )
        hands.node.run(f"rm -rf /var/lib/bayplan /opt/shop /opt/other /srv/data {KEYS}", sudo=True)


def root(node: Node, script: str) -> str:
    return node.run(script, sudo=True).stdout


def marked(hands: Hands) -> list[str]:
    found: list[str] = hands.good("node_facts", sizes=False)["facts"]["incomplete"]
    return found


def test_a_copy_has_every_attribute_of_its_source(move: Move) -> None:
    one, two = move.source.node, move.target.node
    root(one, here(ODD))

    move.carried()

    expected = root(one, here(PICTURE))
    assert "colour" in expected
    assert "12345" in expected
    assert root(two, here(PICTURE)) == expected
    assert int(root(two, f"du -sk {DATA}/sparse | cut -f1")) < 1000


def test_later_passes_carry_what_changed(move: Move) -> None:
    one, two = move.source.node, move.target.node
    root(one, f"head -c 30M /dev/urandom > {DATA}/large; echo gone > {DATA}/gone")
    way = move.opened()

    first = move.good(move.target, "pulled", hot=True, **way)
    root(one, f"rm {DATA}/gone; printf other | dd of={DATA}/large bs=1 seek=10M conv=notrunc status=none")
    second = move.good(move.target, "pulled", **way)

    assert first["bytes"] > 30 << 20
    assert not first["final"]
    assert first["copies"][0]["files"] == 2
    assert second["bytes"] < 1 << 20
    assert second["final"]
    assert second["copies"][0]["literal"] < 1 << 17
    assert second["copies"][0]["matched"] > 29 << 20
    assert move.good(move.target, "verified", **way)["verified"] == ["volume:shop_data"]
    assert root(two, f"ls {DATA}").split() == ["large"]


def test_a_copy_is_incomplete_until_it_was_compared(move: Move) -> None:
    root(move.source.node, f"echo one > {DATA}/file")
    way = move.opened()
    move.good(move.target, "pulled", **way)
    assert marked(move.target) == ["volume:shop_data"]

    # The same size and the same time: only the content tells.
    root(move.source.node, f"cd {DATA} && cp -p file /tmp/kept && echo two > file && touch -r /tmp/kept file")
    move.good(move.target, "pulled", **way)
    assert root(move.target.node, f"cat {DATA}/file") == "one\n"
    move.good(move.target, "verified", **way)

    assert root(move.target.node, f"cat {DATA}/file") == "two\n"
    assert marked(move.target) == []
    lines = [(line["what"], line["event"]) for line in journal(move.target.node)]
    assert lines == [*[("copy", "begin"), ("copy", "done")] * 2, ("verify", "begin"), ("verify", "done")]


def test_what_becomes_zero_between_two_passes_arrives(move: Move) -> None:
    """PostgreSQL clears pages in place. Whoever skips zeros leaves there what they were before."""
    root(move.source.node, f"yes | head -c 65536 > {DATA}/file; truncate -s 100M {DATA}/sparse")
    way = move.opened()
    move.good(move.target, "pulled", **way, hot=True)
    assert int(root(move.target.node, f"du -k {DATA}/sparse | cut -f1")) < 100
    root(move.source.node, f"dd if=/dev/zero of={DATA}/file bs=8192 count=4 conv=notrunc status=none")
    move.good(move.target, "pulled", **way)
    move.good(move.target, "verified", **way)
    (done,) = [line for line in journal(move.target.node) if (line["what"], line["event"]) == ("verify", "done")]
    assert "repaired" not in str(done)
    assert int(root(move.target.node, f"tr -d '\\0' < {DATA}/file | wc -c")) == 32768


def test_what_goes_on_changing_is_never_proven(move: Move) -> None:
    root(move.source.node, f"echo one > {DATA}/file")
    way = move.opened()
    move.good(move.target, "pulled", **way)
    loop = f"systemd-run --unit writes sh -c 'while :; do date +%N > {DATA}/file; sleep .01; done'"
    root(move.source.node, loop)
    other = move.told(move.target, "verified", **way)
    root(move.source.node, "systemctl stop writes")

    assert other["failed"]
    assert "volume:shop_data is not the same here" in other["msg"]
    assert marked(move.target) == ["volume:shop_data"]
    move.good(move.target, "verified", **way)
    assert marked(move.target) == []


def test_a_key_opens_one_place_for_reading_from_one_address_while_it_is_needed(move: Move) -> None:
    one, two = move.source.node, move.target.node
    before = b"ssh-ed25519 AAAA M\xfcller\n# no line end"
    authorize(move.source, before)
    root(one, f"echo one > {DATA}/file")
    move.good(move.target, "pulled", **move.opened())
    key = root(two, f"ls {COPY}/key-*[!b]").strip()
    to = f"-F /dev/null -o BatchMode=yes -o UserKnownHostsFile={COPY}/known_hosts -i"

    def tried(node: Node, words: str, key: str = key) -> subprocess.CompletedProcess[str]:
        return node.run(words.replace("SSH", f"ssh {to} {key}").replace("HOST", f"root@{one.address}"), check=False, sudo=True)  # fmt: skip

    assert "file" in tried(two, "rsync -e 'SSH' HOST:/").stdout
    for words in (
        "SSH HOST cat /etc/shadow",
        "SSH HOST",
        f"rsync -e 'SSH' HOST:{DATA}/../../../../bayplan/ /tmp/x",
        "rsync -e 'SSH' /etc/hostname HOST:/written",
        "rsync --remove-source-files -e 'SSH' HOST:/file /tmp/taken",
        "SSH -N -o ExitOnForwardFailure=yes -R 9000:localhost:22 HOST",
    ):
        done = tried(two, f"timeout 20 {words}")
        assert done.returncode not in (0, 124), words
        assert "root:" not in done.stdout, words
    assert root(one, f"ls {DATA}").split() == ["file"]
    one.put(root(two, f"cat {key}"), "/root/key")
    root(one, f"chmod 600 /root/key; mkdir -p {COPY}; ssh-keyscan {one.address} > {COPY}/known_hosts 2>/dev/null")
    assert "Permission denied" in tried(one, "SSH HOST", "/root/key").stderr, "a stolen key works from elsewhere"

    for hands in (move.source, move.target):
        assert move.good(hands, "withdrawn")["changed"]
        assert not move.good(hands, "withdrawn")["changed"]

    assert bytes.fromhex(root(one, f"od -An -v -tx1 {KEYS}").replace("\n", "")) == before + b"\n"
    assert root(two, f"ls {HOME}/copy").split() == []


def authorize(hands: Hands, content: bytes) -> None:
    """Write root's authorized_keys with bytes that are no text."""
    words = ["ssh", "-F", str(hands.lab.ssh_config), hands.name, f"sudo sh -c 'mkdir -p /root/.ssh; cat > {KEYS}'"]
    subprocess.run(words, input=content, check=True, capture_output=True)


def test_a_commit_leaves_data_and_nothing_that_could_write_it(move: Move) -> None:
    one = move.source
    one.node.docker("volume", "rm", "shop_data")
    one.deploy(COMPOSE)
    one.node.run("docker exec shop-web-1 sh -c 'echo one > /data/file'")
    refused = move.told(one, "committed")
    assert refused["failed"]
    assert "shop-web-1 runs here" in refused["msg"]
    assert "fences" not in refused
    one.services("stopped", WEB, release_plan=PLAN)
    one.node.docker("run", "-d", "--name", "other", "-v", "shop_data:/data", f"{one.lab.registry}/web:1")
    refused = move.told(one, "committed")
    assert "other can still write to volume:shop_data" in refused["msg"]
    assert "fences" not in refused
    one.node.docker("rm", "-f", "other")

    assert move.good(one, "committed")["fences"] == ["shop.web"]

    assert not move.good(one, "committed")["changed"]
    assert one.node.docker("ps", "-aq").stdout == ""
    assert root(one.node, f"cat {DATA}/file") == "one\n"
    assert one.good("node_facts")["facts"]["fences"] == ["shop.web"]
    assert [(line["what"], line["event"]) for line in journal(one.node)][-2:] == [("commit", "begin"), ("commit", "done")]  # fmt: skip
    again = move.told(one, "offered", public_keys={}, target_address=move.target.node.address)
    assert "shop.web left this node; its data here is old" in again["msg"]
    one.release(PLAN, COMPOSE)
    assert "moved away" in one.services("started", WEB, release_plan=PLAN)["msg"]
    assert move.good(one, "lifted")["changed"]
    assert not move.good(one, "lifted")["changed"]
    assert not one.services("started", WEB, release_plan=PLAN)["failed"]


def test_a_database_that_was_killed_does_not_leave(move: Move) -> None:
    one = move.source
    one.node.docker("volume", "rm", "shop_data")
    one.deploy(POSTGRES)
    leaving = Move(one, move.target, services=(DB,))
    assert leaving.good(one, "checkpointed")["checkpointed"] == ["shop-db-1"]
    one.node.docker("kill", "shop-db-1")

    refused = leaving.told(one, "committed")

    assert refused["failed"]
    assert f"PostgreSQL in {DATA} is in production, not shut down" in refused["msg"]
    assert len(one.containers("db")) == 1
    one.node.docker("start", "shop-db-1")
    one.node.run("until docker exec shop-db-1 psql -h 127.0.0.1 -U shop -c 'select 1'; do sleep 0.2; done", timeout=60)
    assert not one.services("stopped", DB, stateful=True)["failed"]
    assert leaving.good(one, "committed")["fences"] == ["shop.db"]


def test_what_is_on_the_target_already_stays(move: Move) -> None:
    root(move.source.node, f"echo ours > {DATA}/file; mkdir -p /opt/shop/a; echo ours > /opt/shop/a/new")
    move.target.node.docker("volume", "create", "shop_data")
    root(move.target.node, f"echo theirs > {DATA}/file")
    both = Move(move.source, move.target, paths=("/opt/shop/a",))
    way = both.opened()

    refused = both.told(move.target, "pulled", hot=True, **way)

    assert refused["failed"]
    assert "volume:shop_data is on this node already, with other content" in refused["msg"]
    assert root(move.target.node, f"cat {DATA}/file; ls /opt/shop/a") == "theirs\n"
    assert marked(move.target) == []
    both.good(move.target, "pulled", overwrite=True, **way)
    assert root(move.target.node, f"cat {DATA}/file /opt/shop/a/new") == "ours\nours\n"


def test_what_something_runs_on_is_not_overwritten_by_any_means(move: Move) -> None:
    root(move.source.node, f"echo ours > {DATA}/file")
    move.target.node.docker(
        "run", "-d", "--name", "other", "-v", "shop_data:/data", f"{move.target.lab.registry}/web:1"
    )

    refused = move.told(move.target, "pulled", overwrite=True, **move.opened())

    assert "volume:shop_data is in use here by other" in refused["msg"]
    assert root(move.target.node, f"ls {DATA}") == ""


def test_a_copy_that_was_cut_off_is_marked_and_finished_by_the_next(move: Move) -> None:
    two = move.target.node
    root(move.source.node, f"head -c 400M /dev/urandom > {DATA}/large")
    way = move.opened()
    cut = threading.Thread(target=root, args=(two, f"until [ $(du -sm {DATA}/large | cut -f1) -gt 20 ]; do sleep 0.05; done 2>/dev/null; pkill -9 -x rsync"))  # fmt: skip
    cut.start()

    broken = move.told(move.target, "pulled", hot=True, **way)

    cut.join()
    assert broken["failed"]
    assert "volume:shop_data could not be copied" in broken["msg"]
    assert int(root(two, f"du -sm {DATA} | cut -f1")) in range(20, 400)
    assert marked(move.target) == ["volume:shop_data"]
    move.target.release(PLAN, COMPOSE)
    assert "not complete: volume:shop_data" in move.target.services("started", WEB, release_plan=PLAN)["msg"]
    assert (journal(two)[1]["what"], journal(two)[1]["event"]) == ("copy", "failed")

    # Another plan, as the first one was given up: the half copy is still known as ours.
    later = Move(move.source, move.target, plan=OTHER)
    later.carried()
    assert marked(move.target) == []
    assert root(two, f"sha256sum < {DATA}/large") == root(move.source.node, f"sha256sum < {DATA}/large")


def test_data_comes_back_over_what_it_left(move: Move) -> None:
    one, two = move.source.node, move.target.node
    there = Move(move.source, move.target, paths=("/opt/shop/files", "/opt/shop/.env"))
    root(one, f"echo 1 > {DATA}/file; mkdir -p /opt/shop/files; echo 1 > /opt/shop/files/file; echo A=1 > /opt/shop/.env")  # fmt: skip
    there.carried()
    there.good(move.source, "committed")
    there.good(move.target, "lifted")
    root(two, f"echo 2 > {DATA}/file; echo 2 > /opt/shop/files/file; echo A=2 > /opt/shop/.env")

    back = Move(move.target, move.source, paths=there.paths)
    back.carried()

    assert root(one, f"cat {DATA}/file /opt/shop/files/file /opt/shop/.env") == "2\n2\nA=2\n"
    # What stayed on the other node is old now, but its .env was edited since, so somebody there needs it.
    back.good(move.target, "committed")
    back.good(move.source, "lifted")
    root(two, "echo A=3 > /opt/shop/.env")
    again = Move(move.source, move.target, paths=there.paths, plan=OTHER)
    refused = again.told(move.target, "pulled", **again.opened())
    assert "path:/opt/shop/.env is on this node already" in refused["msg"]


def test_a_single_file_comes_alone_with_its_owner(move: Move) -> None:
    one, two = move.source.node, move.target.node
    files = Move(move.source, move.target, (), ("/opt/shop/.env", "/opt/shop/a b.conf", "/opt/shop/gone"))
    root(one, "mkdir -p /opt/shop; cd /opt/shop; echo SECRET=1 > .env; echo x > beside; echo same > 'a b.conf'; chown 12:34 .env; chmod 640 .env; touch -d 2001-02-03 .env")  # fmt: skip
    root(two, "mkdir -p /opt/shop; echo same > '/opt/shop/a b.conf'; chmod 711 /opt/shop")
    assert files.known()["absent"] == ["path:/opt/shop/gone"]

    files.carried()

    assert sorted(root(two, "ls -A /opt/shop").split("\n")) == ["", ".env", "a b.conf"]
    assert (
        root(two, "cd /opt/shop; cat .env; stat -c '%u %g %a %Y' .env; stat -c %a .")
        == "SECRET=1\n12 34 640 981158400\n711\n"
    )
    assert "SECRET" not in json.dumps(journal(two))


def test_a_volume_on_a_disk_of_its_own_is_copied_though_nothing_mounts_it(move: Move) -> None:
    one, two = move.source, move.target
    one.node.docker("volume", "rm", "shop_data")
    root(one.node, "mkdir -p /srv/data; echo 1 > /srv/data/file")
    options = ("--opt", "type=none", "--opt", "o=bind", "--opt", "device=/srv/data")
    one.node.docker("volume", "create", *options, "shop_data")
    disk = COMPOSE.replace("data: {}", "data: {driver: local, driver_opts: {type: none, o: bind, device: /srv/data}}")
    two.release(PLAN, disk)

    move.carried()

    assert root(two.node, "cat /srv/data/file") == "1\n"
    (made,) = json.loads(two.node.docker("volume", "inspect", "shop_data").stdout)
    assert made["Options"] == {"type": "none", "o": "bind", "device": "/srv/data"}
    said = two.node.run(
        f"sudo docker compose -p shop -f {HOME}/releases/{PLAN}/shop/compose.yaml create web 2>&1"
    ).stdout
    assert "volume" not in said.lower(), "compose takes the volume as one of its own"


def test_a_volume_that_is_no_folder_is_refused(move: Move) -> None:
    move.source.node.docker("volume", "rm", "shop_data")
    options = ("--opt", "type=nfs", "--opt", "o=addr=192.0.2.1", "--opt", "device=:/export")
    move.source.node.docker("volume", "create", *options, "shop_data")
    found = move.told(move.source, "known")
    assert found["failed"]
    assert "volume shop_data is on :/export, which is no folder of this node" in found["msg"]


def test_a_copy_that_does_not_fit_is_refused_before_it_begins(move: Move) -> None:
    root(move.source.node, f"echo 1 > {DATA}/file")
    way = move.opened()
    way["offered"] = [{**one, "size": 1 << 60} for one in way["offered"]]
    found = move.told(move.target, "pulled", hot=True, **way)
    assert "make room" in found["msg"]
    assert marked(move.target) == []


def test_an_sshd_that_lets_no_root_in_is_named(move: Move) -> None:
    one = move.source.node
    way = move.opened()
    one.put("PermitRootLogin no\n", "/etc/ssh/sshd_config.d/00-test.conf")
    try:
        root(one, "systemctl reload ssh")
        first = move.told(move.source, "offered", public_keys={}, target_address=move.target.node.address)
        time.sleep(1)
        second = move.told(move.target, "pulled", **way)
    finally:
        root(one, "rm /etc/ssh/sshd_config.d/00-test.conf; systemctl reload ssh")
    assert "PermitRootLogin is no" in first["msg"]
    assert "its sshd must let root in by key" in second["msg"]


def test_another_machine_at_the_address_is_not_believed(move: Move) -> None:
    way = move.opened()
    way["host_keys"] = move.good(move.target, "known")["host_keys"]
    found = move.told(move.target, "pulled", **way)
    assert "it is not the machine that named its keys" in found["msg"]


def test_check_mode_touches_nothing(move: Move) -> None:
    way = move.opened()
    root(move.source.node, f"echo 1 > {DATA}/file")
    before = [untouched(hands.node) for hands in (move.source, move.target)]
    assert move.good(move.target, "pulled", check=True, **way)["changed"]
    assert move.good(move.source, "committed", check=True)["fences"] == ["shop.web"]
    for state in ("keyed", "verified", "lifted", "withdrawn"):
        move.good(move.target, state, check=True, **way)
    for state in ("offered", "checkpointed", "withdrawn"):
        move.good(move.source, state, check=True)
    assert [untouched(hands.node) for hands in (move.source, move.target)] == before
