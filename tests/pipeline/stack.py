"""The service as its real processes: gunicorn, dispatcher and workers, on a database of their own."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import psycopg
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import text

from app.local.ports import LOOPBACK, free_port
from app.local.processes import Supervisor
from app.runtime import Runtime, make_runtime
from app.settings import Settings
from mintage import Client, Course, Group
from tests.builders import a_key
from tests.local.waiting import eventually
from tests.stores import Stores, settings_for

MINTAGE = (sys.executable, "-m", "app.cli.main")
READY_WITHIN = 40.0
QUICK = {
    "chunk_size": 500,
    "lease_seconds": 4.0,
    "task_time_limit": 3.5,
    "resend_seconds": 1.0,
    "sweep_seconds": 0.5,
    "redis_timeout_seconds": 1.0,
}
"""Many small chunks, and faults that are noticed soon, so that tests of both are short."""

_numbers = itertools.count(1)


def environment_of(settings: Settings) -> dict[str, str]:
    """The present environment, with every setting of the service as given and none of a client's."""
    given = {str(field.validation_alias): getattr(settings, name) for name, field in Settings.model_fields.items()}
    values = {
        variable: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for variable, value in given.items()
        if value is not None
    }
    kept = {name: value for name, value in os.environ.items() if name not in given and not name.startswith("MINTAGE_")}
    return kept | values


@contextmanager
def a_database(stores: Stores) -> Iterator[str]:
    """The name of an empty, migrated database, which is dropped at the end."""
    name = f"mintage_pipeline_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(stores.database_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(stores.template)))
    try:
        yield name
    finally:
        with psycopg.connect(stores.database_url, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def a_runtime(settings: Settings) -> Iterator[Runtime]:
    """A look at the same stores from the test's own process; the Redis database is emptied first."""
    runtime = make_runtime(settings, pool_size=3)
    try:
        runtime.redis.flushdb()
        yield runtime
    finally:
        runtime.close()


@dataclass(frozen=True)
class Stack:
    """A running service."""

    url: str
    key: str
    client: Client
    runtime: Runtime
    supervisor: Supervisor

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """What the database answers."""
        with self.runtime.reading() as conn:
            return list(conn.execute(text(statement), values))

    def counts(self, groups: Sequence[Group]) -> dict[str, tuple[int, int]]:
        """For each group how many codes of it are stored, and how many different ones."""
        found = self.rows(
            "SELECT group_id, count(*), count(DISTINCT lower(code)) FROM codes WHERE group_id = ANY(:ids) GROUP BY group_id",
            ids=[UUID(group.id) for group in groups],
        )
        return {str(group_id): (stored, different) for group_id, stored, different in found}

    def stored_and_different(self) -> tuple[int, int]:
        """How many codes are stored in the whole instance, and how many different ones."""
        (row,) = self.rows("SELECT count(*), count(DISTINCT lower(code)) FROM codes")
        return row[0], row[1]

    def running_chunks(self) -> list[Any]:
        """The chunks in some worker's hands: id and the worker's host:pid."""
        return self.rows("SELECT id, worker FROM chunks WHERE state = 'running' AND lease_until > clock_timestamp()")

    def a_course(self) -> Course:
        """Something for codes to open."""
        return self.client.upsert_courses([{"title": "Algebra I"}])[0]

    def a_body(self, total: int = 10_000) -> dict[str, Any]:
        """A valid request for a group."""
        courses = [self.a_course().id]
        return {"label": "Spring promotion", "codeLength": 12, "totalCodesCount": total, "courses": courses}

    def post(self, body: dict[str, Any]) -> httpx.Response:
        """A bare POST of a group, tried once."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.post(f"{self.url}/incoming/v2/redemptionCodes", json=body, headers=headers, trust_env=False, timeout=10)


@contextmanager
def a_stack(stores: Stores, logs: Path, *, workers: int, processes: int = 2, **overrides: object) -> Iterator[Stack]:
    """The service on an empty database, ready for requests; `overrides` are settings."""
    with (
        a_database(stores) as database,
        serving(settings_for(stores, database, **(QUICK | overrides)), logs, workers=workers, processes=processes) as stack,
    ):
        yield stack


@contextmanager
def serving(settings: Settings, logs: Path, *, workers: int, processes: int = 1, key: str | None = None) -> Iterator[Stack]:
    """The service's processes on these stores, ready for requests, and gone at the end; the Redis database is emptied first.

    Each worker makes one chunk at a time, so that it takes several to make several at once. Speaks with a new key, or `key`.
    """
    with ExitStack() as resources:
        runtime = resources.enter_context(a_runtime(settings))
        supervisor = resources.enter_context(Supervisor(logs))
        environment, url, key = environment_of(settings), f"http://{LOOPBACK}:{free_port()}", key or a_key(runtime)
        commands = {
            "serve": ("serve", "--port", url.rpartition(":")[2], "--processes", str(processes)),
            "dispatch": ("dispatch",),
        } | {f"worker-{number}": ("worker", "--concurrency", "1") for number in range(1, workers + 1)}
        for name, arguments in commands.items():
            supervisor.spawn(name, [*MINTAGE, *arguments], environment)
        stack = Stack(url, key, resources.enter_context(Client(url, key)), runtime, supervisor)
        eventually(lambda: stack.client.ready() and _present(stack) == workers, READY_WITHIN)
        yield stack


def _present(stack: Stack) -> int:
    return int(stack.rows("SELECT count(*) FROM workers WHERE seen_at > clock_timestamp() - interval '5 seconds'")[0][0])


def family_of(pid: int) -> list[int]:
    """A process and all that it started, directly or not."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
