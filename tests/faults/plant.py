"""A small factory to break: PostgreSQL and Valkey of its own, and one instance of Mintage in them.

A `Plant` is the instance: its servers, its database, and what was ever accepted there. A `Shift` is the processes at work in
it under some conditions (fail points armed, proxies in between); shifts follow one another, the instance stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text

from app.failpoints import LOG_VARIABLE, VARIABLE
from app.local.servers import LocalServers
from app.runtime import Runtime, make_runtime
from app.settings import Settings
from app.store import migrate
from tests.builders import a_key
from tests.faults import invariants
from tests.faults.shift import FIRED, Crew, Shift
from tests.local.waiting import eventually

LEASE_SECONDS = 4.0
QUICK: Mapping[str, object] = {
    "chunk_size": 100,
    "lease_seconds": LEASE_SECONDS,
    "task_time_limit": 3.5,
    "sweep_seconds": 0.5,
    "resend_seconds": 1.0,
    "heartbeat_seconds": 1.0,
}
"""Many small chunks, and faults that are noticed soon: recovery is bounded by these."""


class Plant:
    """One instance with its servers, and what it has accepted so far."""

    def __init__(self, servers: LocalServers, runtime: Runtime) -> None:
        self.servers, self.runtime = servers, runtime
        self.key = a_key(runtime)
        self.accepted: dict[UUID, int] = {}
        """Every group that was answered by 202, with the number of codes asked for."""
        self._shifts = 0

    def shift(self, crew: Crew | None = None, failpoints: str = "", **overrides: object) -> Shift:
        """The processes at work, to be entered; `overrides` are settings of theirs."""
        self._shifts += 1
        folder = self.servers.folder.root / f"shift-{self._shifts}"
        folder.mkdir()
        settings = self.runtime.settings.model_copy(update=overrides)
        environment = environment_of(settings) | {VARIABLE: failpoints, LOG_VARIABLE: str(folder / FIRED)}
        return Shift(self, crew or Crew(), folder, environment)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """What the database answers, asked past every proxy."""
        with self.runtime.reading() as conn:
            return list(conn.execute(text(statement), values))

    def violations(self) -> list[str]:
        """What is wrong in the whole instance now."""
        with self.runtime.snapshot() as conn:
            return invariants.violations(conn, accepted=self.accepted)


@contextmanager
def a_plant(folder: Path, *, durable: bool = True) -> Iterator[Plant]:
    """A plant with an empty, migrated database; `durable` spends the time that surviving a power cut costs."""
    postgres = {"max_connections": "60"} | ({} if durable else {"fsync": "off", "full_page_writes": "off"})
    with LocalServers(folder, postgres_settings=postgres) as servers:
        settings = Settings.model_validate(
            {
                "database_url": servers.database_url,
                "redis_url": servers.redis_url,
                "secret_key": servers.secret_key,
                "database_pool_size": 4,
            }
            | dict(QUICK)
        )
        runtime = make_runtime(settings)
        try:
            migrate.upgrade(runtime.engine)
            yield Plant(servers, runtime)
        finally:
            runtime.close()


def environment_of(settings: Settings) -> dict[str, str]:
    """The present environment with every setting of the service as given, and no other variable of Mintage's."""
    given = {str(info.validation_alias): getattr(settings, name) for name, info in Settings.model_fields.items()}
    values = {
        variable: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for variable, value in given.items()
        if value is not None
    }
    kept = {name: value for name, value in os.environ.items() if name not in given and not name.startswith("MINTAGE_")}
    return kept | values


def wait_until_no_reservation(plant: Plant) -> None:
    """Returns once no reservation is left: at the latest two epochs, each of a lease's length, after the last one."""
    eventually(lambda: not invariants.reservations(plant.runtime.redis), 2 * LEASE_SECONDS + 3)
