"""Log files of child processes: appended to, kept from growing for ever, quoted when something went wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

ROTATE_BYTES = 10 * 1024 * 1024
_QUOTE_BYTES = 64 * 1024


def open_log(path: Path) -> IO[bytes]:
    """Opens a log for appending, with mode 0600; one over 10 MiB becomes `NAME.log.1` first and replaces the one before it."""
    if size_of(path) > ROTATE_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)


def size_of(path: Path) -> int:
    """Bytes in the file; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def last_lines(path: Path, count: int = 20, *, since: int = 0) -> tuple[str, ...]:
    """The last lines of a log, at most `count`, none from before byte `since`; empty where there is no file."""
    start = max(since, size_of(path) - _QUOTE_BYTES)
    try:
        with path.open("rb") as file:
            file.seek(start)
            return tuple(file.read().decode(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ()
