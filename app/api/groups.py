"""Redemption code groups: accept, list, poll."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request, url_for
from werkzeug.http import parse_dict_header

from app.api.blueprint import Blueprint
from app.api.schemas.groups import GroupSchema, GroupsQuery, GroupsSchema, NewGroupSchema
from app.api.schemas.paging import page_answer
from app.domain.access_keys import Scope
from app.domain.groups import Group, NewGroup
from app.domain.paging import Sort
from app.domain.states import GroupStatus
from app.http import idempotency
from app.http.auth import principal, requires
from app.http.context import runtime
from app.http.cursors import page_request
from app.http.queries import choices, searchable
from app.http.waiting import waiting_room
from app.services import groups

blueprint = Blueprint("groups", __name__, description="Groups of redemption codes")

MAX_WAIT_SECONDS = 30
_SCHEMA = GroupSchema()
_SORTS: dict[str, type[str | datetime]] = {"label": str, "createdAt": datetime}
_NEWEST_FIRST = Sort("createdAt", descending=True)
_POLL = {"Retry-After": {"description": "Seconds to the next poll; only while not terminal.", "schema": {"type": "integer"}}}
ACCEPTED_HEADERS = _POLL | {"Location": {"description": "Where to poll the group.", "schema": {"type": "string"}}}
_PREFER = {
    "in": "header",
    "name": "Prefer",
    "schema": {"type": "string"},
    "description": f"`wait=N` waits up to N seconds, at most {MAX_WAIT_SECONDS}, for the finished group (RFC 7240).",
}


@blueprint.route("/redemptionCodes", methods=["POST"])
@requires(Scope.GROUPS_WRITE)
@blueprint.doc(parameters=[_PREFER, idempotency.PARAMETER])
@blueprint.arguments(NewGroupSchema())
@blueprint.response(202, GroupSchema, description="Accepted; the codes are being made.", headers=ACCEPTED_HEADERS)
@blueprint.alt_response(
    201, schema=GroupSchema, description="Finished within the time waited.", headers=ACCEPTED_HEADERS, success=True
)
@blueprint.alt_response(409, description="A request with this Idempotency-Key is still being accepted.")
def create_group(wanted: NewGroup) -> Response:
    """Make a group of codes.

    Answers at once, before any code exists; poll the group at Location until it is completed.
    """
    chunk_size = runtime().settings.chunk_size
    answer = idempotency.carried_out_once(lambda conn: accepted(groups.create(conn, principal(), wanted, chunk_size=chunk_size)))
    return _after_waiting(answer)


@blueprint.route("/redemptionCodes", methods=["GET"])
@requires(Scope.GROUPS_READ)
@blueprint.arguments(GroupsQuery, location="query")
@blueprint.response(200, GroupsSchema)
def list_groups(query: dict[str, Any]) -> dict[str, Any]:
    """List groups, newest first unless sorted otherwise."""
    sort = Sort.parse(query["sort"], tuple(_SORTS), _NEWEST_FIRST)
    page = page_request(query["cursor"], query["page_size"], sort, _SORTS[sort.name])
    statuses = choices(query["status"], GroupStatus, "status")
    with runtime().reading() as conn:
        found = groups.list_page(conn, principal(), page, query=searchable(query["query"]), statuses=statuses)
    return page_answer("redemption_codes", found, sort)


@blueprint.route("/redemptionCodes/<uuid:group_id>", methods=["GET"])
@requires(Scope.GROUPS_READ)
@blueprint.response(200, GroupSchema, headers=_POLL | {"ETag": {"schema": {"type": "string"}}})
@blueprint.alt_response(304, description="Nothing has changed since the ETag in If-None-Match.", success=True)
@blueprint.alt_response(404, schema=None, description="No such group.")
def get_group(group_id: UUID) -> Response:
    """Poll one group."""
    with runtime().reading() as conn:
        group = groups.get(conn, principal(), group_id)
    response = _answer(group, 200)
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def _answer(group: Group, status: int) -> Response:
    """The group as an answer; `Retry-After` tells when to poll again, as long as there is something to wait for."""
    response = jsonify(_SCHEMA.dump(group))
    response.status_code = status
    if not group.status.is_terminal:
        response.headers["Retry-After"] = "1"
    return response


def accepted(group: Group) -> Response:
    """202 with the group and where to poll it."""
    response = _answer(group, 202)
    response.headers["Location"] = url_for("groups.get_group", group_id=group.id)
    return response


def _after_waiting(accepted: Response) -> Response:
    """The answer 201 with the finished group, where the client would wait and it finished in time; else as accepted."""
    seconds = _preferred_wait()
    with waiting_room(seconds) as admitted:
        if not admitted:
            return accepted
        group = runtime().wait_for_group(principal(), UUID(accepted.get_json()["id"]), admitted)
    response = _answer(group, 201 if group.status is GroupStatus.COMPLETED else 202)
    for name in ("Location", "Idempotency-Replayed"):
        if name in accepted.headers:
            response.headers[name] = accepted.headers[name]
    response.headers["Preference-Applied"] = f"wait={seconds}"
    return response


def _preferred_wait() -> int:
    """Seconds that the client would like to wait; 0 where it did not say, or not in the form of RFC 7240."""
    wait = parse_dict_header(request.headers.get("Prefer", "")).get("wait")
    # By way of float, which reads any number of digits; int refuses thousands of them.
    return int(min(float(wait), MAX_WAIT_SECONDS)) if wait and wait.isascii() and wait.isdigit() else 0
