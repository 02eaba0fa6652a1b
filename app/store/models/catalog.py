"""What codes can open, and for whom."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.items import ItemKind
from app.store.models.base import Base, CreatedAt, Identifier, one_of


class ClientRow(Base):
    """An organisation that codes are made for."""

    __tablename__ = "clients"

    id: Mapped[Identifier]
    name: Mapped[str]
    slug: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class CatalogItemRow(Base):
    """A course, learning path, bundle or license; an id is unique within its kind."""

    __tablename__ = "catalog_items"

    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[Identifier]
    name: Mapped[str]
    client_id: Mapped[UUID | None] = mapped_column(ForeignKey("clients.id"))
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]

    __table_args__ = (
        CheckConstraint(one_of("kind", ItemKind), name="kind"),
        CheckConstraint("kind = 'licenses' OR (client_id IS NULL AND NOT is_default)", name="license_fields"),
        Index("ix_catalog_items_client_id", "client_id", postgresql_where=text("client_id IS NOT NULL")),
    )
