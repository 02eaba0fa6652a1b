"""Groups of codes: accepting, finding, listing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from app.domain import strength
from app.domain.access_keys import Principal
from app.domain.alphabets import CodeSpace
from app.domain.groups import Group, NewGroup
from app.domain.items import ItemKind
from app.domain.paging import Page, PageRequest
from app.domain.planning import plan_chunks
from app.domain.states import GroupStatus
from app.domain.strength import Estimate, check_room, occupied
from app.errors import Forbidden, NotFound, ValidationFailed
from app.store.queries import catalog, chunks
from app.store.queries import groups as queries

ROOMY = 20_000_000_000
"""Code spaces from this size on are not counted: no instance issues the ten billion codes that would half fill one."""


def create(conn: Connection, principal: Principal, wanted: NewGroup, *, chunk_size: int) -> Group:
    """Accepts a group: stores it pending, with what it opens and its chunks on the work list; the commit wakes the dispatcher.

    Raises ValidationFailed in the order clients rely on: rules of the request, ids that do not exist, a code space without
    room. Raises Forbidden where a key bound to a client names another.
    """
    wanted.check()
    _check_client(principal, wanted)
    _check_references(conn, wanted)
    check_space(conn, wanted.space, wanted.total_codes_count)
    group_id = uuid7()
    queries.insert_group(conn, group_id, principal.key_id, wanted)
    chunks.insert_chunks(conn, group_id, principal.key_id, plan_chunks(wanted.total_codes_count, chunk_size))
    return get(conn, principal, group_id)


def get(conn: Connection, principal: Principal, group_id: UUID) -> Group:
    """The group as it stands. Raises NotFound, also for a group that the key may not see."""
    group = queries.find_group(conn, group_id, client_id=principal.client_id)
    if group is None:
        raise NotFound(f"There is no redemption code group {group_id}.")
    return group


def list_page(
    conn: Connection, principal: Principal, page: PageRequest, *, query: str | None, statuses: Sequence[GroupStatus]
) -> Page[Group]:
    """One page of the groups that the key may see."""
    return queries.list_groups(conn, page, query=query, statuses=statuses, client_id=principal.client_id)


def estimate(conn: Connection, space: CodeSpace, asked: int) -> Estimate:
    """How strong `asked` codes of a space would be, beside those that are issued there."""
    taken_in = partial(_taken, conn)
    return strength.estimate(space, asked, taken_in(space), taken_in=taken_in)


def check_space(conn: Connection, space: CodeSpace, asked: int) -> None:
    """Refuses to issue what would leave too little room; in small spaces acceptances take turns, so that the count holds.

    Raises ValidationFailed with the numbers.
    """
    if space.capacity >= ROOMY:
        return
    queries.lock_space(conn, space.length)
    taken_in = partial(_taken, conn)
    check_room(space, asked, taken_in(space), taken_in=taken_in)


def _taken(conn: Connection, space: CodeSpace) -> int:
    return occupied(space, queries.issued_codes(conn, space.length))


def _check_client(principal: Principal, wanted: NewGroup) -> None:
    if principal.client_id is not None and wanted.client_id != principal.client_id:
        raise Forbidden(f"This API key may create groups only for its own client: client must be {principal.client_id}.")


def _check_references(conn: Connection, wanted: NewGroup) -> None:
    """Refuses ids that do not exist, and licenses of another client than the group's."""
    if wanted.client_id is not None and not catalog.find_clients(conn, [wanted.client_id]):
        raise ValidationFailed(f"client {wanted.client_id} does not exist.", field="client")
    asked = [(kind, item_id) for kind, ids in wanted.items.items() for item_id in ids]
    found = catalog.find_items(conn, asked)
    for kind, item_id in asked:
        if (kind, item_id) not in found:
            raise ValidationFailed(f"{kind.value} names {item_id}, which does not exist.", field=kind.value)
        owner = found[kind, item_id].client_id
        if kind is ItemKind.LICENSE and wanted.client_id is not None and owner != wanted.client_id:
            raise ValidationFailed(
                f"licenses names {item_id}, which does not belong to client {wanted.client_id}.", field=kind.value
            )
