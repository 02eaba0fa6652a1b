"""A group's codes as a CSV file that is either whole or not there."""

from __future__ import annotations

import codecs
import io
import os
import uuid
from pathlib import Path
from typing import IO, Any, cast

import httpx

from mintage.connection import Connection
from mintage.errors import ExportMismatch
from mintage.watching import group_path

Target = str | os.PathLike[str] | IO[bytes] | IO[str]


def export(connection: Connection, group_id: str, target: Target) -> int:
    """Streams the CSV into a file or an open file; returns its data rows, which equal what the server announced.

    A path gets the file by rename once it is whole. Raises ExportMismatch, or ConnectionFailed where the download breaks
    off; an open file, or a path to something that is no regular file, has then received a part.
    """
    if isinstance(target, (str, os.PathLike)):
        path = Path(target).resolve()
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                return _download(connection, group_id, stream)
        return _whole(connection, group_id, path)
    return _download(connection, group_id, target)


def _whole(connection: Connection, group_id: str, path: Path) -> int:
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as stream:
            rows = _download(connection, group_id, stream)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return rows


def _download(connection: Connection, group_id: str, target: IO[Any]) -> int:
    takes_text = isinstance(cast(object, target), io.TextIOBase)
    decoder = codecs.getincrementaldecoder("utf-8")()
    counter = RowCounter()
    with connection.stream(group_path(group_id, "codes", "export")) as response:
        for part in response.iter_bytes():
            counter.feed(part)
            target.write(decoder.decode(part) if takes_text else part)
    received = max(0, counter.rows - 1)
    announced = _announced(response)
    if received != announced:
        raise ExportMismatch(received, announced)
    return received


def _announced(response: httpx.Response) -> int | None:
    value = response.headers.get("X-Codes-Count", "")
    return int(value) if value.isdecimal() else None


class RowCounter:
    """Counts the records of a CSV (RFC 4180) that comes in pieces; line ends inside quotes do not count."""

    def __init__(self) -> None:
        """Starts before the first byte."""
        self._ended = 0
        self._quoted = False
        self._open = False

    def feed(self, part: bytes) -> None:
        """Takes the next bytes."""
        for index, stretch in enumerate(part.split(b'"')):
            if index:
                self._quoted = not self._quoted
            if not self._quoted:
                self._ended += stretch.count(b"\n")
        if part:
            self._open = self._quoted or not part.endswith(b"\n")

    @property
    def rows(self) -> int:
        """The records so far, with the header and with a last one that no line end has closed."""
        return self._ended + self._open
