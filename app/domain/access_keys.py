"""API keys: how they look, and what they allow.

A key is `mk_live_<id>_<secret><check>`: 16 characters that name it, 43 that prove it (256 bits), and 6 that let a typing
error or a secret scanner be answered without asking the database (a CRC-32, as GitHub's tokens carry).
"""

from __future__ import annotations

import hmac
import re
from binascii import crc32
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.domain.generation import RandomBytes

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(r"mk_live_([0-9A-Za-z]{16})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})", re.ASCII)


class Scope(StrEnum):
    """One thing a key may do."""

    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    CODES_READ = "codes:read"
    CODES_WRITE = "codes:write"
    REDEEM = "redeem"
    CATALOG_WRITE = "catalog:write"
    ADMIN = "admin"
    """Everything."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking."""

    key_id: UUID
    scopes: frozenset[Scope]
    client_id: UUID | None = None
    """Where set, only this client's groups exist for the key."""

    def may(self, *scopes: Scope) -> bool:
        """Whether the key carries one of these scopes, or the admin's."""
        return not self.scopes.isdisjoint({*scopes, Scope.ADMIN})


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An API key as it is stored: without its secret."""

    id: UUID
    public_id: str
    label: str
    scopes: frozenset[Scope]
    client_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def new_key(random_bytes: RandomBytes) -> tuple[str, str]:
    """Makes a key; returns its public id and the whole key, which is to be shown once and stored nowhere."""
    public_id, secret = _base62(random_bytes(16), 16), _base62(random_bytes(32), 43)
    stem = f"mk_live_{public_id}_{secret}"
    return public_id, stem + _checksum(stem)


def public_id_of(key: str) -> str | None:
    """The public id in a well-formed key; None for any text that was never a key."""
    match = _KEY.fullmatch(key)
    if match is None or not hmac.compare_digest(_checksum(key[:-6]), match[3]):
        return None
    return match[1]


def hash_key(key: str, secret: bytes) -> bytes:
    """The keyed hash (HMAC-SHA-256) under which a key is stored; useless without the service's `secret`."""
    pepper = hmac.digest(secret, b"mintage: API keys", "sha256")
    return hmac.digest(pepper, key.encode(), "sha256")


def _checksum(text: str) -> str:
    return _base62(crc32(text.encode()).to_bytes(4, "big"), 6)


def _base62(data: bytes, length: int) -> str:
    """`data` as a number in base 62, its last `length` digits, zero-padded."""
    number, digits = int.from_bytes(data, "big"), []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
