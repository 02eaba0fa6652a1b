"""Connections to PostgreSQL, and the translation of what its driver raises."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg.errors import ForeignKeyViolation, UndefinedColumn, UndefinedTable, UniqueViolation
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from app.errors import DatabaseUnavailable, Overtaken, SchemaOutdated
from app.settings import Settings
from app.store.driver import PatientConnection

Begin = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction; leaving the block commits it, an exception rolls it back."""

CONNECT_TIMEOUT_SECONDS = 2
GRACE_SECONDS = 1.0
"""How much longer than a statement may take its client waits for a server that says nothing."""
TRUSTED_SECONDS = 1.0
"""For how long after its last use a connection is taken to be alive without asking."""


def make_engine(settings: Settings, *, pool_size: int | None = None) -> Engine:
    """An engine for one process, with every wait bounded by the settings; connects lazily."""
    options = (
        f"-c statement_timeout={settings.statement_timeout_ms} -c lock_timeout={settings.lock_timeout_ms}"
        " -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
    )
    engine = create_engine(
        settings.database_url.get_secret_value().replace("postgres://", "postgresql://", 1),
        pool_size=pool_size or settings.database_pool_size,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_SECONDS,
        pool_use_lifo=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": options, "application_name": "mintage"},
        hide_parameters=True,
    )
    patience = settings.statement_timeout_ms / 1000 + GRACE_SECONDS

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> PatientConnection:
        opened = PatientConnection.connect(*arguments, **parameters)
        opened.patience = patience
        return opened

    _check_after_idling(engine)
    return engine


def _check_after_idling(engine: Engine) -> None:
    """Has a connection asked whether it still lives before it is used, if nobody used it lately.

    SQLAlchemy's pre-ping asks every time, which costs as much as one more query. A connection that breaks between two uses
    in quick succession fails the second of them as one that breaks in the middle would: DatabaseUnavailable, try again.
    """

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def check(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("idle_since", math.inf) > TRUSTED_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as error:
                raise InvalidatePoolError from error


@contextmanager
def connection(engine: Engine, isolation: str) -> Iterator[Connection]:
    """A connection at that isolation level, inside a transaction that is committed at the end of the block.

    Raises what `translated` raises.
    """
    with translated(), engine.connect().execution_options(isolation_level=isolation) as opened, opened.begin():
        yield opened


@contextmanager
def translated() -> Iterator[None]:
    """Turns what the driver and the pool raise in the block into errors of the service.

    Raises DatabaseUnavailable where the database cannot be reached, is shutting down, is out of space or kept a
    statement waiting beyond its time-out; SchemaOutdated where a table or column is missing; Overtaken where a unique
    index or a foreign key says no to what was right when it was looked at. Every other error of the driver is a defect
    and passes through.
    """
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        # From COPY, which goes past SQLAlchemy: a full disk, a lock held too long, a connection that broke.
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        if is_outage(error):
            raise DatabaseUnavailable from error
        if isinstance(error.orig, UndefinedTable | UndefinedColumn):
            raise SchemaOutdated from error
        if isinstance(error.orig, UniqueViolation | ForeignKeyViolation):
            raise Overtaken from error
        raise


def is_outage(error: DBAPIError) -> bool:
    """Whether the database, rather than the statement, is at fault: worth trying again later."""
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
