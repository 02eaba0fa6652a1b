"""What answers of the API look like, and what is behind them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain.groups import Group
from app.runtime import Runtime
from app.services import issuance
from tests.builders import an_accepted_group

NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has."""
DOCUMENTED_KEYS = (
    "id", "label", "redeemedCodesCount", "totalCodesCount", "expirationDate", "accessDays", "accessExpirationDate", "uploaded",
    "gift", "client", "courses", "learningPaths", "bundles", "licenses",
)  # fmt: skip
OUR_KEYS = (
    "status", "createdCodesCount", "progress", "codeLength", "alphabet", "prefix", "customName", "usageType", "maxRedemptions",
    "startDate", "timeZone", "error", "createdAt", "startedAt", "finishedAt",
)  # fmt: skip
HARDENED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def refusal(response: Any, status: int) -> str:
    """The one sentence of an error answer, after a look at its form."""
    assert (response.status_code, response.content_type) == (status, "application/json")
    assert list(response.json) == ["errors"]
    (sentence,) = response.json["errors"]
    assert isinstance(sentence, str)
    assert sentence.endswith(".")
    return sentence


def assert_unauthenticated(response: Any) -> None:
    """401 with nothing in it but how to do it right."""
    assert (response.status_code, response.get_data()) == (401, b"")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "Content-Type" not in response.headers


def count(runtime: Runtime, table: str) -> int:
    """How many rows a table has."""
    with runtime.reading() as conn:
        return int(conn.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def change(runtime: Runtime, statement: str, **values: Any) -> None:
    """Changes the database behind the API's back."""
    with runtime.transaction() as conn:
        conn.execute(text(statement), values)


def stored_codes(runtime: Runtime, group_id: UUID | str) -> list[str]:
    """A group's codes in the order they were stored."""
    with runtime.reading() as conn:
        statement = text("SELECT code FROM codes WHERE group_id = :id ORDER BY id")
        return list(conn.execute(statement, {"id": group_id}).scalars())


def groups_to_be_made(runtime: Runtime) -> list[UUID]:
    """The groups that a worker would find work for."""
    with runtime.reading() as conn:
        return list(conn.execute(text("SELECT DISTINCT group_id FROM chunks WHERE state = 'pending'")).scalars())


def make_next_chunk(runtime: Runtime, group_id: UUID | str) -> bool:
    """Makes one of a group's chunks as a worker would; False where none is left."""
    with runtime.reading() as conn:
        statement = text("SELECT id FROM chunks WHERE group_id = :id AND state = 'pending' ORDER BY id LIMIT 1")
        chunk_id = conn.scalar(statement, {"id": group_id})
    if chunk_id is None:
        return False
    issuance.make_chunk(runtime.issuance("test"), chunk_id)
    return True


def a_finished_group(runtime: Runtime, **fields: Any) -> Group:
    """A group whose codes are all made."""
    group = an_accepted_group(runtime, **fields)
    while make_next_chunk(runtime, group.id):
        pass
    return group
