"""Chunks: the work list, and the claims on it.

All times are the database's (`clock_timestamp()`), so that no machine's clock matters. A claim raises the chunk's fence;
what a claim does later holds only while the fence is still the one it got. Statements lock a chunk before its group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.states import GroupStatus

WAKE_CHANNEL = "mintage_chunks"
"""The NOTIFY channel on which a commit tells the dispatcher that there is work."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk that one worker may make until its lease runs out."""

    chunk_id: int
    group_id: UUID
    codes_count: int
    fence: int
    space: CodeSpace


@dataclass(frozen=True, slots=True)
class Sent:
    """A chunk that is to be handed to the broker."""

    chunk_id: int
    group_id: UUID


_INSERT = text(
    """
    WITH added AS (
        INSERT INTO chunks (group_id, access_key_id, position, codes_count)
        SELECT :group_id, :access_key_id, place + last, codes_count
        FROM unnest(CAST(:sizes AS integer[])) WITH ORDINALITY AS planned (codes_count, place),
             (SELECT coalesce(max(position), 0) AS last FROM chunks WHERE group_id = :group_id) AS present
    )
    SELECT pg_notify(:channel, '')
    """
)


def insert_chunks(conn: Connection, group_id: UUID, access_key_id: UUID, sizes: Sequence[int]) -> None:
    """Adds chunks to a group's work list, behind those that are there, and wakes the dispatcher with the commit."""
    values = {"group_id": group_id, "access_key_id": access_key_id, "sizes": list(sizes), "channel": WAKE_CHANNEL}
    conn.execute(_INSERT, values)


def drop_unfinished(conn: Connection, group_id: UUID) -> None:
    """Takes all chunks of a group that are not done off the work list; a worker that holds one cannot commit it any more.

    Locks the group's chunks, and so belongs before any change of the group itself.
    """
    conn.execute(text("DELETE FROM chunks WHERE group_id = :group_id AND state <> 'done'"), {"group_id": group_id})


# A claim need not outlive a crash of the database, so that its commit does not wait for the disk: a chunk whose claim is lost
# is claimed again, and of two claims with the same fence only the first finish finds the chunk running.
_CLAIM = text(
    """
    WITH claimed AS (
        UPDATE chunks
        SET state = 'running', fence = fence + 1, attempts = attempts + 1, worker = :worker,
            lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
        WHERE id = :chunk_id
          AND (state = 'pending' OR (state = 'running' AND lease_until < clock_timestamp()))
          AND attempts < :max_attempts
          AND EXISTS (SELECT FROM code_groups WHERE id = chunks.group_id AND status IN ('pending', 'processing'))
        RETURNING id, group_id, codes_count, fence
    ), begun AS (
        UPDATE code_groups
        SET status = 'processing', started_at = coalesce(started_at, clock_timestamp()), progressed_at = clock_timestamp()
        FROM claimed
        WHERE code_groups.id = claimed.group_id AND code_groups.status = 'pending'
    )
    SELECT claimed.*, code_length, alphabet, coalesce(prefix, '') AS prefix, set_config('synchronous_commit', 'off', true)
    FROM claimed JOIN code_groups ON code_groups.id = claimed.group_id
    """
)


def claim(conn: Connection, chunk_id: int, *, worker: str, lease_seconds: float, max_attempts: int) -> Claim | None:
    """Takes a chunk for `worker`; the group is processing from then on.

    None where there is nothing to take: done, held by another under a living lease, out of attempts, its group over.
    """
    values = {"chunk_id": chunk_id, "worker": worker, "lease_seconds": lease_seconds, "max_attempts": max_attempts}
    row = conn.execute(_CLAIM, values).one_or_none()
    if row is None:
        return None
    return Claim(row.id, row.group_id, row.codes_count, row.fence, CodeSpace(Alphabet(row.alphabet), row.code_length, row.prefix))


