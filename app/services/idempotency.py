"""Carrying a request out once, however often it is sent (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

from sqlalchemy import Connection

from app.domain.idempotency import Answer, Once
from app.errors import StillBeingAccepted, ValidationFailed
from app.store.queries import idempotency as queries

MAX_KEY = 255


def earlier_answer(conn: Connection, once: Once) -> Answer | None:
    """The answer given before to the same request; None where it is new, and then held until the transaction ends.

    Raises StillBeingAccepted while the same key is being worked on, and ValidationFailed where it came with another request.
    """
    if not queries.lock(conn, once):
        raise StillBeingAccepted
    found = queries.find(conn, once)
    if found is None:
        return None
    fingerprint, answer = found
    if fingerprint != once.fingerprint:
        raise ValidationFailed("This Idempotency-Key was used before with another request.", field="Idempotency-Key")
    return answer


def remember(conn: Connection, once: Once, answer: Answer) -> None:
    """Remembers the answer for 24 hours; in the transaction that did what was asked."""
    queries.remember(conn, once, answer)
