"""What a copy between nodes decides without a node: keys, folders, marks, and what programs said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.bayplan.fleet.plugins.module_utils import fetch, marks, offer, places, postgres, road
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home
from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place
from ansible_collections.bayplan.fleet.plugins.module_utils.road import Road

MARK = "bayplan:shop:0123456789ab:1"
STATS = """
Number of files: 1,043 (reg: 1,037, dir: 6)
Number of regular files transferred: 1,029
Total file size: 2,972,000,000 bytes
Literal data: 169,812,345 bytes
Matched data: 1,890,000,000 bytes
Total bytes sent: 12,345
Total bytes received: 169,900,001
"""


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        (b"", ["k1"], b"k1\n"),
        (b"ssh-rsa M\xfcller\n", ["k1"], b"ssh-rsa M\xfcller\nk1\n"),
        (b"no end", ["k1", "k2"], b"no end\nk1\nk2\n"),
        (b"no end", [], b"no end"),
        (b"a\r\n\r\nb\n", [], b"a\r\n\r\nb\n"),
        (f"a\nk1 {MARK}\nb\nk2 {MARK}".encode(), [], b"a\nb\n"),
        (f"k1 {MARK}\n".encode(), [f"k3 {MARK}"], f"k3 {MARK}\n".encode()),
        (f"k1 {MARK}1\nk2 x{MARK}\n".encode(), [], f"k1 {MARK}1\nk2 x{MARK}\n".encode()),
    ],
)
def test_only_lines_of_the_same_copy_are_replaced(before: bytes, lines: list[str], after: bytes) -> None:
    assert offer.granted(before, lines, MARK) == after


def test_a_line_says_who_from_where_may_read_what(tmp_path: Path) -> None:
    file = tmp_path / 'a "b".conf'
    places_ = [Place("path:x", file, is_file=True)]
    (line,) = offer.lines(places_, {"path:x": "ssh-ed25519 AAAA bayplan"}, "192.0.2.7", MARK)
    assert line == (
        f"""restrict,from="192.0.2.7",command="tar -C {tmp_path} --numeric-owner -h -c -- 'a \\"b\\".conf'" """
        f"ssh-ed25519 AAAA {MARK}"
    )


@pytest.mark.parametrize(("keys", "why"), [({}, "the target has no key for path:x"), ({"path:x": "k a"}, "line break")])
def test_a_place_without_a_key_or_a_plain_name_is_not_offered(keys: dict[str, str], why: str) -> None:
    with pytest.raises(NodeError, match=why):
        offer.lines([Place("path:x", Path("/a\nb"), is_file=True)], keys, "192.0.2.7", MARK)


@pytest.mark.parametrize(
    ("found", "file", "why"),
    [
        ({}, "/root/.ssh/authorized_keys", ""),
        ({"permitrootlogin": "without-password"}, "/root/.ssh/authorized_keys", ""),
        ({"permitrootlogin": "forced-commands-only"}, "/root/.ssh/authorized_keys", ""),
        ({"permitrootlogin": "no"}, "/root/.ssh/authorized_keys", "PermitRootLogin is no"),
        ({"pubkeyauthentication": "no"}, "/root/.ssh/authorized_keys", "PubkeyAuthentication is no"),
        ({"authorizedkeysfile": ".ssh/a .ssh/b"}, "/root/.ssh/a", ""),
        ({"authorizedkeysfile": "/etc/keys/%u"}, "/etc/keys/root", ""),
        ({"authorizedkeysfile": "%h/keys"}, "/root/keys", ""),
    ],
)
def test_sshd_says_where_keys_are_and_whether_they_help(found: dict[str, str], file: str, why: str) -> None:
    assert (str(offer.keys_file(found)), offer.refusal(found)) == (file, why)


@pytest.mark.parametrize(
    ("volume", "folder"),
    [
        ({"Driver": "local", "Mountpoint": "/v/_data", "Options": None}, "/v/_data"),
        ({"Driver": "local", "Mountpoint": "/v/_data", "Options": {"o": "bind", "type": "none", "device": "/srv/x"}}, "/srv/x"),
        ({"Driver": "local", "Mountpoint": "/v/_data", "Options": {"o": "rw,bind", "device": "/srv/x"}}, "/srv/x"),
        ({"Driver": "local", "Mountpoint": "/v/_data", "Options": {"type": "ext4", "device": "/dev/sdb1"}}, "on /dev/sdb1"),
        ({"Driver": "local", "Mountpoint": "/v/_data", "Options": {"type": "nfs", "device": ":/x"}}, "on :/x"),
        ({"Driver": "local", "Mountpoint": "/v/_data", "Options": {"type": "tmpfs"}}, "on tmpfs"),
        ({"Driver": "rclone", "Mountpoint": "/v", "Options": {}}, "of driver rclone"),
    ],
)  # fmt: skip
def test_a_volume_is_the_folder_with_its_content_or_none(volume: dict[str, Any], folder: str) -> None:
    if folder.startswith("/"):
        assert str(places.folder_of({"Name": "data", **volume})) == folder
    else:
        with pytest.raises(NodeError, match=folder):
            places.folder_of({"Name": "data", **volume})


def container(name: str, *mounts: tuple[str, str, bool]) -> dict[str, Any]:
    return {
        "Name": f"/{name}",
        "Mounts": [{"Name": volume, "Source": source, "RW": rw} for volume, source, rw in mounts],
    }


@pytest.mark.parametrize(
    ("place", "all_", "writing"),
    [
        (Place("volume:data", Path("/v/data/_data")), ["by-name", "by-path", "reader"], ["by-name", "by-path"]),
        (Place("path:/opt/a", Path("/opt/a")), ["below"], ["below"]),
        (Place("path:/opt/a/b/c", Path("/opt/a/b/c")), [], []),
    ],
)
def test_who_uses_a_place(place: Place, all_: list[str], writing: list[str]) -> None:
    running = [
        container("by-name", ("data", "/v/data/_data", True)),
        container("by-path", ("", "/v/data/_data", True)),
        container("reader", ("data", "/v/data/_data", False)),
        container("below", ("", "/opt/a/b", True), ("", "/opt/ab", True)),
        container("whole-machine", ("", "/", True)),
    ]
    assert places.users(place, running) == all_
    assert places.users(place, running, writing=True) == writing


def test_only_what_was_asked_for_is_taken_files_first() -> None:
    offered = [{"name": f"path:{path}", "kind": kind} for path, kind in (("/opt/a", "folder"), ("/opt/b", "file"), ("/etc", "folder"))]  # fmt: skip
    found = places.on_target([], ["/opt/a", "/opt/b", "/opt/gone"], offered)
    assert [(one.name, one.kind) for one in found] == [("path:/opt/b", "file"), ("path:/opt/a", "folder")]


def test_how_far_a_copy_came_decides_who_may_replace_it(tmp_path: Path) -> None:
    home, place = Home(tmp_path), Place("path:/opt/a b", tmp_path / "file", is_file=True)
    place.folder.write_text("theirs")
    ours = lambda plan: marks.is_ours(home, plan, place)  # noqa: E731 - asked at every stage
    assert not ours("p1")
    marks.begun(home, place)
    assert ours("p1")
    assert ours("p2"), "a half copy is nobody's data"
    marks.proven(home, place)
    assert ours("p2"), "nothing ran on it yet"
    marks.used(home, "p1", [place.name, "path:/other"])
    assert ours("p1")
    assert not ours("p2"), "it lives here now"
    marks.left(home, "p3", place)
    assert ours("p2"), "it moved away"
    place.folder.write_text("edited")
    assert not ours("p2"), "somebody needs it here"
    assert [one.name for one in tmp_path.glob("incomplete/*")] == []


def test_a_copy_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    places.refuse_full([(Place("path:x", tmp_path), 1)])
    with pytest.raises(NodeError, match=f"1048576 GiB are to come to the disk of {tmp_path}"):
        places.refuse_full([(Place("path:x", tmp_path), 1 << 50)])


@pytest.mark.parametrize(
    ("state", "why"),
    [(1, ""), (2, ""), (6, "is in production, not shut down"), (3, "is shutting down"), (5, "is in state 5")],
)
def test_a_database_says_how_it_was_left(tmp_path: Path, state: int, why: str) -> None:
    data = tmp_path / "15" / "main"
    (data / "global").mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    (data / "global" / "pg_control").write_bytes(bytes(16) + state.to_bytes(4, "little") + bytes(100))
    assert list(postgres.clusters(tmp_path)) == [data]
    assert why in postgres.unclean(data)
    assert bool(why) == bool(postgres.unclean(data))
    (data / "backup_label").touch()
    assert list(postgres.clusters(tmp_path)) == [], "a base backup is always in production"


def test_what_rsync_counted() -> None:
    assert fetch.stats(STATS) == {"files": 1029, "literal": 169812345, "matched": 1890000000, "sent": 169900001}
    assert fetch.stats("") == {"files": 0, "literal": 0, "matched": 0, "sent": 0}


@pytest.mark.parametrize(
    ("address", "port", "top", "known"),
    [
        ("192.0.2.7", 22, "root@192.0.2.7:/", "192.0.2.7 ssh-ed25519 AAAA\n"),
        ("192.0.2.7", 2222, "root@192.0.2.7:/", "[192.0.2.7]:2222 ssh-ed25519 AAAA\n"),
        ("2001:db8::7", 22, "root@[2001:db8::7]:/", "2001:db8::7 ssh-ed25519 AAAA\n"),
    ],
)
def test_a_source_is_known_by_its_own_keys(address: str, port: int, top: str, known: str) -> None:
    way = Road(address, port, Path("/copy"))
    assert (way.top, way.known(["ssh-ed25519 AAAA root@one"])) == (top, known)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("root@192.0.2.7: Permission denied (publickey).", "PermitRootLogin"),
        ("Host key verification failed.", "look who answers"),
        ("ssh: connect to host 192.0.2.7 port 22: Connection refused", "does not listen"),
        ("ssh: connect to host 192.0.2.7 port 22: Connection timed out", "firewalls"),
        ('rsync: write failed on "/v/x": No space left on device (28)', "make room"),
    ],
)
def test_an_answer_comes_with_what_to_do(said: str, advice: str) -> None:
    assert advice in road.remedy(said)


def test_an_answer_that_is_not_known_speaks_for_itself() -> None:
    assert road.remedy("rsync: something else") == ""