_FINISH = text(
    """
    WITH done AS (
        UPDATE chunks SET state = 'done', lease_until = NULL, finished_at = clock_timestamp()
        WHERE id = :chunk_id AND fence = :fence AND state = 'running'
        RETURNING group_id, codes_count
    )
    UPDATE code_groups
    SET created_codes_count = created_codes_count + done.codes_count,
        status = CASE WHEN created_codes_count + done.codes_count = total_codes_count THEN 'completed' ELSE status END,
        finished_at = CASE WHEN created_codes_count + done.codes_count = total_codes_count THEN clock_timestamp() END,
        progressed_at = clock_timestamp()
    FROM done
    WHERE code_groups.id = done.group_id AND code_groups.status = 'processing'
    RETURNING status
    """
)


def finish(conn: Connection, claim: Claim) -> GroupStatus | None:
    """Counts the chunk's codes in and, if it was the last one, completes the group; returns the group's status.

    Belongs into the transaction that stored the codes. None where the claim is lost (the lease ran out and another took
    the chunk, or the group is over): the transaction must be rolled back then.
    """
    status = conn.execute(_FINISH, {"chunk_id": claim.chunk_id, "fence": claim.fence}).scalar_one_or_none()
    return None if status is None else GroupStatus(status)


_GIVE_BACK = text(
    """
    UPDATE chunks
    SET state = 'pending', sent_at = NULL, lease_until = NULL, attempts = attempts - CAST(:uncharged AS integer)
    WHERE id = :chunk_id AND fence = :fence AND state = 'running'
    """
)


def give_back(conn: Connection, claim: Claim, *, charged: bool) -> None:
    """Puts a claimed chunk back on the work list; unless `charged`, the attempt does not count."""
    conn.execute(_GIVE_BACK, {"chunk_id": claim.chunk_id, "fence": claim.fence, "uncharged": not charged})


# What a crash of the database lets forget here is sent again.
_TAKE_TURN = text(
    "SELECT pg_try_advisory_xact_lock(hashtext('mintage.admit')) AS taken, set_config('synchronous_commit', 'off', true)"
)
_ADMIT = text(
    """
    WITH RECURSIVE flying AS MATERIALIZED (
        SELECT access_key_id, count(*) AS chunks FROM (
            SELECT access_key_id FROM chunks WHERE state = 'pending' AND sent_at IS NOT NULL
            UNION ALL
            SELECT access_key_id FROM chunks WHERE state = 'running'
        ) AS either GROUP BY access_key_id
    ), keys AS (
        (SELECT access_key_id FROM chunks WHERE state = 'pending' AND sent_at IS NULL ORDER BY access_key_id LIMIT 1)
        UNION ALL
        SELECT (
            SELECT later.access_key_id FROM chunks AS later
            WHERE later.state = 'pending' AND later.sent_at IS NULL AND later.access_key_id > keys.access_key_id
            ORDER BY later.access_key_id LIMIT 1
        ) FROM keys WHERE keys.access_key_id IS NOT NULL
    ), turns AS MATERIALIZED (
        SELECT waiting.id, coalesce(flying.chunks, 0) + waiting.place AS turn
        FROM keys
        JOIN LATERAL (
            SELECT id, row_number() OVER (ORDER BY id) AS place FROM (
                SELECT id FROM chunks
                WHERE state = 'pending' AND sent_at IS NULL AND access_key_id = keys.access_key_id
                ORDER BY id LIMIT :window
            ) AS first_ones
        ) AS waiting ON true
        LEFT JOIN flying USING (access_key_id)
        ORDER BY turn, waiting.id
        LIMIT (SELECT greatest(0, :window - coalesce(sum(chunks), 0)) FROM flying)
    )
    UPDATE chunks SET sent_at = clock_timestamp(), sends = sends + 1
    FROM turns
    WHERE chunks.id = turns.id AND chunks.state = 'pending' AND chunks.sent_at IS NULL
    RETURNING chunks.id, chunks.group_id, turns.turn
    """
)


