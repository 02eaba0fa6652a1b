"""The servers, databases and applications that tests talk to.

Embedded PostgreSQL and Valkey start once a run. With MINTAGE_TEST_DATABASE_URL and MINTAGE_TEST_REDIS_URL set, tests use
those servers instead; the role must be allowed to create databases.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from app.local.servers import LocalServers
from app.runtime import Runtime, make_runtime
from app.settings import Settings
from app.store import migrate
from tests.stores import Stores, settings_for

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A PostgreSQL that holds a migrated template database, and a Redis."""
    given = os.environ.get("MINTAGE_TEST_DATABASE_URL"), os.environ.get("MINTAGE_TEST_REDIS_URL")
    if given[0] and given[1]:
        with _template(Stores(given[0], given[1])) as prepared:
            yield prepared
        return
    folder: Path = tmp_path_factory.mktemp("stores") / "data"
    # What a test stores is not missed after a power cut; and only a superuser could end autovacuum to drop a database.
    settings = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
    with (
        LocalServers(folder, postgres_settings=settings) as servers,
        _template(Stores(servers.database_url, servers.redis_url)) as prepared,
    ):
        yield prepared


@contextmanager
def _template(stores: Stores) -> Iterator[Stores]:
    """The stores, with a migrated database of this test run's own to copy for each test."""
    name = sql.Identifier(stores.template)
    with psycopg.connect(stores.database_url, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        conn.execute(sql.SQL("CREATE DATABASE {}").format(name))
        runtime = make_runtime(settings_for(stores, stores.template))
        migrate.upgrade(runtime.engine)
        runtime.close()
        yield stores
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _fresh_runtime(stores: Stores) -> Iterator[Runtime]:
    """A runtime on a migrated, empty database and an empty Redis database of its own, both dropped afterwards."""
    name = f"mintage_test_{os.getpid()}_{next(_numbers)}"
    quoted = sql.Identifier(name)
    with psycopg.connect(stores.database_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(quoted, sql.Identifier(stores.template)))
    runtime = make_runtime(settings_for(stores, name))
    runtime.redis.flushdb()
    try:
        yield runtime
    finally:
        runtime.close()
        with psycopg.connect(stores.database_url, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


@pytest.fixture
def runtime(stores: Stores) -> Iterator[Runtime]:
    """A runtime on an empty database that only this test uses."""
    yield from _fresh_runtime(stores)


@pytest.fixture(scope="module")
def shared_runtime(stores: Stores) -> Iterator[Runtime]:
    """A runtime on a database that all tests of one module share; for tests that leave it as it was, or do not care."""
    yield from _fresh_runtime(stores)


@pytest.fixture
def settings(runtime: Runtime) -> Settings:
    """The settings of `runtime`."""
    return runtime.settings
