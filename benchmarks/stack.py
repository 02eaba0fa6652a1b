"""The service as its real processes on the embedded servers, and the bare reference application beside it."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.cli.stack import MINTAGE
from app.domain.access_keys import Scope
from app.domain.items import Item, ItemKind
from app.local.ports import free_port
from app.local.processes import Supervisor
from app.local.servers import LocalServers
from app.runtime import Runtime, make_runtime
from app.services import access_keys, catalog
from app.settings import Settings
from app.store import migrate
from benchmarks.wire import Channel, request

CODES_PER_GROUP = 10_000
BASE = "/incoming/v2"
GROUPS = f"{BASE}/redemptionCodes"
WORKERS = 2
_READY_WITHIN = 60.0
_numbers = itertools.count(1)


def wait_for(holds: Callable[[], object], within: float, *, every: float = 0.02) -> None:
    """Returns as soon as `holds()` is true. Raises TimeoutError after `within` seconds."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not the case after {within:g} s")
        time.sleep(every)


@dataclass(frozen=True)
class Service:
    """A running service on a database of its own."""

    port: int
    key: str
    course: str
    runtime: Runtime
    supervisor: Supervisor
    database_url: str
    admin_url: str
    environment: dict[str, str]

    def a_body(self, codes: int = CODES_PER_GROUP) -> dict[str, Any]:
        """A valid request for a group."""
        return {"label": "Spring promotion", "codeLength": 12, "totalCodesCount": codes, "courses": [self.course]}

    def a_post(self, codes: int = CODES_PER_GROUP) -> bytes:
        """The same on the wire."""
        return request("POST", GROUPS, key=self.key, body=self.a_body(codes))

    def a_poll(self, group_id: str, tag: str | None = None) -> bytes:
        """A status request, on the wire; conditional where an entity tag is given."""
        return request("GET", f"{GROUPS}/{group_id}", key=self.key, headers=[("If-None-Match", tag)] if tag else [])

    def create_groups(self, count: int, codes: int = CODES_PER_GROUP) -> list[str]:
        """Posts so many groups, one after the other over one connection; returns their ids."""
        with Channel(self.port) as channel:
            return [str(channel.ask(self.a_post(codes)).json()["id"]) for _ in range(count)]

    def wait_until_completed(self, group_ids: Sequence[str], *, every: float = 0.02, within: float = 120.0) -> None:
        """Polls over HTTP until every group is completed."""
        with Channel(self.port) as channel:
            for group_id in group_ids:
                wait_for(partial(_completed, channel, self.a_poll(group_id)), within, every=every)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """What the database answers."""
        with self.runtime.reading() as conn:
            return list(conn.execute(text(statement), values))

    def run(self, statement: str, **values: Any) -> None:
        """Runs a statement and commits it, however long it takes."""
        with self.runtime.transaction() as conn:
            conn.execute(text("SET LOCAL statement_timeout = 0"))
            conn.execute(text(statement), values)

    def checkpoint(self) -> None:
        """Settles what was written so far, so that nobody pays for what another wrote."""
        with psycopg.connect(self.admin_url, autocommit=True) as conn:
            conn.execute("CHECKPOINT")

    def processes(self, name: str) -> list[psutil.Process]:
        """The processes under one of our children that do its work (those it forked)."""
        return psutil.Process(self.supervisor.pids[name]).children(recursive=True)


def _completed(channel: Channel, wire: bytes) -> bool:
    status = channel.ask(wire).json()["status"]
    if status in ("failed", "cancelled"):
        raise RuntimeError(f"a group ended {status}")
    return bool(status == "completed")


@contextmanager
def a_service(servers: LocalServers, *, workers: int = WORKERS, **overrides: str) -> Iterator[Service]:
    """The service with its usual settings, ready for requests: web, and unless `workers` is 0 one worker and a dispatcher.

    `overrides` are environment variables of all its processes.
    """
    with ExitStack() as resources:
        url = _a_database(servers)
        environment = _environment(servers, url) | overrides
        runtime = make_runtime(Settings.model_validate(environment), pool_size=2)
        resources.callback(runtime.close)
        migrate.upgrade(runtime.engine)
        runtime.redis.flushdb()
        supervisor = resources.enter_context(Supervisor(servers.folder.logs / url.rpartition("/")[2], guard=servers.guard))
        port = free_port()
        supervisor.spawn("serve", [*MINTAGE, "serve", "--port", str(port)], environment)
        if workers:
            supervisor.spawn("worker", [*MINTAGE, "worker", "--concurrency", str(workers)], environment)
            supervisor.spawn("dispatch", [*MINTAGE, "dispatch"], environment)
        key, course = _furnish(runtime)
        service = Service(port, key, course, runtime, supervisor, url, servers.postgres.admin_url, environment)
        wait_for(lambda: _answers(port, "/healthz"), _READY_WITHIN)
        if workers:
            wait_for(lambda: _answers(port, "/readyz"), _READY_WITHIN)
        yield service


@contextmanager
def a_bare_application(service: Service) -> Iterator[int]:
    """The reference application under the very command line that serves the service; its port."""
    command = psutil.Process(service.supervisor.pids["serve"]).cmdline()
    port = free_port()
    command[command.index("--bind") + 1] = f"127.0.0.1:{port}"
    command[command.index("--chdir") + 1] = str(Path(__file__).parent.parent)
    service.supervisor.spawn("bare", [*command[:-1], "benchmarks.bare:application"], service.environment)
    wait_for(lambda: _answers(port, "/bare"), _READY_WITHIN)
    yield port


def _a_database(servers: LocalServers) -> str:
    """The URL of a new database on the embedded server."""
    name = f"mintage_bench_{next(_numbers)}"
    with psycopg.connect(servers.database_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return make_url(servers.database_url).set(database=name).render_as_string(hide_password=False)


def _environment(servers: LocalServers, database_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CELERY_")}
    stores = {"DATABASE_URL": database_url, "REDIS_URL": servers.redis_url, "SECRET_KEY": servers.secret_key}
    return kept | stores


def _furnish(runtime: Runtime) -> tuple[str, str]:
    """An admin's key, and a course for codes to open."""
    course = Item(ItemKind.COURSE, uuid4(), "Algebra I")
    with runtime.transaction() as conn:
        catalog.save_items(conn, [course])
        _, key = access_keys.create(conn, label="benchmark", scopes=[Scope.ADMIN], secret=runtime.secret, random_bytes=os.urandom)
    return key, str(course.id)


def _answers(port: int, path: str) -> bool:
    try:
        with Channel(port) as channel:
            return channel.ask(request("GET", path)).status == 200
    except OSError:
        return False
