"""Groups of codes, what they open, and the chunks they are made in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.alphabets import Alphabet
from app.domain.groups import UsageType
from app.domain.states import ChunkState, GroupStatus
from app.store.models.base import Base, CreatedAt, Identifier, one_of


class GroupRow(Base):
    """A group of codes; the one place its progress is kept."""

    __tablename__ = "code_groups"

    id: Mapped[Identifier]
    access_key_id: Mapped[UUID] = mapped_column(ForeignKey("access_keys.id"))
    client_id: Mapped[UUID | None] = mapped_column(ForeignKey("clients.id"))
    label: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=GroupStatus.PENDING.value)
    error: Mapped[str | None]
    total_codes_count: Mapped[int]
    created_codes_count: Mapped[int] = mapped_column(server_default=text("0"))
    redeemed_codes_count: Mapped[int] = mapped_column(server_default=text("0"))
    code_length: Mapped[int | None]
    alphabet: Mapped[str | None]
    prefix: Mapped[str | None]
    custom_name: Mapped[str | None]
    usage_type: Mapped[str]
    max_redemptions: Mapped[int | None]
    starts_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    access_days: Mapped[int | None]
    access_expires_at: Mapped[datetime | None]
    time_zone: Mapped[str]
    uploaded: Mapped[bool] = mapped_column(server_default=text("false"))
    gift: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    progressed_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(one_of("status", GroupStatus), name="status"),
        CheckConstraint(one_of("alphabet", Alphabet), name="alphabet"),
        CheckConstraint(one_of("usage_type", UsageType), name="usage_type"),
        CheckConstraint("created_codes_count BETWEEN 0 AND total_codes_count", name="created_codes_count"),
        CheckConstraint("status <> 'completed' OR created_codes_count = total_codes_count", name="completed_is_whole"),
        CheckConstraint("access_days IS NULL OR access_expires_at IS NULL", name="one_access_end"),
        Index("ix_code_groups_created_at_id", "created_at", "id"),
        Index("ix_code_groups_lower_label_id", text("lower(label)"), "id"),
        Index("ix_code_groups_client_id_created_at_id", "client_id", "created_at", "id"),
        # Answers how many codes a code space holds without touching the table.
        Index("ix_code_groups_space", "code_length", postgresql_include=["prefix", "alphabet", "total_codes_count"]),
        # The groups that are being made: few, however many were ever made.
        Index("ix_code_groups_unfinished", "created_at", postgresql_where=text("status IN ('pending', 'processing')")),
    )


class GroupItemRow(Base):
    """One thing that the codes of a group open."""

    __tablename__ = "group_items"

    group_id: Mapped[UUID] = mapped_column(ForeignKey("code_groups.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text(), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]

    __table_args__ = (
        ForeignKeyConstraint(["kind", "item_id"], ["catalog_items.kind", "catalog_items.id"]),
        Index("ix_group_items_kind_item_id", "kind", "item_id"),
    )


class ChunkRow(Base):
    """A part of a group that one job makes; the pending rows are the work list."""

    __tablename__ = "chunks"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(always=True), primary_key=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("code_groups.id", ondelete="CASCADE"))
    access_key_id: Mapped[UUID]
    position: Mapped[int]
    codes_count: Mapped[int]
    state: Mapped[str] = mapped_column(server_default=ChunkState.PENDING.value)
    sent_at: Mapped[datetime | None]
    sends: Mapped[int] = mapped_column(server_default=text("0"))
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(one_of("state", ChunkState), name="state"),
        CheckConstraint("codes_count > 0", name="codes_count"),
        UniqueConstraint("group_id", "position"),
        # The work list, in the order each key's chunks take their turns.
        Index("ix_chunks_to_send", "access_key_id", "id", postgresql_where=text("state = 'pending' AND sent_at IS NULL")),
        Index("ix_chunks_sent", "sent_at", postgresql_where=text("state = 'pending' AND sent_at IS NOT NULL")),
        Index("ix_chunks_running", "lease_until", postgresql_where=text("state = 'running'")),
    )
