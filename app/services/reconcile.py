"""The work list: what to hand to the broker next, and what was lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from app.domain.planning import plan_chunks
from app.domain.states import UNFINISHED, GroupStatus
from app.settings import Settings
from app.store.queries import chunks, groups, idempotency, workers
from app.store.queries.chunks import Sent

EXHAUSTED = "A part of the codes could not be made in {attempts} attempts; resume the group to try again."
WORKER_FORGOTTEN_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep put right."""

    resent: int = 0
    """Chunks whose message nobody claimed."""
    reclaimed: int = 0
    """Chunks whose worker did not finish in time."""
    failed: tuple[UUID, ...] = ()
    """Groups that were ended because a chunk failed too often."""
    cleared: int = 0
    """Waiting chunks of groups that are over."""
    mended: tuple[UUID, ...] = ()
    """Unfinished groups that had no chunk left: completed, or given chunks for what was missing."""

    def __bool__(self) -> bool:
        return any((self.resent, self.reclaimed, self.failed, self.cleared, self.mended))


def window(conn: Connection, settings: Settings) -> int:
    """How many chunks may be sent or running at once: so many that no worker idles, and no more, so that turns stay fair."""
    return settings.queue_depth * max(1, workers.count_slots(conn, worker_gone_seconds(settings)))


def admit(conn: Connection, window: int) -> list[Sent]:
    """The chunks to hand to the broker now, marked as sent; API keys take turns, and the window keeps the queue short."""
    return chunks.admit(conn, window)


def withdraw(conn: Connection, sent: list[Sent]) -> None:
    """Takes back chunks that the broker did not accept."""
    chunks.withdraw(conn, [chunk.chunk_id for chunk in sent])


def is_waiting(conn: Connection) -> bool:
    """Whether chunks wait for room in the window."""
    return chunks.waiting(conn)


def sweep(conn: Connection, settings: Settings) -> Swept:
    """Finds what nobody told of: lost messages, dead workers, chunks that fail every time, leftovers of ended groups.

    Any number of sweeps may run at once. Messages count as lost only while a worker is there to have taken them;
    without one, sending them again would only lengthen the queue.
    """
    there = workers.count_seen(conn, worker_gone_seconds(settings))
    swept = Swept(
        resent=chunks.take_back_lost(conn, resend_seconds=settings.resend_seconds) if there else 0,
        reclaimed=chunks.take_back_expired(conn, max_attempts=settings.max_attempts),
        failed=tuple(
            chunks.fail_exhausted(
                conn, max_attempts=settings.max_attempts, error=EXHAUSTED.format(attempts=settings.max_attempts)
            )
        ),
        cleared=chunks.clear_abandoned(conn),
        mended=tuple(_mend(conn, settings)),
    )
    workers.forget_gone(conn, WORKER_FORGOTTEN_SECONDS)
    idempotency.forget_old(conn)
    return swept


def _mend(conn: Connection, settings: Settings) -> Iterator[UUID]:
    """Looks after groups whose work list was lost: their number of codes decides what is still to be done."""
    for group_id, owner, missing in groups.without_work(conn, settings.resend_seconds):
        if missing:
            chunks.insert_chunks(conn, group_id, owner, plan_chunks(missing, settings.chunk_size))
        else:
            groups.move(conn, group_id, since=UNFINISHED, to=GroupStatus.COMPLETED)
        yield group_id


def worker_gone_seconds(settings: Settings) -> float:
    """For how long a worker may be silent before it counts as gone."""
    return 3 * settings.heartbeat_seconds
