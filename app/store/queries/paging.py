"""Keyset paging, for every list alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.paging import Page, PageRequest, Position

T = TypeVar("T")


def contains(column: InstrumentedAttribute[str], query: str | None) -> list[ColumnElement[bool]]:
    """The filter that `column` contains `query`, whatever the case; none where there is no query."""
    return [column.icontains(query, autoescape=True)] if query else []


def fetch_page(
    conn: Connection,
    statement: Select[*tuple[Any, ...]],
    filters: Sequence[ColumnElement[bool]],
    orders: Mapping[str, Any],
    row_id: InstrumentedAttribute[Any],
    page: PageRequest,
    build: Callable[[Row[*tuple[Any, ...]]], T],
    *,
    total: int | None = None,
) -> Page[T]:
    """Runs `statement` with `filters` for one page, ordered as asked, and counts the whole list unless `total` is known.

    `orders` maps each sort name to its expression. One row more than the page is read, to know whether there is another.
    """
    order = orders[page.sort.name]
    key = tuple_(order, row_id)
    wanted = statement.add_columns(order.label("sort_value"), row_id.label("row_id")).where(*filters)
    if page.after is not None:
        after = tuple_(literal(page.after.value, order.type), literal(page.after.row_id, row_id.type))
        wanted = wanted.where(key < after if page.sort.descending else key > after)
    directions = [column.desc() if page.sort.descending else column.asc() for column in (order, row_id)]
    rows = conn.execute(wanted.order_by(*directions).limit(page.size + 1)).all()
    if total is None:
        total = conn.scalar(select(func.count()).select_from(row_id.class_).where(*filters)) or 0
    shown = rows[: page.size]
    end = Position(shown[-1].sort_value, shown[-1].row_id) if len(rows) > page.size else None
    return Page([build(row) for row in shown], total, end)