def admit(conn: Connection, window: int) -> list[Sent]:
    """Marks as sent as many waiting chunks as the window has room for, and returns them in the order to send them.

    API keys take turns: a key's next chunk comes after those of every key that has fewer under way. Where another
    dispatcher is just doing this, nothing is marked.
    """
    if not conn.execute(_TAKE_TURN).one().taken:
        return []
    rows = sorted(conn.execute(_ADMIT, {"window": window}), key=lambda row: (row.turn, row.id))
    return [Sent(row.id, row.group_id) for row in rows]


_WITHDRAW = text("UPDATE chunks SET sent_at = NULL, sends = sends - 1 WHERE id = ANY(:ids) AND state = 'pending'")


def withdraw(conn: Connection, chunk_ids: Sequence[int]) -> None:
    """Puts chunks back on the work list that could not be handed to the broker after all."""
    conn.execute(_WITHDRAW, {"ids": sorted(chunk_ids)})


def waiting(conn: Connection) -> bool:
    """Whether any chunk still waits for its turn."""
    return bool(conn.scalar(text("SELECT EXISTS (SELECT FROM chunks WHERE state = 'pending' AND sent_at IS NULL)")))


_RESEND = text(
    """
    UPDATE chunks SET sent_at = NULL
    WHERE id IN (
        SELECT id FROM chunks
        WHERE state = 'pending'
          AND sent_at < clock_timestamp() - make_interval(secs => :resend_seconds * power(2, least(greatest(sends, 1) - 1, 3)))
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
    """
)
_RECLAIM = text(
    """
    UPDATE chunks SET state = 'pending', sent_at = NULL, lease_until = NULL
    WHERE id IN (
        SELECT id FROM chunks
        WHERE state = 'running' AND lease_until < clock_timestamp() AND attempts < :max_attempts
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
    """
)
_EXHAUST = text(
    """
    WITH exhausted AS (
        UPDATE chunks SET state = 'failed', lease_until = NULL, finished_at = clock_timestamp()
        WHERE id IN (
            SELECT id FROM chunks
            WHERE attempts >= :max_attempts
              AND (state = 'pending' OR (state = 'running' AND lease_until < clock_timestamp()))
            ORDER BY id FOR UPDATE SKIP LOCKED
        )
        RETURNING group_id, attempts
    )
    UPDATE code_groups
    SET status = 'failed', finished_at = clock_timestamp(), error = :error
    WHERE id IN (SELECT group_id FROM exhausted) AND status IN ('pending', 'processing')
    RETURNING id
    """
)
_CLEAR = text(
    """
    DELETE FROM chunks USING code_groups
    WHERE chunks.state = 'pending' AND code_groups.id = chunks.group_id AND code_groups.status IN ('failed', 'cancelled')
    """
)


def take_back_lost(conn: Connection, *, resend_seconds: float) -> int:
    """Puts chunks back on the work list that were sent and not claimed in time; the time doubles with each sending, 3 times."""
    return _changed(conn, _RESEND, resend_seconds=resend_seconds)


def take_back_expired(conn: Connection, *, max_attempts: int) -> int:
    """Puts chunks back on the work list whose lease ran out before they were done."""
    return _changed(conn, _RECLAIM, max_attempts=max_attempts)


def fail_exhausted(conn: Connection, *, max_attempts: int, error: str) -> list[UUID]:
    """Ends chunks that were claimed `max_attempts` times in vain, and with them their groups, which are returned."""
    return list(conn.execute(_EXHAUST, {"max_attempts": max_attempts, "error": error}).scalars())


def clear_abandoned(conn: Connection) -> int:
    """Takes the waiting chunks of failed and cancelled groups off the work list."""
    return _changed(conn, _CLEAR)


def _changed(conn: Connection, statement: TextClause, **values: Any) -> int:
    return conn.execute(statement, values).rowcount
