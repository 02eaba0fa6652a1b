"""API keys: making, checking, ending."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from app.domain.access_keys import AccessKey, Principal, Scope, hash_key, new_key, public_id_of
from app.domain.generation import RandomBytes
from app.errors import NotFound, Unauthenticated, ValidationFailed
from app.store.queries import access_keys as queries
from app.store.queries import catalog


def create(
    conn: Connection,
    *,
    label: str,
    scopes: Iterable[Scope],
    secret: bytes,
    random_bytes: RandomBytes,
    client_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> tuple[AccessKey, str]:
    """Makes a key; returns what is stored of it and the key itself, which nobody can ever read again.

    Raises ValidationFailed for a blank label, no scope at all or an unknown client.
    """
    granted = frozenset(scopes)
    if not label.strip():
        raise ValidationFailed("An API key needs a label.", field="label")
    if not granted:
        raise ValidationFailed("An API key needs at least one scope.", field="scopes")
    if client_id is not None and not catalog.find_clients(conn, [client_id]):
        raise ValidationFailed(f"client {client_id} does not exist.", field="client")
    public_id, key = new_key(random_bytes)
    stored = queries.insert_key(
        conn,
        uuid7(),
        public_id,
        hash_key(key, secret),
        label=label.strip(),
        scopes=granted,
        client_id=client_id,
        expires_at=expires_at,
    )
    return stored, key


def authenticate(conn: Connection, key: str, *, secret: bytes) -> Principal:
    """Who `key` stands for, and notes its use. Raises Unauthenticated unless it is whole, known, live and unexpired."""
    public_id = public_id_of(key)
    found = queries.find_live(conn, public_id) if public_id else None
    if found is None or not hmac.compare_digest(found[1], hash_key(key, secret)):
        raise Unauthenticated
    queries.touch(conn, found[0].key_id)
    return found[0]


def list_all(conn: Connection) -> list[AccessKey]:
    """All keys ever made, newest first."""
    return queries.list_keys(conn)


def revoke(conn: Connection, public_id: str) -> AccessKey:
    """Ends the life of the key of that public id; repeating it changes nothing. Raises NotFound."""
    revoked = queries.revoke(conn, public_id)
    if revoked is None:
        raise NotFound(f"There is no API key {public_id}.")
    return revoked
