"""Exports are whole or not there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mintage import Client, ConnectionFailed, ExportMismatch, NotFound
from mintage.exporting import RowCounter
from tests.client.fake_service import FakeService


@pytest.fixture
def group(service: FakeService) -> str:
    return str(service.add_group(created=2_500)["id"])


class Broken(httpx.SyncByteStream):
    """A body that ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"Created Date,Code\r\n2025,abc"
        raise httpx.ReadError("connection reset")


def test_a_path_gets_every_row(client: Client, group: str, tmp_path: Path) -> None:
    """The number returned is the number of data rows in the file; line ends in quoted names are not rows."""
    path = tmp_path / "codes.csv"
    assert client.export(group, path) == 2_500
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert len({row["Code"] for row in rows}) == 2_500
    assert rows[0]["Redeemed By"] == 'Ann "A"\nLee'


@pytest.mark.parametrize("target", [io.BytesIO(), io.StringIO()], ids=["bytes", "text"])
def test_an_open_file_gets_the_same(client: Client, group: str, target: io.BytesIO | io.StringIO) -> None:
    """Files of bytes and of text will do."""
    assert client.export(group, target) == 2_500
    assert target.tell() > 2_500


@pytest.mark.parametrize("announced", [2_499, 2_501])
def test_another_number_than_announced_leaves_no_file(
    client: Client, service: FakeService, group: str, tmp_path: Path, announced: int
) -> None:
    """The error has both numbers, and what was under the name before is still there."""
    path = tmp_path / "codes.csv"
    path.write_text("before")
    service.announced = announced
    with pytest.raises(ExportMismatch) as caught:
        client.export(group, path)
    assert (caught.value.received, caught.value.announced) == (2_500, announced)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_download_that_breaks_off_leaves_no_file(client: Client, service: FakeService, group: str, tmp_path: Path) -> None:
    """Neither half a file under the name nor the temporary one stays."""
    service.first(httpx.Response(200, stream=Broken(), headers={"X-Codes-Count": "1"}))
    with pytest.raises(ConnectionFailed, match="broke off"):
        client.export(group, tmp_path / "codes.csv")
    assert list(tmp_path.iterdir()) == []


def test_an_answer_without_a_number_is_not_trusted(client: Client, service: FakeService, group: str, tmp_path: Path) -> None:
    """Without the announced number nothing says that the export is whole."""
    service.first(httpx.Response(200, text="Created Date,Code\r\n"))
    with pytest.raises(ExportMismatch, match="no number"):
        client.export(group, tmp_path / "codes.csv")


def test_an_unknown_group_makes_no_file(client: Client, tmp_path: Path) -> None:
    """An error of the service comes before any file."""
    with pytest.raises(NotFound):
        client.export("nowhere", tmp_path / "codes.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_a_link(client: Client, group: str, tmp_path: Path) -> None:
    """The file behind it is replaced."""
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to("real.csv")
    client.export(group, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("Created Date")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", 0),
        ("a,b\r\n", 1),
        ("a,b\r\n1,2", 2),
        ("a,b\n1,2\n", 2),
        ('a\n"x\ny"\n', 2),
        ('a\n"x""\n""y"\n', 2),
        ('a\n"x\n', 2),
        ('a\n"x"', 2),
        ("a\n\n", 2),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_rows_are_counted_across_pieces(text: str, rows: int, size: int) -> None:
    """The count does not depend on where the network cut the text."""
    counter = RowCounter()
    for start in range(0, len(text), size):
        counter.feed(text[start : start + size].encode())
    assert counter.rows == rows
