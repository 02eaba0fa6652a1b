"""A group's progress, pushed: server-sent events until the group is terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import orjson
from flask import Response

from app.api.blueprint import Blueprint
from app.api.schemas.progress import ProgressSchema
from app.domain.access_keys import Principal, Scope
from app.domain.progress import Progress
from app.errors import MintageError
from app.http.auth import principal, requires
from app.http.context import runtime
from app.http.waiting import leave_seat, take_seat
from app.runtime import Runtime

blueprint = Blueprint("events", __name__, description="A group's progress, pushed")

LOOK_SECONDS = 0.2
COMMENT_SECONDS = 10.0
"""How often a quiet stream says that it is alive; the time also in which a client that is gone is noticed."""
LONGEST_SECONDS = 600.0
"""After this a stream ends, and the client's EventSource opens it anew."""

_SCHEMA = ProgressSchema()
_STREAM = {"type": "string", "description": "Events named `progress`; the data of each is a Progress object."}


@blueprint.route("/redemptionCodes/<uuid:group_id>/events", methods=["GET"])
@requires(Scope.GROUPS_READ)
@blueprint.response(200, _STREAM, content_type="text/event-stream", description="Until the group is terminal.")
@blueprint.alt_response(404, description="No such group.")
def watch_group(group_id: UUID) -> Response:
    """Watch a group: an event at once, and one after every change, until it is completed, failed or cancelled."""
    watcher, own_runtime = principal(), runtime()
    first = own_runtime.progress(watcher, group_id)
    take_seat()
    response = Response(_events(own_runtime, watcher, group_id, first), content_type="text/event-stream; charset=utf-8")
    response.call_on_close(leave_seat)
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _events(own_runtime: Runtime, watcher: Principal, group_id: UUID, first: Progress) -> Iterator[bytes]:
    """The stream: every change of the group's row, and a comment now and then in between."""
    shown, told, until = first, time.monotonic(), time.monotonic() + LONGEST_SECONDS
    yield b"retry: 1000\n\n" + _event(shown)
    while not shown.status.is_terminal and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        try:
            now = own_runtime.progress(watcher, group_id)
        except MintageError:
            return  # the store is away or the group is gone: the client asks again and gets the answer of a request
        if _news(now, shown):
            shown, told = now, time.monotonic()
            yield _event(shown)
        elif time.monotonic() - told > COMMENT_SECONDS:
            told = time.monotonic()
            yield b": still here\n\n"


def _news(now: Progress, shown: Progress) -> bool:
    return (now.status, now.created_codes_count, now.stalled) != (shown.status, shown.created_codes_count, shown.stalled)


def _event(progress: Progress) -> bytes:
    return b"event: progress\ndata: " + orjson.dumps(_SCHEMA.dump(progress)) + b"\n\n"
