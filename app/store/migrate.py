"""Walking the schema's history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from app.store.driver import PatientConnection
from app.store.session import translated

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = text("SELECT pg_advisory_lock(hashtext('mintage.migrate'))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtext('mintage.migrate'))")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the schema up to `revision`; does nothing where it is there already.

    Several processes may call this at once: they wait for one another. A migration that waits for more than 5 seconds for
    a lock gives up rather than stop the service's own statements behind it: DatabaseUnavailable is raised then.
    """
    _walk(engine, lambda config: command.upgrade(config, revision))


def downgrade(engine: Engine, revision: str) -> None:
    """Takes the schema back to `revision` (`base` for an empty database), and with it the data of newer tables."""
    _walk(engine, lambda config: command.downgrade(config, revision))


def is_current(conn: Connection) -> bool:
    """Whether the database's schema is the one this code was written for."""
    return MigrationContext.configure(conn).get_current_revision() == head_revision()


def head_revision() -> str | None:
    """The newest revision this code knows."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()


def _walk(engine: Engine, step: Callable[[Config], None]) -> None:
    with translated(), engine.connect() as conn:
        driver: PatientConnection = conn.connection.driver_connection  # type: ignore[assignment]  # the engine makes no other
        driver.patience = None
        conn.execute(text("SET statement_timeout = 0"))
        conn.execute(_LOCK)
        conn.execute(text("SET lock_timeout = '5s'"))
        conn.commit()
        try:
            step(make_config(conn))
            conn.commit()
        finally:
            conn.rollback()
            conn.execute(_UNLOCK)
            conn.commit()
            # Its settings are not those of the pool's other connections.
            conn.invalidate()


def make_config(conn: Connection) -> Config:
    """Alembic's configuration for a connection."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = conn
    return config
