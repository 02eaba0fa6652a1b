"""A group's progress, for those who watch it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from app.domain.access_keys import Principal
from app.domain.progress import Progress, measure
from app.services import groups
from app.store.queries import groups as queries


def current(conn: Connection, principal: Principal, group_id: UUID, *, worker_gone_seconds: float) -> Progress:
    """The group's progress now, from the same row that is polled. Raises NotFound."""
    group = groups.get(conn, principal, group_id)
    return measure(group, queries.pulse(conn, group_id, worker_gone_seconds=worker_gone_seconds))
