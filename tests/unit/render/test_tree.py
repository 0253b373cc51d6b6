"""A tree of files is written whole or not at all, and nothing but what was listed is ever removed."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayplan.errors import OutputError, StaleError
from bayplan.render import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLD = {"a/x.yaml": "old x\n", "b/y.yaml": "old y\n", "c/gone.yaml": "old z\n"}
NEW = {"a/x.yaml": "new x\n", "b/y.yaml": "new y\n", "d/e/new.yaml": "new\n"}
FACTS = {"bayplan": "0"}


def contents(root: Path) -> dict[str, str]:
    """Return every file below a folder, hidden ones too, but the manifest."""
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != tree.MANIFEST
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a tree that holds OLD, and a file that somebody made by hand."""
    root = tmp_path / "compiled"
    tree.write(root, OLD, FACTS)
    (root / "a" / "notes.md").write_text("mine\n")
    return root


HAND = {"a/notes.md": "mine\n"}


def test_a_tree_is_written_and_written_again(tmp_path: Path) -> None:
    root = tmp_path / "not" / "there" / "yet"
    assert tree.write(root, OLD, FACTS).lines() == ["+ a/x.yaml", "+ b/y.yaml", "+ c/gone.yaml"]
    assert contents(root) == OLD
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert tree.write(root, OLD, FACTS) == tree.Difference()
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_a_step_changes_what_differs_and_prunes_what_was_listed(root: Path) -> None:
    untouched = (root / "a" / "notes.md").stat().st_ino
    assert tree.write(root, NEW, FACTS).lines() == ["+ d/e/new.yaml", "- c/gone.yaml", "~ a/x.yaml", "~ b/y.yaml"]
    assert contents(root) == NEW | HAND
    assert not (root / "c").exists()
    assert (root / "a" / "notes.md").stat().st_ino == untouched
    listed = json.loads((root / tree.MANIFEST).read_text())
    assert (listed["schema_version"], listed["bayplan"], sorted(listed["files"])) == (1, "0", sorted(NEW))


def test_what_is_not_listed_is_never_removed(root: Path) -> None:
    (root / "c" / "beside.md").write_text("mine\n")
    (root / tree.MANIFEST).unlink()
    tree.write(root, NEW, FACTS)
    assert contents(root) == NEW | HAND | {"c/beside.md": "mine\n", "c/gone.yaml": "old z\n"}


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside", ".", ""])
def test_a_manifest_that_points_outside_is_not_followed(root: Path, path: str) -> None:
    (root.parent / "outside").write_text("mine\n")
    (root / tree.MANIFEST).write_text(json.dumps({"schema_version": 1, "files": {path: ""}}))
    assert tree.write(root, NEW, FACTS).surplus == ()
    assert (root.parent / "outside").read_text() == "mine\n"


