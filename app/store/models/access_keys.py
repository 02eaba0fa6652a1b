"""API keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.store.models.base import Base, CreatedAt, Identifier


class AccessKeyRow(Base):
    """An API key: its public id and the keyed hash of the whole; never the key itself."""

    __tablename__ = "access_keys"

    id: Mapped[Identifier]
    public_id: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[bytes]
    label: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    client_id: Mapped[UUID | None] = mapped_column(ForeignKey("clients.id"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
