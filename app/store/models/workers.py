"""The workers that are there."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.store.models.base import Base, CreatedAt, Moment


class WorkerRow(Base):
    """A running worker, as it last reported itself."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    queues: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    concurrency: Mapped[int]
    chunks_done: Mapped[int] = mapped_column(BigInteger(), server_default=text("0"))
    started_at: Mapped[CreatedAt]
    seen_at: Mapped[Moment]
