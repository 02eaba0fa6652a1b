"""What happens to a group after it was accepted: cancel, resume, add codes, delete.

Every move is one conditional UPDATE, so that of two that come at once one is made and the other is refused. All of them
lock a group's chunks before the group, as the workers do.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from app.domain.access_keys import Principal
from app.domain.alphabets import CodeSpace
from app.domain.groups import MAX_CODES, Group
from app.domain.planning import plan_chunks
from app.domain.states import EXTENDABLE, RESUMABLE, UNFINISHED, GroupStatus
from app.errors import Conflict, ValidationFailed
from app.services import groups
from app.store.queries import chunks
from app.store.queries import groups as queries


def cancel(conn: Connection, principal: Principal, group_id: UUID, *, discard: bool) -> Group:
    """Stops the making of a group; a chunk in hand is not stored any more.

    `discard` deletes the codes made so far but those that were redeemed; otherwise they stay. Raises NotFound, and
    Conflict for a group that is not being made.
    """
    group = groups.get(conn, principal, group_id)
    chunks.drop_unfinished(conn, group_id)
    if queries.move(conn, group_id, since=UNFINISHED, to=GroupStatus.CANCELLED) is None:
        raise _refusal(conn, principal, group, "cancelled", UNFINISHED)
    if discard:
        queries.discard_codes(conn, group_id)
    return groups.get(conn, principal, group_id)


def resume(conn: Connection, principal: Principal, group_id: UUID, *, chunk_size: int) -> Group:
    """Puts a failed or cancelled group back to pending, with chunks for its missing codes on the work list.

    Raises NotFound, and Conflict for a group in another state.
    """
    group = groups.get(conn, principal, group_id)
    chunks.drop_unfinished(conn, group_id)
    moved = queries.move(conn, group_id, since=RESUMABLE, to=GroupStatus.PENDING)
    if moved is None:
        raise _refusal(conn, principal, group, "resumed", RESUMABLE)
    owner, missing = moved
    chunks.insert_chunks(conn, group_id, owner, plan_chunks(missing, chunk_size))
    return groups.get(conn, principal, group_id)


def add_codes(conn: Connection, principal: Principal, group_id: UUID, more: int, *, chunk_size: int) -> Group:
    """Raises the total of a completed group by `more`, and puts chunks for them on the work list.

    Raises NotFound; Conflict for a group that is not completed or whose codes are its own; ValidationFailed where the
    total would exceed what a group may hold, or the code space has no room.
    """
    group = groups.get(conn, principal, group_id)
    if group.alphabet is None or group.code_length is None:
        raise Conflict("Codes can be added only to a group of generated codes.")
    if group.total_codes_count + more > MAX_CODES:
        raise ValidationFailed(
            f"additionalCodesCount may be at most {MAX_CODES - group.total_codes_count:,} for this group: it has "
            f"{group.total_codes_count:,} codes, and a group holds at most {MAX_CODES:,}.",
            field="additionalCodesCount",
        )
    groups.check_space(conn, CodeSpace(group.alphabet, group.code_length, group.prefix or ""), more)
    moved = queries.move(conn, group_id, since=EXTENDABLE, to=GroupStatus.PENDING, more_codes=more)
    if moved is None:
        raise _refusal(conn, principal, group, "extended", EXTENDABLE)
    chunks.insert_chunks(conn, group_id, moved[0], plan_chunks(moved[1], chunk_size))
    return groups.get(conn, principal, group_id)


def delete(conn: Connection, principal: Principal, group_id: UUID) -> None:
    """Deletes a group and its codes, also while they are being made.

    Raises NotFound, and Conflict once a code was redeemed: what was given away must stay on the record.
    """
    groups.get(conn, principal, group_id)
    chunks.drop_unfinished(conn, group_id)
    if not queries.delete_group(conn, group_id):
        raise Conflict("Codes of this group were redeemed, so it cannot be deleted; deactivate its codes instead.")


def _refusal(conn: Connection, principal: Principal, group: Group, done: str, since: frozenset[GroupStatus]) -> Conflict:
    """The error that names the state the group is in, read again because another request may just have changed it."""
    status = groups.get(conn, principal, group.id).status
    return Conflict(f"This group is {status}; only a {' or '.join(sorted(since))} group can be {done}.")
