"""API keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, text, update

from app.domain.access_keys import AccessKey, Principal, Scope
from app.store.models import AccessKeyRow

_COLUMNS = (
    AccessKeyRow.id,
    AccessKeyRow.public_id,
    AccessKeyRow.label,
    AccessKeyRow.scopes,
    AccessKeyRow.client_id,
    AccessKeyRow.created_at,
    AccessKeyRow.expires_at,
    AccessKeyRow.revoked_at,
    AccessKeyRow.last_used_at,
)
_LIVE = text("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())")
_NOT_USED_LATELY = text("(last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')")


def insert_key(
    conn: Connection,
    key_id: UUID,
    public_id: str,
    key_hash: bytes,
    *,
    label: str,
    scopes: Iterable[Scope],
    client_id: UUID | None,
    expires_at: datetime | None,
) -> AccessKey:
    """Stores a new key and returns it."""
    statement = insert(AccessKeyRow).values(
        id=key_id,
        public_id=public_id,
        key_hash=key_hash,
        label=label,
        scopes=sorted(scopes),
        client_id=client_id,
        expires_at=expires_at,
    )
    return _access_key(conn.execute(statement.returning(*_COLUMNS)).one())


def find_live(conn: Connection, public_id: str) -> tuple[Principal, bytes] | None:
    """Who that public id stands for, and the hash the whole key must have; None if it is unknown, revoked or expired."""
    statement = select(AccessKeyRow.id, AccessKeyRow.scopes, AccessKeyRow.client_id, AccessKeyRow.key_hash).where(
        AccessKeyRow.public_id == public_id, _LIVE
    )
    row = conn.execute(statement).one_or_none()
    if row is None:
        return None
    return Principal(row.id, frozenset(map(Scope, row.scopes)), row.client_id), row.key_hash


def touch(conn: Connection, key_id: UUID) -> None:
    """Notes that the key was used, at most once a minute."""
    conn.execute(
        update(AccessKeyRow).where(AccessKeyRow.id == key_id, _NOT_USED_LATELY).values(last_used_at=func.clock_timestamp())
    )


def list_keys(conn: Connection) -> list[AccessKey]:
    """All keys ever made, newest first."""
    statement = select(*_COLUMNS).order_by(AccessKeyRow.created_at.desc(), AccessKeyRow.id.desc())
    return [_access_key(row) for row in conn.execute(statement)]


def revoke(conn: Connection, public_id: str) -> AccessKey | None:
    """Ends a key's life; a key revoked before keeps its moment. None if there is no such key."""
    statement = (
        update(AccessKeyRow)
        .where(AccessKeyRow.public_id == public_id)
        .values(revoked_at=func.coalesce(AccessKeyRow.revoked_at, func.clock_timestamp()))
        .returning(*_COLUMNS)
    )
    row = conn.execute(statement).one_or_none()
    return None if row is None else _access_key(row)


def _access_key(row: Row[*tuple[Any, ...]]) -> AccessKey:
    values = row._asdict()
    return AccessKey(**(values | {"scopes": frozenset(map(Scope, values["scopes"]))}))
