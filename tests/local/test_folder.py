"""The data folder: its lock, its secrets, its private files."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.errors import DataFolderInUse
from app.local.folder import DataFolder

HOLDER = """
import sys, time
from pathlib import Path
from app.local.folder import DataFolder
with DataFolder(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(600)
"""


def hold(folder: DataFolder) -> subprocess.Popen[bytes]:
    """Another process that holds the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder.root)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


def test_making_the_object_touches_nothing(folder: DataFolder) -> None:
    """A folder appears with its lock, not before, and is for its owner alone."""
    assert not folder.root.exists()
    with folder.lock():
        assert {stat.S_IMODE(path.stat().st_mode) for path in (folder.root, folder.secrets, folder.logs)} == {0o700}


def test_a_folder_of_the_users_keeps_its_mode(folder: DataFolder) -> None:
    """What was there before is not ours to change."""
    folder.root.mkdir(mode=0o750)
    folder.create()
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o750


def test_a_held_folder_is_refused_and_free_after_the_holder_died(folder: DataFolder) -> None:
    """The refusal names the holder; a holder killed by SIGKILL leaves the folder free."""
    with hold(folder) as holder:
        with pytest.raises(DataFolderInUse, match=f"in use by process {holder.pid}"), folder.lock():
            pytest.fail("was not refused")
        os.kill(holder.pid, signal.SIGKILL)
    with folder.lock():
        pass


def test_a_start_waits_for_what_a_dead_holder_left(folder: DataFolder) -> None:
    """While children of a dead holder keep the lock, a start waits, and says so when its patience ends."""
    with folder.lock() as descriptor:
        os.truncate(folder.root / "lock", 0)
        with pytest.raises(DataFolderInUse, match="still held"), folder.lock(patience=0.1):
            pytest.fail("was not refused")
        left_behind = os.dup(descriptor)
        release = threading.Timer(0.1, os.close, [left_behind])
        release.start()
    with folder.lock():
        release.join()


def test_a_secret_is_made_once(folder: DataFolder) -> None:
    """Each name has a secret of its own, private even if somebody opened the file's permissions."""
    folder.create()
    first, other = folder.secret("one"), folder.secret("other")
    assert len(first) >= 32
    assert first != other
    (folder.secrets / "one").chmod(0o644)
    assert DataFolder(folder.root).secret("one") == first
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.secrets.iterdir()} == {0o600}


def test_private_files_are_replaced_whole(folder: DataFolder) -> None:
    """The new text replaces the old in one step, with mode 0600, and no other file is left."""
    folder.create()
    folder.connection.write_text("old")
    folder.connection.chmod(0o644)
    assert folder.write_private("connection.json", "{}") == folder.connection
    assert folder.connection.read_text() == "{}"
    assert stat.S_IMODE(folder.connection.stat().st_mode) == 0o600
    assert [path.name for path in folder.root.iterdir() if path.is_file()] == ["connection.json"]


def test_a_file_that_cannot_be_replaced_leaves_no_remains(folder: DataFolder) -> None:
    """When the last step fails the temporary file goes again."""
    folder.create()
    folder.connection.mkdir()
    with pytest.raises(OSError, match="directory"):
        folder.write_private("connection.json", "{}")
    assert [path for path in folder.root.iterdir() if path.is_file()] == []
