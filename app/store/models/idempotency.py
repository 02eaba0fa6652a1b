"""Requests that are carried out once, however often they are sent."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.store.models.base import Base, CreatedAt


class IdempotencyRow(Base):
    """The answer to a request that carried an Idempotency-Key, stored with what the request created."""

    __tablename__ = "idempotency_keys"

    access_key_id: Mapped[UUID] = mapped_column(ForeignKey("access_keys.id", ondelete="CASCADE"), primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    status: Mapped[int]
    location: Mapped[str | None]
    body: Mapped[bytes]
    created_at: Mapped[CreatedAt]

    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)
