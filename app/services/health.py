"""Whether the service can do its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from app.store import migrate
from app.store.queries import workers


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the service needs."""

    name: str
    ok: bool
    detail: str


def check_schema(conn: Connection) -> Check:
    """Whether the database's schema is this code's."""
    current = migrate.is_current(conn)
    return Check("migrations", current, "up to date" if current else "run: mintage migrate")


def check_workers(conn: Connection, within_seconds: float) -> Check:
    """Whether a worker reported itself lately."""
    there = workers.count_seen(conn, within_seconds)
    return Check("workers", there > 0, f"{there} seen" if there else "none seen; run: mintage worker")


def check_server(name: str, ping: Callable[[], object]) -> Check:
    """Whether a server answers `ping`; any error of its driver means that it does not."""
    try:
        ping()
    except Exception:  # whatever the driver raises, the answer is no
        return Check(name, False, "not reachable")
    return Check(name, True, "reachable")