def test_a_newer_manifest_is_refused(root: Path) -> None:
    (root / tree.MANIFEST).write_text(json.dumps({"schema_version": 2, "files": {}}))
    with pytest.raises(StaleError, match="newer bayplan"):
        tree.write(root, NEW, FACTS)
    assert contents(root) == OLD | HAND


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"schema_version": "x", "files": {}}', '{"files": {}}', "\xff"]
)
def test_a_broken_manifest_is_refused(root: Path, text: str) -> None:
    (root / tree.MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(OutputError, match="cannot be read"):
        tree.write(root, NEW, FACTS)
    assert contents(root) == OLD | HAND


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_rename_that_fails_takes_back_those_before_it(root: Path, nth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one is the pruning of a file; after each the old tree stands there, and a second try works."""
    count = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(self: Path, *args: object, **more: object) -> object:
            nonlocal count
            if self.name.endswith((".bayplan-part", "gone.yaml")):
                count += 1
                if count == nth:
                    raise OSError(5, "Input/output error")
            return real(self, *args, **more)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        with pytest.raises(OutputError, match="Input/output error; nothing was changed there"):
            tree.write(root, NEW, FACTS)
    assert contents(root) == OLD | HAND
    assert not (root / "d").exists()
    assert sorted(json.loads((root / tree.MANIFEST).read_text())["files"]) == sorted(OLD)
    tree.write(root, NEW, FACTS)
    assert contents(root) == NEW | HAND


def test_a_disk_without_second_names_is_served(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_args: object, **_more: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    tree.write(root, NEW, FACTS)
    assert contents(root) == NEW | HAND


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file grow over 4 KiB, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_files")
def test_no_room_changes_nothing(root: Path) -> None:
    with pytest.raises(OutputError, match="nothing was changed there"):
        tree.write(root, NEW | {"e/large.yaml": "x" * 10_000}, FACTS)
    assert contents(root) == OLD | HAND
    assert not (root / "d").exists()
    assert not (root / "e").exists()


@pytest.mark.usefixtures("small_files")
def test_no_room_leaves_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        tree.write(tmp_path / "x" / "y", {"large.yaml": "x" * 10_000}, FACTS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inside", [".", "a", "a/x.yaml/deeper"])
def test_a_file_in_the_way_is_said(root: Path, tmp_path: Path, inside: str) -> None:
    target = tmp_path / "file" if inside == "." else root
    (tmp_path / "file").write_text("mine\n")
    files = {"z.yaml": "z\n", "a/x.yaml/deeper/y.yaml": "y\n"} if inside != "." else NEW
    with pytest.raises(OutputError, match=r"cannot write .*; nothing was changed there"):
        tree.write(target, files, FACTS)
    assert contents(root) == OLD | HAND
    assert (tmp_path / "file").read_text() == "mine\n"


def test_a_folder_in_place_of_a_file_is_said(root: Path) -> None:
    with pytest.raises(OutputError):
        tree.write(root, NEW | {"a": "a file\n"}, FACTS)
    assert contents(root) == OLD | HAND


NOBODY = 65534


@pytest.fixture
def powerless() -> Iterator[Path]:
    """Be somebody without rights while the test runs, as root may write anywhere; return a folder of theirs."""
    folder = Path(tempfile.mkdtemp())
    was = os.geteuid()
    if was == 0:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        os.seteuid(was)
        shutil.rmtree(folder)


def test_a_folder_without_rights_is_said(powerless: Path) -> None:
    root = powerless / "compiled"
    tree.write(root, OLD, FACTS)
    (root / "b").chmod(0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        tree.write(root, NEW, FACTS)
    (root / "b").chmod(0o755)
    assert contents(root) == OLD


def test_a_tree_behind_a_symbolic_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    tree.write(tmp_path / "link", NEW, FACTS)
    assert (tmp_path / "link").is_symlink()
    assert contents(root) == NEW | HAND


def test_what_a_symbolic_link_points_at_stays(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody replaced by a link becomes a file again; the other end is not ours. So after a failure."""
    (tmp_path / "theirs").write_text("theirs\n")
    (root / "a" / "x.yaml").unlink()
    (root / "a" / "x.yaml").symlink_to(tmp_path / "theirs")
    (root / "b" / "y.yaml").unlink()
    (root / "b" / "y.yaml").symlink_to(tmp_path / "nowhere")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda self, missing_ok=False: None if self.name != "gone.yaml" else 1 / 0)  # noqa: ARG005
        with pytest.raises(ZeroDivisionError):
            tree.write(root, NEW, FACTS)
    assert (root / "a" / "x.yaml").readlink() == tmp_path / "theirs"
    assert (root / "b" / "y.yaml").readlink() == tmp_path / "nowhere"
    tree.write(root, NEW, FACTS)
    assert contents(root) == NEW | HAND
    assert (tmp_path / "theirs").read_text() == "theirs\n"


def test_what_a_killed_run_left_is_swept(root: Path) -> None:
    (root / "a" / ".x.yaml.bayplan-part").write_text("half")
    (root / ".manifest.json.bayplan-old").write_text("{}")
    tree.write(root, OLD, FACTS)
    assert contents(root) == OLD | HAND


MANY = 150
MOMENTS = 8
WRITER = f"""
import signal, sys
from pathlib import Path
from bayplan.render import tree
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
tree.write(Path(sys.argv[1]), {{f"d{{n % 7}}/f{{n}}": sys.argv[2] * 50 for n in range({MANY})}}, {{}})
"""


class Writer:
    """A process that writes a tree of many files, each full of one word; it has started when it says so."""

    def __init__(self, root: Path, word: str) -> None:
        command = [sys.executable, "-c", WRITER, str(root), word]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def end(self) -> int:
        self.process.communicate()
        return self.process.returncode


def whole(root: Path) -> set[str]:
    """Return the words that the files of a tree consist of: one, if it is whole; and check the manifest."""
    found = contents(root)
    assert len(found) == MANY, [name for name in found if "bayplan" in name][:3]
    assert tree.difference(root, found) == tree.Difference()
    words = {text[:3] for text in found.values()}
    assert json.loads((root / tree.MANIFEST).read_text())["files"] == json.loads(tree.manifest(found, {}))["files"]
    return words


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_a_signal_leaves_the_old_tree_or_the_new_one(tmp_path: Path, number: signal.Signals) -> None:
    root = tmp_path / "tree"
    begin = time.monotonic()
    assert Writer(root, "old").end() == 0
    longest = time.monotonic() - begin
    for moment in range(MOMENTS):
        writer = Writer(root, f"n{moment:02}")
        time.sleep(longest * moment / MOMENTS)
        writer.process.send_signal(number)
        writer.end()
        if number is signal.SIGTERM:
            tree._sweep(root)  # it ends where it stands: the next run removes what it wrote beside its targets
        assert len(whole(root)) == 1
    assert Writer(root, "end").end() == 0
    assert whole(root) == {"end"}


def test_two_runs_at_once_wait_for_each_other(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    for _ in range(3):
        both = [Writer(root, word) for word in ("one", "two")]
        assert [writer.end() for writer in both] == [0, 0]
        assert whole(root) in ({"one"}, {"two"})


def test_a_run_waits_for_the_lock(root: Path) -> None:
    with tree._alone(root):
        waiting = threading.Thread(target=tree.write, args=(root, NEW, FACTS))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        assert contents(root) == OLD | HAND
    waiting.join(10)
    assert contents(root) == NEW | HAND


def test_a_difference_is_told_without_writing(root: Path) -> None:
    (root / "b" / "y.yaml").write_text("edited\n")
    found = tree.difference(root, {"a/x.yaml": "old x\n", "b/y.yaml": "old y\n", "n": ""})
    assert found == tree.Difference(missing=("n",), changed=("b/y.yaml",), surplus=("c/gone.yaml",))
    assert found.lines() == ["+ n", "- c/gone.yaml", "~ b/y.yaml"]
    assert contents(root)["b/y.yaml"] == "edited\n"


def test_some_files_of_a_folder_are_put_and_others_left_alone(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text("mine\n")
    assert tree.put(tmp_path, {"a/x.yaml": "1\n", "b.yml": "2\n"}).lines() == ["+ a/x.yaml", "+ b.yml"]
    changed = tree.put(tmp_path, {"b.yml": "3\n"}, ["a/x.yaml", "a/never.yaml", "b.yml"])
    assert changed.lines() == ["- a/x.yaml", "~ b.yml"]
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert left == {"own.yml", "b.yml"}
    assert (tmp_path / "own.yml").read_text() == "mine\n"


def test_putting_what_is_there_writes_nothing(tmp_path: Path) -> None:
    tree.put(tmp_path, {"b.yml": "2\n"})
    before = (tmp_path / "b.yml").stat()
    assert tree.put(tmp_path, {"b.yml": "2\n"}) == tree.Difference()
    assert (tmp_path / "b.yml").stat() == before


def test_what_cannot_be_put_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file\n")
    with pytest.raises(OutputError, match=r"cannot write .*; nothing was changed there"):
        tree.put(tmp_path, {"b.yml": "2\n", "a/x.yaml": "1\n"})
    assert not (tmp_path / "b.yml").exists()
