"""`mintage groups` over HTTP against the real application, on real stores; the test makes the chunks itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from werkzeug.serving import make_server

from app.cli.main import main
from app.factory import create_app
from app.runtime import Runtime
from app.services import issuance
from tests.builders import a_key, an_item
from tests.cli.conftest import Running


@pytest.fixture
def url(runtime: Runtime) -> Iterator[str]:
    with Running(make_server("127.0.0.1", 0, create_app(runtime), threaded=True)) as server:
        yield server.url


class Person:
    """Somebody with an API key who types commands."""

    def __init__(self, url: str, key: str) -> None:
        self._environment = {"MINTAGE_URL": url, "MINTAGE_API_KEY": key}

    def __call__(self, *arguments: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(main, ["groups", *arguments], prog_name="mintage", env=self._environment)
        assert result.exit_code == exit_code, result.output
        return result.stdout if exit_code == 0 else result.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def person(url: str, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.chdir(tmp_path)
    return Person(url, a_key(runtime))


def make_all(runtime: Runtime) -> None:
    """What the workers would do."""
    with runtime.reading() as conn:
        waiting = list(conn.execute(text("SELECT id FROM chunks WHERE state <> 'done' ORDER BY id")).scalars())
    for chunk_id in waiting:
        issuance.make_chunk(runtime.issuance("w"), chunk_id)


@pytest.fixture
def group_id(person: Person, runtime: Runtime) -> str:
    """A pending group of 3,000."""
    course = str(an_item(runtime).id)
    options = ["--label", "Spring", "--length", "12", "--total", "3000", "--course", course, "--no-watch"]
    return str(person.json("create", *options)[0]["id"])


def test_a_whole_group_is_proven_and_its_download_verified(person: Person, runtime: Runtime, group_id: str) -> None:
    """The hash that is worked out from the file is the one that the service works out from its rows."""
    make_all(runtime)
    person("export", group_id, "-o", "codes.csv")
    assert person.json("proof", group_id)["holds"]
    assert "PASS" in person("verify", group_id, "codes.csv")
    (extended,) = person.json("add-codes", group_id, "--count", "500", "--no-watch")
    assert (extended["status"], extended["totalCodesCount"]) == ("pending", 3_500)
    make_all(runtime)
    assert "rows (3,000 in the file, 3,500 there)" in person("verify", group_id, "codes.csv", exit_code=1)
    person("export", group_id, "-o", "codes.csv")
    assert "PASS" in person("verify", group_id, "codes.csv")


def test_a_group_is_cancelled_resumed_and_deleted(person: Person, runtime: Runtime, group_id: str) -> None:
    """Each move is shown as it was made, and refused where it cannot be."""
    assert person.json("cancel", group_id, "--discard")[0]["status"] == "cancelled"
    assert "is cancelled" in person("cancel", group_id, exit_code=1)
    assert person.json("resume", group_id, "--no-watch")[0]["status"] == "pending"
    assert "the group is pending" in person("proof", group_id, exit_code=1)
    make_all(runtime)
    assert person.json("show", group_id)["createdCodesCount"] == 3_000
    person("delete", group_id, "--yes")
    assert "There is no redemption code group" in person("delete", group_id, "--yes", exit_code=1)


@pytest.mark.parametrize(("length", "accepted"), [("12", "yes"), ("4", "no")])
def test_strength_is_estimated(person: Person, length: str, accepted: str) -> None:
    """Every figure of the service's answer is read."""
    told = person("estimate", "--length", length, "--total", "10000", "--alphabet", "digits")
    assert f"accepted\t{accepted}\n" in told
    assert "possible codes\t" in told
