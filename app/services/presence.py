"""Which workers are there, for people who look after them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from app.services import reconcile
from app.settings import Settings
from app.store.queries import workers
from app.store.queries.workers import SeenWorker


@dataclass(frozen=True, slots=True)
class Presence:
    """A worker as it was last seen, and what that means."""

    seen: SeenWorker
    gone: bool
    """Whether it has been silent for longer than a worker that is there ever is."""


def list_workers(conn: Connection, settings: Settings) -> list[Presence]:
    """All workers that reported themselves in the last day and did not sign off, the latest first."""
    limit = reconcile.worker_gone_seconds(settings)
    return [Presence(seen, seen.silent_seconds > limit) for seen in workers.list_workers(conn)]
