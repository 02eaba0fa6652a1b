"""Log files of children."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.local import logs
from app.local.logs import last_lines, open_log, size_of


def test_a_log_is_appended_to_and_private(tmp_path: Path) -> None:
    """A restart keeps what the child said before."""
    path = tmp_path / "web.log"
    for line in (b"one\n", b"two\n"):
        with open_log(path) as log:
            log.write(line)
    assert path.read_text() == "one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_grown_too_long_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One older file is kept, the one before it goes."""
    monkeypatch.setattr(logs, "ROTATE_BYTES", 3)
    path = tmp_path / "web.log"
    for line in (b"first\n", b"second\n", b"third\n"):
        with open_log(path) as log:
            log.write(line)
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"web.log": "third\n", "web.log.1": "second\n"}


def test_last_lines(tmp_path: Path) -> None:
    """At most so many lines, none from before the given byte, whatever bytes the child wrote; a missing file has none."""
    path = tmp_path / "web.log"
    assert last_lines(path) == ()
    assert size_of(path) == 0
    path.write_bytes(b"".join(b"line %d \xff\n" % number for number in range(100)))
    assert last_lines(path, 2) == ("line 98 \ufffd", "line 99 \ufffd")
    assert last_lines(path, since=size_of(path) - 10) == ("line 99 \ufffd",)
