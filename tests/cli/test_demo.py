"""The demo's proof counts for itself."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from app.cli.demo import ASKED, Proof, count
from mintage import Client
from tests.cli.conftest import Served
from tests.client.fake_service import KEY, FakeService

ALL = tuple(f"code{number:06}" for number in range(ASKED))
GOOD = Proof(ASKED, frozenset(ALL), ASKED, ALL, 0.5)


def test_a_full_count_passes() -> None:
    """Asked, stored, unique and exported agree."""
    assert GOOD.passes


@pytest.mark.parametrize(
    "changes",
    [
        {"stored_count": ASKED + 1},
        {"stored": frozenset(ALL[:-1]), "stored_count": ASKED - 1},
        {"exported": ALL[:-1]},
        {"exported": (*ALL[:-1], ALL[0])},
        {"exported": (*ALL[:-1], "another")},
        {"asked": ASKED - 1},
    ],
    ids=["stored twice", "stored less", "exported less", "exported twice", "exported another", "asked less"],
)
def test_any_difference_fails(changes: dict[str, object]) -> None:
    """One code more, less, twice or other than the rest is enough."""
    assert not dataclasses.replace(GOOD, **changes).passes  # type: ignore[arg-type]  # each of its own field's type


def test_counting_reads_the_pages_and_the_file(served: Served, service: FakeService, tmp_path: Path) -> None:
    """No figure is taken from the group itself."""
    wire = service.add_group(created=ASKED, status="completed")
    with Client(served.url, KEY) as client:
        group = client.get_group(wire["id"])
        client.export(group, tmp_path / "codes.csv")
        assert count(client, group, tmp_path / "codes.csv", 0.5).passes
        wire["createdCodesCount"] -= 1
        assert not count(client, group, tmp_path / "codes.csv", 0.5).passes
