"""Codes as lists and as files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection as DriverConnection
from psycopg import sql
from sqlalchemy import ColumnElement, Connection, DateTime, Integer, Row, Text, case, func, literal, literal_column, select

from app.domain.codes import Code, CodeStatus
from app.domain.groups import Group, UsageType
from app.domain.paging import Page, PageRequest
from app.store.models import CodeRow
from app.store.queries.paging import fetch_page

_OWN_USAGE = CodeRow.usage_type.is_not(None)
_NEVER: ColumnElement[datetime] = literal_column("'infinity'::timestamptz", DateTime(timezone=True))


def list_codes(
    conn: Connection,
    group: Group,
    page: PageRequest,
    *,
    status: CodeStatus | None,
    active: bool | None,
    query: str | None,
) -> Page[Code]:
    """One page of a group's codes in the order they were stored; `query` is the beginning of a code, in any case."""
    filters = [CodeRow.group_id == group.id]
    if status is not None:
        filters.append(CodeRow.redemptions_count > 0 if status is CodeStatus.USED else CodeRow.redemptions_count == 0)
    if active is not None:
        filters.append(CodeRow.active.is_(active))
    if query:
        filters.append(func.lower(CodeRow.code).startswith(query.lower(), autoescape=True))
    total = None if len(filters) > 1 else group.created_codes_count
    columns = (CodeRow.id, CodeRow.code, CodeRow.created_at, CodeRow.active, CodeRow.redemptions_count)
    usage = case((_OWN_USAGE, CodeRow.usage_type), else_=literal(group.usage_type, Text())).label("usage_type")
    limit = case((_OWN_USAGE, CodeRow.max_redemptions), else_=literal(group.max_redemptions, Integer())).label("max_redemptions")
    group_end = literal(group.expires_at, DateTime(timezone=True))
    end = func.nullif(func.coalesce(CodeRow.expires_at, group_end), _NEVER).label("expires_at")

    def build(row: Row[*tuple[Any, ...]]) -> Code:
        return Code(
            id=row.id,
            code=row.code,
            created_at=row.created_at,
            starts_at=group.starts_at,
            expires_at=row.expires_at,
            usage_type=UsageType(row.usage_type),
            max_redemptions=row.max_redemptions,
            active=row.active,
            redemptions_count=row.redemptions_count,
        )

    statement = select(*columns, usage, limit, end)
    return fetch_page(conn, statement, filters, {"createdAt": CodeRow.id}, CodeRow.id, page, build, total=total)


_BLOCK_BYTES = 64 * 1024

_EXPORT = sql.SQL(
    """
    COPY (
        SELECT to_char(codes.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "Created Date",
               codes.code AS "Code",
               to_char(nullif(coalesce(codes.expires_at, code_groups.expires_at), 'infinity') AT TIME ZONE 'UTC',
                       'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "Valid Till",
               coalesce(codes.usage_type, code_groups.usage_type) AS "Usage Type",
               CASE WHEN codes.active THEN 'Yes' ELSE 'No' END AS "Active",
               CASE WHEN codes.redemptions_count > 0 THEN 'Used' ELSE 'Unused' END AS "Status",
               '' AS "Redeemed By"
        FROM codes JOIN code_groups ON code_groups.id = codes.group_id
        WHERE codes.group_id = {group_id}
        ORDER BY codes.id
    ) TO STDOUT (FORMAT csv, HEADER true)
    """
)


def count_codes(conn: Connection, group_id: UUID) -> int:
    """How many codes of the group are stored, counted."""
    return conn.scalar(select(func.count()).select_from(CodeRow).where(CodeRow.group_id == group_id)) or 0


def count_unique(conn: Connection, group_id: UUID) -> tuple[int, int]:
    """How many codes of the group are stored, and how many different ones among them, whatever their case; counted."""
    different = func.count(func.lower(CodeRow.code).distinct())
    row = conn.execute(select(func.count(), different).where(CodeRow.group_id == group_id)).one()
    return row[0], row[1]


def sorted_codes(conn: Connection, group_id: UUID) -> Iterator[str]:
    """A group's codes in ascending byte order."""
    statement = select(CodeRow.code).where(CodeRow.group_id == group_id).order_by(CodeRow.code)
    yield from conn.execute(statement).scalars()


def copy_out(conn: Connection, group_id: UUID) -> Iterator[bytes]:
    """A group's codes as CSV with a header row, streamed by COPY in blocks of whole rows; in the order they were stored."""
    driver: DriverConnection = conn.connection.driver_connection  # type: ignore[assignment]  # psycopg is the only driver
    statement = _EXPORT.format(group_id=sql.Literal(group_id))
    pending = bytearray()
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in copy:
            pending += row
            if len(pending) >= _BLOCK_BYTES:
                yield bytes(pending)
                pending.clear()
    if pending:
        yield bytes(pending)
