"""The codes of a group: list and export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask import Response

from app.api.blueprint import Blueprint
from app.api.schemas.codes import CodesQuery, CodesSchema
from app.api.schemas.paging import page_answer
from app.domain.access_keys import Scope
from app.domain.codes import CodeStatus
from app.domain.paging import Sort
from app.http.auth import principal, requires
from app.http.context import runtime
from app.http.cursors import page_request
from app.http.queries import choices, searchable
from app.services import codes

blueprint = Blueprint("codes", __name__, description="The codes of a group")

_AS_STORED = Sort("createdAt")
_COUNT = {"X-Codes-Count": {"description": "Codes in the file.", "schema": {"type": "integer"}}}


class _Activity(StrEnum):
    ACTIVE = "true"
    INACTIVE = "false"


@blueprint.route("/redemptionCodes/<uuid:group_id>/codes", methods=["GET"])
@requires(Scope.CODES_READ)
@blueprint.arguments(CodesQuery, location="query")
@blueprint.response(200, CodesSchema)
@blueprint.alt_response(404, description="No such group.")
def list_codes(query: dict[str, Any], group_id: UUID) -> dict[str, Any]:
    """List a group's codes in the order they were stored."""
    page = page_request(query["cursor"], query["page_size"], _AS_STORED, int, int)
    statuses = choices(query["status"], CodeStatus, "status")
    activity = choices(query["active"], _Activity, "active")
    with runtime().reading() as conn:
        found = codes.list_page(
            conn,
            principal(),
            group_id,
            page,
            status=statuses[0] if len(statuses) == 1 else None,
            active=activity[0] is _Activity.ACTIVE if len(activity) == 1 else None,
            query=searchable(query["query"]),
        )
    return page_answer("codes", found, _AS_STORED)


@blueprint.route("/redemptionCodes/<uuid:group_id>/codes/export", methods=["GET"])
@requires(Scope.CODES_READ)
@blueprint.response(200, {"type": "string"}, content_type="text/csv", description="The whole group.", headers=_COUNT)
@blueprint.alt_response(404, description="No such group.")
def export_codes(group_id: UUID) -> Response:
    """Download a group's codes as CSV, streamed."""
    stack = ExitStack()
    with stack:
        conn = stack.enter_context(runtime().snapshot())
        group, count, blocks = codes.export(conn, principal(), group_id)
        opened = stack.pop_all()
    response = Response(_closing(opened, blocks), content_type="text/csv; charset=utf-8")
    response.call_on_close(opened.close)
    response.headers["X-Codes-Count"] = str(count)
    response.headers["Content-Disposition"] = f'attachment; filename="codes-{group.id}.csv"'
    return response


def _closing(opened: ExitStack, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks; the connection goes back after the last one, or when the client is gone."""
    with opened:
        yield from blocks
