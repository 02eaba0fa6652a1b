"""The numbers an operator watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from app.domain.states import GroupStatus
from app.store.queries import metrics as queries


@dataclass(frozen=True, slots=True)
class Metrics:
    """The state of the service at one moment, for the whole instance."""

    groups: Mapping[GroupStatus, int]
    chunks_waiting: int
    chunks_queued: int
    chunks_running: int
    oldest_idle_seconds: float
    """For how long nothing happened to the unfinished group that moved longest ago; 0 where none is unfinished."""
    codes_stored: int
    workers: Mapping[str, int]
    """Chunks done by each worker seen lately, by its name."""


def read(conn: Connection, *, worker_gone_seconds: float) -> Metrics:
    """The numbers now."""
    waiting, queued, running = queries.open_chunks(conn)
    return Metrics(
        groups=dict.fromkeys(GroupStatus, 0) | queries.groups_by_status(conn),
        chunks_waiting=waiting,
        chunks_queued=queued,
        chunks_running=running,
        oldest_idle_seconds=queries.oldest_idle_seconds(conn),
        codes_stored=queries.codes_stored(conn),
        workers=queries.chunks_done_by_worker(conn, worker_gone_seconds),
    )
