"""Which workers are there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

_REPORT = text(
    """
    INSERT INTO workers (name, host, pid, queues, concurrency, seen_at)
    VALUES (:name, :host, :pid, CAST(:queues AS text[]), :concurrency, clock_timestamp())
    ON CONFLICT (name) DO UPDATE
    SET host = excluded.host, pid = excluded.pid, queues = excluded.queues, concurrency = excluded.concurrency,
        seen_at = excluded.seen_at
    """
)


def report(conn: Connection, *, name: str, host: str, pid: int, queues: Sequence[str], concurrency: int) -> None:
    """Notes that a worker is there now."""
    values = {"name": name, "host": host, "pid": pid, "queues": list(queues), "concurrency": concurrency}
    conn.execute(_REPORT, values)


def leave(conn: Connection, name: str) -> None:
    """Forgets a worker that ends."""
    conn.execute(text("DELETE FROM workers WHERE name = :name"), {"name": name})


def count_seen(conn: Connection, within_seconds: float) -> int:
    """How many workers reported themselves within that time."""
    statement = text("SELECT count(*) FROM workers WHERE seen_at > clock_timestamp() - make_interval(secs => :seconds)")
    return conn.scalar(statement, {"seconds": within_seconds}) or 0


def forget_gone(conn: Connection, after_seconds: float) -> int:
    """Forgets workers that have not reported themselves for that long; returns how many."""
    statement = text("DELETE FROM workers WHERE seen_at < clock_timestamp() - make_interval(secs => :seconds)")
    return conn.execute(statement, {"seconds": after_seconds}).rowcount
