"""Lists on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.api.schemas.base import QueryNumber, Schema
from app.domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page
from app.http import cursors


class PageQuery(Schema):
    """Which page of a list is wanted."""

    cursor = fields.String(
        load_default=None,
        metadata={"description": "pageInfo.cursor of the page before; absent, empty, `undefined` or `null` for the first page."},
    )
    page_size = QueryNumber(1, MAX_PAGE_SIZE, load_default=DEFAULT_PAGE_SIZE)


class SearchQuery(PageQuery):
    """Which page of a list that can be searched and sorted is wanted."""

    query = fields.String(load_default=None, metadata={"description": "A part of the name, in any case."})
    sort = fields.String(load_default=None, metadata={"description": "A field, followed by `:asc` or `:desc` if need be."})


class PageInfo(Schema):
    """Where a page stands in its list."""

    total = fields.Integer(required=True, metadata={"description": "Entries in the whole list, filters applied."})
    has_more = fields.Boolean(required=True)
    cursor = fields.String(required=True, allow_none=True, metadata={"description": "null on the last page."})


def page_answer(collection: str, page: Page[Any], sort: Any) -> dict[str, Any]:
    """A page as the list schemas dump it."""
    cursor = cursors.encode(sort, page.end)
    return {collection: page.rows, "page_info": {"total": page.total, "has_more": cursor is not None, "cursor": cursor}}
