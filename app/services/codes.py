"""Codes of a group: lists and exports."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection

from app.domain.access_keys import Principal
from app.domain.codes import Code, CodeStatus
from app.domain.groups import Group
from app.domain.paging import Page, PageRequest
from app.services import groups
from app.store.queries import codes as queries


def list_page(
    conn: Connection,
    principal: Principal,
    group_id: UUID,
    page: PageRequest,
    *,
    status: CodeStatus | None,
    active: bool | None,
    query: str | None,
) -> Page[Code]:
    """One page of a group's codes. Raises NotFound for the group."""
    group = groups.get(conn, principal, group_id)
    return queries.list_codes(conn, group, page, status=status, active=active, query=query)


def export(conn: Connection, principal: Principal, group_id: UUID) -> tuple[Group, int, Iterator[bytes]]:
    """A group's codes as a CSV file with a header row: the group, the number of codes and the file's blocks.

    Number and file agree only where the connection's transaction sees one snapshot. Raises NotFound for the group.
    """
    group = groups.get(conn, principal, group_id)
    return group, queries.count_codes(conn, group_id), queries.copy_out(conn, group_id)
