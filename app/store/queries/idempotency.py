"""Answers to requests that carry an Idempotency-Key."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.domain.idempotency import Answer, Once

_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_FIND = text(
    """
    SELECT fingerprint, status, location, body FROM idempotency_keys
    WHERE access_key_id = :access_key_id AND route = :route AND key = :key
      AND created_at > clock_timestamp() - interval '24 hours'
    """
)
_REMEMBER = text(
    """
    INSERT INTO idempotency_keys (access_key_id, route, key, fingerprint, status, location, body)
    VALUES (:access_key_id, :route, :key, :fingerprint, :status, :location, :body)
    ON CONFLICT (access_key_id, route, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, status = excluded.status, location = excluded.location, body = excluded.body,
        created_at = excluded.created_at
    """
)
_FORGET = text("DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - interval '24 hours'")


def lock(conn: Connection, once: Once) -> bool:
    """Holds the key until the end of the transaction; False where another transaction holds it."""
    return bool(conn.scalar(_LOCK, {"name": f"{once.access_key_id} {once.route} {once.key}"}))


def find(conn: Connection, once: Once) -> tuple[bytes, Answer] | None:
    """The fingerprint and the answer remembered under the key within the last 24 hours."""
    row = conn.execute(_FIND, _name(once)).one_or_none()
    return None if row is None else (bytes(row.fingerprint), Answer(row.status, row.location, bytes(row.body)))


def remember(conn: Connection, once: Once, answer: Answer) -> None:
    """Stores an answer, in the place of a forgotten one; it is there exactly if what the request did is."""
    values = {"fingerprint": once.fingerprint, "status": answer.status, "location": answer.location, "body": answer.body}
    conn.execute(_REMEMBER, _name(once) | values)


def forget_old(conn: Connection) -> int:
    """Deletes answers older than 24 hours; returns how many."""
    return conn.execute(_FORGET).rowcount


def _name(once: Once) -> dict[str, object]:
    return {"access_key_id": once.access_key_id, "route": once.route, "key": once.key}
