"""`mintage workers` against a real database."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import text

from app.cli.main import main
from app.cli.workers import NOBODY
from app.runtime import Runtime
from app.services import presence, reconcile
from app.settings import Settings
from app.store.queries import workers
from app.store.queries.workers import Worker


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores of the test, as an operator would name them."""
    for name in ("database_url", "redis_url", "secret_key", "heartbeat_seconds"):
        value = getattr(settings, name)
        variable = str(Settings.model_fields[name].validation_alias)
        monkeypatch.setenv(variable, value.get_secret_value() if isinstance(value, SecretStr) else str(value))


def run(*options: str) -> Result:
    return CliRunner().invoke(main, ["workers", *options], prog_name="mintage")


def a_worker(runtime: Runtime, name: str, silent_seconds: float = 0) -> None:
    """A worker that reported itself so long ago."""
    with runtime.transaction() as conn:
        workers.report(conn, Worker(name, f"host-of-{name}", 12_345, ("make", "mail"), 4, 1_200))
        moved = text("UPDATE workers SET seen_at = seen_at - make_interval(secs => :s) WHERE name = :name")
        conn.execute(moved, {"s": silent_seconds, "name": name})


def test_where_nobody_is_there_the_remedy_is_told() -> None:
    """A plain sentence, and no failure: the question was answered."""
    result = run()
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{NOBODY}\n")
    assert "mintage worker" in NOBODY


def test_workers_are_shown_the_latest_first(runtime: Runtime) -> None:
    """One line each; the one that fell silent is gone."""
    a_worker(runtime, "lost", silent_seconds=3 * 3600 + 5)
    a_worker(runtime, "busy")
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    header, *rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert header == ["Host", "PID", "Queues", "Concurrency", "Chunks done", "Started", "Last seen", "State"]
    assert [row[:5] for row in rows] == [
        ["host-of-busy", "12345", "make, mail", "4", "1,200"],
        ["host-of-lost", "12345", "make, mail", "4", "1,200"],
    ]
    assert all(row[5].endswith(" UTC") for row in rows)
    assert [row[6:] for row in rows] == [["0 s ago", "there"], ["3 h ago", "gone"]]


def test_where_all_are_gone_the_remedy_is_told_too(runtime: Runtime) -> None:
    """Those who were there are shown, because their hosts are where to look."""
    a_worker(runtime, "lost", silent_seconds=600)
    result = run()
    assert result.exit_code == 0
    assert "\t10 min ago\tgone\n" in result.stdout
    assert result.stderr == f"{NOBODY}\n"


def test_json_has_every_figure(runtime: Runtime) -> None:
    """Under names as on the wire; an empty list where nobody is there."""
    assert json.loads(run("--json").stdout) == []
    a_worker(runtime, "busy")
    (shown,) = json.loads(run("--json").stdout)
    assert shown.pop("startedAt").endswith("Z")
    assert shown.pop("lastSeenAt").endswith("Z")
    assert 0 <= shown.pop("silentSeconds") < 10
    assert shown == {
        "name": "busy",
        "host": "host-of-busy",
        "pid": 12_345,
        "queues": ["make", "mail"],
        "concurrency": 4,
        "chunksDone": 1_200,
        "gone": False,
    }


@pytest.mark.parametrize(("share", "gone"), [(0.5, False), (1.1, True)])
def test_gone_is_what_the_work_list_means_by_it(runtime: Runtime, share: float, gone: bool) -> None:
    """A worker counts as gone here exactly when the dispatcher no longer counts it."""
    limit = reconcile.worker_gone_seconds(runtime.settings)
    a_worker(runtime, "w", silent_seconds=limit * share)
    with runtime.reading() as conn:
        (found,) = presence.list_workers(conn, runtime.settings)
        assert workers.count_seen(conn, limit) == (0 if gone else 1)
    assert found.gone is gone


def test_what_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing variable is an error in words, not a stack trace."""
    monkeypatch.delenv("DATABASE_URL")
    result = run()
    assert result.exit_code == 1
    assert "DATABASE_URL" in result.stderr
