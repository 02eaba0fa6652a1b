"""Lists in pages, by keyset: a page begins after a position, so that the last page costs what the first one does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from app.errors import ValidationFailed

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 500

T = TypeVar("T")
SortValue = str | datetime | int
RowKey = UUID | int


@dataclass(frozen=True, slots=True)
class Sort:
    """By what a list is ordered; the row's id decides between equals."""

    name: str
    descending: bool = False

    @classmethod
    def parse(cls, text: str | None, allowed: tuple[str, ...], default: Sort) -> Sort:
        """Reads `label`, `label:asc` or `label:desc`; nothing means `default`. Raises ValidationFailed otherwise."""
        if not text:
            return default
        name, _, direction = text.partition(":")
        if name not in allowed or direction not in {"", "asc", "desc"}:
            raise ValidationFailed(f"sort must be {' or '.join(allowed)}, followed by :asc or :desc if need be.", field="sort")
        return cls(name, direction == "desc")

    def __str__(self) -> str:
        return f"{self.name}:{'desc' if self.descending else 'asc'}"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the last row's sort value and id."""

    value: SortValue
    row_id: RowKey


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list is wanted."""

    sort: Sort
    size: int = DEFAULT_PAGE_SIZE
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list."""

    rows: list[T]
    total: int
    """Rows in the whole list, the filters applied."""
    end: Position | None
    """Where the next page begins; None on the last one."""
