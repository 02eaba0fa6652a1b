"""Which workers are there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from app.store.models import WorkerRow

_REPORT = text(
    """
    INSERT INTO workers (name, host, pid, queues, concurrency, chunks_done, seen_at)
    VALUES (:name, :host, :pid, CAST(:queues AS text[]), :concurrency, :chunks_done, clock_timestamp())
    ON CONFLICT (name) DO UPDATE
    SET host = excluded.host, pid = excluded.pid, queues = excluded.queues, concurrency = excluded.concurrency,
        chunks_done = excluded.chunks_done, seen_at = excluded.seen_at
    """
)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as it reports itself."""

    name: str
    host: str
    pid: int
    queues: tuple[str, ...]
    concurrency: int
    chunks_done: int


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A worker as it was last seen."""

    worker: Worker
    started_at: datetime
    seen_at: datetime
    silent_seconds: float


def report(conn: Connection, worker: Worker) -> None:
    """Notes that a worker is there now."""
    conn.execute(_REPORT, asdict(worker) | {"queues": list(worker.queues)})


def list_workers(conn: Connection) -> list[SeenWorker]:
    """All workers that reported themselves in the last day, the latest first."""
    silence = func.extract("epoch", func.clock_timestamp() - WorkerRow.seen_at).label("silence")
    rows = conn.execute(select(WorkerRow.__table__, silence).order_by(WorkerRow.seen_at.desc(), WorkerRow.name))
    return [
        SeenWorker(
            Worker(row.name, row.host, row.pid, tuple(row.queues), row.concurrency, row.chunks_done),
            row.started_at,
            row.seen_at,
            float(row.silence),
        )
        for row in rows
    ]


def leave(conn: Connection, name: str) -> None:
    """Forgets a worker that ends."""
    conn.execute(text("DELETE FROM workers WHERE name = :name"), {"name": name})


def count_seen(conn: Connection, within_seconds: float) -> int:
    """How many workers reported themselves within that time."""
    statement = text("SELECT count(*) FROM workers WHERE seen_at > clock_timestamp() - make_interval(secs => :seconds)")
    return conn.scalar(statement, {"seconds": within_seconds}) or 0


def count_slots(conn: Connection, within_seconds: float) -> int:
    """How many chunks the workers that reported themselves within that time can make at once."""
    statement = text(
        "SELECT coalesce(sum(concurrency), 0) FROM workers WHERE seen_at > clock_timestamp() - make_interval(secs => :seconds)"
    )
    return int(conn.scalar(statement, {"seconds": within_seconds}) or 0)


def forget_gone(conn: Connection, after_seconds: float) -> int:
    """Forgets workers that have not reported themselves for that long; returns how many."""
    statement = text("DELETE FROM workers WHERE seen_at < clock_timestamp() - make_interval(secs => :seconds)")
    return conn.execute(statement, {"seconds": after_seconds}).rowcount
