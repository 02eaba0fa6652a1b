"""Requests that are carried out once, however often they are sent."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is to be carried out once."""

    access_key_id: UUID
    route: str
    key: str
    fingerprint: bytes
    """Of what was asked; the same for the same request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What such a request was answered."""

    status: int
    location: str | None
    body: bytes
