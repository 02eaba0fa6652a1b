"""Positions in a list as opaque text."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

import orjson

from app.domain.paging import PageRequest, Position, RowKey, Sort, SortValue
from app.errors import MalformedRequest

NO_CURSOR = frozenset({"", "undefined", "null"})
"""What clients send when they mean the first page."""


def encode(sort: Sort, position: Position | None) -> str | None:
    """The cursor of the page that begins after `position`; None where there is none."""
    if position is None:
        return None
    packed = orjson.dumps([str(sort), *_pack(position.value), *_pack(position.row_id)])
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(cursor: str | None, sort: Sort, value: type[SortValue], row: type[RowKey] = UUID) -> Position | None:
    """The position in a cursor of a list that is ordered by a `value` and whose rows are named by a `row`; None for page one.

    Raises MalformedRequest for text that is no cursor, and for a cursor of another list or of another order.
    """
    if cursor is None or cursor in NO_CURSOR:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        name, value_kind, packed, id_kind, packed_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = Position(_unpack(value_kind, packed), _unpack_id(id_kind, packed_id))
    except (ValueError, TypeError, KeyError, OverflowError, binascii.Error):
        raise MalformedRequest("cursor is not one that this service gave out.") from None
    if name != str(sort) or type(position.value) is not value or type(position.row_id) is not row:
        raise MalformedRequest("cursor belongs to a list with another sort; begin again without a cursor.")
    return position


def page_request(cursor: str | None, size: int, sort: Sort, value: type[SortValue], row: type[RowKey] = UUID) -> PageRequest:
    """Which page a request asks for, of a list that is ordered by a `value` and whose rows are named by a `row`."""
    return PageRequest(sort, size, decode(cursor, sort, value, row))


def _pack(value: SortValue | UUID) -> tuple[str, str | int]:
    if isinstance(value, datetime):
        return "t", value.isoformat()
    if isinstance(value, UUID):
        return "u", str(value)
    return ("i", value) if isinstance(value, int) else ("s", value)


def _unpack(kind: str, value: object) -> SortValue:
    if kind == "t":
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    if kind == "i" and isinstance(value, int) and abs(value) < 2**63:
        return value
    if kind == "s" and isinstance(value, str) and "\0" not in value:
        return value
    raise ValueError(kind)


def _unpack_id(kind: str, value: object) -> RowKey:
    if kind == "u":
        return UUID(str(value))
    if kind == "i" and isinstance(value, int) and abs(value) < 2**63:
        return value
    raise ValueError(kind)
