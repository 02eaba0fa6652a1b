"""A database that is there and says nothing: every wait ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from app.errors import DatabaseUnavailable
from app.local.servers import LocalServers
from app.runtime import Runtime, make_runtime
from app.store import migrate
from tests.builders import Api
from tests.stores import Stores, settings_for

STATEMENT_SECONDS = 0.5


@pytest.fixture
def frozen_soon(tmp_path: Path) -> Iterator[tuple[Runtime, int]]:
    """A runtime on a PostgreSQL of its own, and that server's process id."""
    with LocalServers(tmp_path / "data", valkey=False) as servers:
        stores = Stores(servers.database_url, "redis://127.0.0.1:1/0")
        runtime = make_runtime(settings_for(stores, "mintage", statement_timeout_ms=int(STATEMENT_SECONDS * 1000)))
        migrate.upgrade(runtime.engine)
        yield runtime, servers.postgres.pid or 0
        runtime.close()


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The server with all of its sessions stopped for the time of the block."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in family:
            os.kill(process.pid, signal.SIGCONT)


def test_a_request_to_a_frozen_database_is_a_503_in_time_and_works_again_after_it(frozen_soon: tuple[Runtime, int]) -> None:
    runtime, pid = frozen_soon
    api = Api(runtime)
    assert api.get("/redemptionCodes").status_code == 200
    with frozen(pid):
        begun = time.monotonic()
        answer = api.get("/redemptionCodes")
        took = time.monotonic() - begun
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert took < 10
    assert api.get("/redemptionCodes").status_code == 200


def test_a_wait_that_was_given_up_leaves_no_connection_that_could_mix_up_answers(frozen_soon: tuple[Runtime, int]) -> None:
    runtime, pid = frozen_soon
    with runtime.reading() as conn:
        assert conn.exec_driver_sql("SELECT 1").scalar() == 1
        with frozen(pid), pytest.raises(DatabaseUnavailable), runtime.reading() as other:
            other.exec_driver_sql("SELECT 2")
    with runtime.reading() as conn:
        assert conn.exec_driver_sql("SELECT 3").scalar() == 3
