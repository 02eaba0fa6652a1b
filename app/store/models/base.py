"""What all tables share."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Text, func
from sqlalchemy.dialects.postgresql import UUID as PGUUID
from sqlalchemy.orm import DeclarativeBase, mapped_column

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Identifier = Annotated[UUID, mapped_column(PGUUID(as_uuid=True), primary_key=True)]


class Base(DeclarativeBase):
    """The declarative base; constraint names follow one pattern, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text(), datetime: DateTime(timezone=True)}  # noqa: RUF012  # SQLAlchemy's own interface


def one_of(column: str, values: type[StrEnum]) -> str:
    """The SQL of a check that `column` holds one of the enum's values."""
    return f"{column} IN ({', '.join(repr(member.value) for member in values)})"
