"""The codes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.groups import UsageType
from app.store.models.base import Base, CreatedAt, one_of


class CodeRow(Base):
    """One code.

    Usage and end are the group's unless the code has its own: `usage_type` set makes `max_redemptions` the code's own as
    well (NULL: no limit), `expires_at` set replaces the group's end ('infinity': none). There is no foreign key to the
    group: it would cost a look-up for every row of a bulk insert, and a chunk's transaction locks its group's row anyway.
    """

    __tablename__ = "codes"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(always=False), primary_key=True)
    group_id: Mapped[UUID]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    max_redemptions: Mapped[int | None]
    redemptions_count: Mapped[int] = mapped_column(server_default=text("0"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    code: Mapped[str] = mapped_column(Text(collation="C"))
    usage_type: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(one_of("usage_type", UsageType), name="usage_type"),
        CheckConstraint("redemptions_count >= 0", name="redemptions_count"),
        # The truth about uniqueness, in the whole instance and whatever the case.
        Index("uq_codes_lower_code", text("lower(code)"), unique=True),
        Index("ix_codes_group_id_id", "group_id", "id"),
    )
