"""The Idempotency-Key header, for every POST that creates something."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress

import orjson
from flask import Response, request
from sqlalchemy import Connection

from app.domain.idempotency import Answer, Once
from app.errors import ValidationFailed
from app.http.auth import principal
from app.http.context import runtime
from app.services import idempotency
from app.services.idempotency import MAX_KEY

HEADER = "Idempotency-Key"
PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    "description": "The same key with the same request creates once and answers the same; remembered for 24 hours.",
}


def carried_out_once(create: Callable[[Connection], Response]) -> Response:
    """Runs `create` in a transaction, or answers as before where the request's Idempotency-Key was seen with it.

    The answer is stored in the same transaction as what was created. An error stores nothing, so that the request may be
    sent again under the same key.
    """
    once = _once()
    with runtime().transaction() as conn:
        if once is None:
            return create(conn)
        earlier = idempotency.earlier_answer(conn, once)
        if earlier is not None:
            return _replayed(earlier)
        response = create(conn)
        idempotency.remember(conn, once, Answer(response.status_code, response.location, response.get_data()))
        return response


def _once() -> Once | None:
    """The request as one to be carried out once; None where it carries no key."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise ValidationFailed(f"{HEADER} must be text of 1 to {MAX_KEY} printable characters.", field=HEADER)
    return Once(principal().key_id, f"{request.method} {request.path}", key, _fingerprint())


def _fingerprint() -> bytes:
    """The same for the same JSON, however its keys are ordered and spaced."""
    body = request.get_data()
    with suppress(orjson.JSONDecodeError):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(body).digest()


def _replayed(answer: Answer) -> Response:
    response = Response(answer.body, status=answer.status, content_type="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    if answer.location:
        response.headers["Location"] = answer.location
    return response
