"""Cancel, resume, add codes and delete: every move from every state, and what a worker in the middle of a chunk may do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.domain.access_keys import Principal
from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.groups import Group
from app.domain.states import GroupStatus
from app.errors import Conflict, NotFound, ValidationFailed
from app.runtime import Runtime
from app.services import groups, issuance, lifecycle, proof, reconcile
from tests.builders import a_principal, an_accepted_group


@pytest.fixture
def principal(runtime: Runtime) -> Principal:
    return a_principal(runtime)


def execute(runtime: Runtime, statement: str, **values: Any) -> None:
    with runtime.transaction() as conn:
        conn.execute(text(statement), values)


def open_chunks(runtime: Runtime, group: Group) -> list[int]:
    statement = text("SELECT id FROM chunks WHERE group_id = :id AND state <> 'done' ORDER BY id")
    with runtime.reading() as conn:
        return list(conn.execute(statement, {"id": group.id}).scalars())


def make_all(runtime: Runtime, group: Group) -> None:
    for chunk_id in open_chunks(runtime, group):
        issuance.make_chunk(runtime.issuance("w"), chunk_id)


def now(runtime: Runtime, principal: Principal, group: Group) -> Group:
    with runtime.reading() as conn:
        return groups.get(conn, principal, group.id)


def stored(runtime: Runtime, group: Group) -> int:
    with runtime.reading() as conn:
        return int(conn.scalar(text("SELECT count(*) FROM codes WHERE group_id = :id"), {"id": group.id}) or 0)


def a_group_in(runtime: Runtime, principal: Principal, status: GroupStatus) -> Group:
    """A group of 20 in two chunks that got to `status` the way groups do."""
    group = an_accepted_group(runtime, principal, total_codes_count=20, chunk_size=10)
    first, second = open_chunks(runtime, group)
    if status is not GroupStatus.PENDING:
        issuance.make_chunk(runtime.issuance("w"), first)
    if status is GroupStatus.COMPLETED:
        issuance.make_chunk(runtime.issuance("w"), second)
    if status is GroupStatus.CANCELLED:
        with runtime.transaction() as conn:
            lifecycle.cancel(conn, principal, group.id, discard=False)
    if status is GroupStatus.FAILED:
        execute(runtime, "UPDATE chunks SET attempts = 5 WHERE id = :id", id=second)
        with runtime.transaction() as conn:
            reconcile.sweep(conn, runtime.settings)
    reached = now(runtime, principal, group)
    assert reached.status is status
    return reached


def _cancel(conn: Connection, principal: Principal, group: Group) -> None:
    lifecycle.cancel(conn, principal, group.id, discard=False)


def _resume(conn: Connection, principal: Principal, group: Group) -> None:
    lifecycle.resume(conn, principal, group.id, chunk_size=10)


def _add_codes(conn: Connection, principal: Principal, group: Group) -> None:
    lifecycle.add_codes(conn, principal, group.id, 5, chunk_size=10)


Move = Callable[[Connection, Principal, Group], None]
MOVES: list[tuple[Move, str, dict[GroupStatus, GroupStatus]]] = [
    (
        _cancel,
        "only a pending or processing group can be cancelled",
        {GroupStatus.PENDING: GroupStatus.CANCELLED, GroupStatus.PROCESSING: GroupStatus.CANCELLED},
    ),
    (
        _resume,
        "only a cancelled or failed group can be resumed",
        {GroupStatus.FAILED: GroupStatus.PENDING, GroupStatus.CANCELLED: GroupStatus.PENDING},
    ),
    (_add_codes, "only a completed group can be extended", {GroupStatus.COMPLETED: GroupStatus.PENDING}),
]


@pytest.mark.parametrize("status", GroupStatus)
@pytest.mark.parametrize(("move", "rule", "leads"), MOVES, ids=["cancel", "resume", "addCodes"])
def test_a_move_is_made_from_its_states_and_refused_by_name_from_all_others(
    runtime: Runtime, principal: Principal, status: GroupStatus, move: Move, rule: str, leads: dict[GroupStatus, GroupStatus]
) -> None:
    group = a_group_in(runtime, principal, status)
    if status in leads:
        with runtime.transaction() as conn:
            move(conn, principal, group)
        assert now(runtime, principal, group).status is leads[status]
        return
    with pytest.raises(Conflict, match=f"This group is {status}; {rule}"), runtime.transaction() as conn:
        move(conn, principal, group)
    assert now(runtime, principal, group) == group


def test_cancelling_keeps_the_codes_made_so_far(runtime: Runtime, principal: Principal) -> None:
    group = a_group_in(runtime, principal, GroupStatus.CANCELLED)
    assert (group.created_codes_count, stored(runtime, group)) == (10, 10)
    assert group.finished_at is not None
    assert open_chunks(runtime, group) == []


def test_discarding_deletes_all_codes_but_the_redeemed_ones(runtime: Runtime, principal: Principal) -> None:
    group = a_group_in(runtime, principal, GroupStatus.PROCESSING)
    execute(runtime, "UPDATE codes SET redemptions_count = 1 WHERE id IN (SELECT id FROM codes ORDER BY id LIMIT 3)")
    with runtime.transaction() as conn:
        cancelled = lifecycle.cancel(conn, principal, group.id, discard=True)
    assert (cancelled.created_codes_count, stored(runtime, group)) == (3, 3)


@pytest.mark.parametrize("status", [GroupStatus.FAILED, GroupStatus.CANCELLED])
def test_resuming_makes_exactly_the_missing_codes(runtime: Runtime, principal: Principal, status: GroupStatus) -> None:
    group = a_group_in(runtime, principal, status)
    with runtime.transaction() as conn:
        resumed = lifecycle.resume(conn, principal, group.id, chunk_size=4)
    assert (resumed.status, resumed.error, resumed.finished_at) == (GroupStatus.PENDING, None, None)
    make_all(runtime, group)
    assert now(runtime, principal, group).status is GroupStatus.COMPLETED
    assert stored(runtime, group) == 20


def test_a_worker_that_was_at_it_when_the_group_was_cancelled_and_resumed_stores_nothing(
    runtime: Runtime, principal: Principal
) -> None:
    group = an_accepted_group(runtime, principal, total_codes_count=10)
    (chunk_id,) = open_chunks(runtime, group)

    def meanwhile(count: int) -> bytes:
        with runtime.transaction() as conn:
            lifecycle.cancel(conn, principal, group.id, discard=False)
        with runtime.transaction() as conn:
            lifecycle.resume(conn, principal, group.id, chunk_size=2000)
        return os.urandom(count)

    assert issuance.make_chunk(replace(runtime.issuance("late"), random_bytes=meanwhile), chunk_id) is None
    assert stored(runtime, group) == 0
    make_all(runtime, group)
    assert stored(runtime, group) == 10


def test_added_codes_complete_the_group_again(runtime: Runtime, principal: Principal) -> None:
    group = a_group_in(runtime, principal, GroupStatus.COMPLETED)
    with runtime.transaction() as conn:
        extended = lifecycle.add_codes(conn, principal, group.id, 30, chunk_size=10)
    assert (extended.total_codes_count, extended.created_codes_count, extended.progress) == (50, 20, 0.4)
    make_all(runtime, group)
    assert now(runtime, principal, group).status is GroupStatus.COMPLETED
    assert stored(runtime, group) == 50


def test_a_group_is_not_extended_beyond_ten_thousand(runtime: Runtime, principal: Principal) -> None:
    group = a_group_in(runtime, principal, GroupStatus.COMPLETED)
    with pytest.raises(ValidationFailed, match="may be at most 9,980 for this group"), runtime.transaction() as conn:
        lifecycle.add_codes(conn, principal, group.id, 9981, chunk_size=2000)


def test_a_group_is_not_extended_beyond_its_code_space(runtime: Runtime, principal: Principal) -> None:
    group = an_accepted_group(runtime, principal, space=CodeSpace(Alphabet.DIGITS, 4), total_codes_count=4000)
    make_all(runtime, group)
    with (
        pytest.raises(ValidationFailed, match="4,000 of them are issued"),
        runtime.transaction() as conn,
    ):
        lifecycle.add_codes(conn, principal, group.id, 1001, chunk_size=2000)


@pytest.mark.parametrize("status", GroupStatus)
def test_a_group_is_deleted_with_everything_that_is_its_own(runtime: Runtime, principal: Principal, status: GroupStatus) -> None:
    group = a_group_in(runtime, principal, status)
    with runtime.transaction() as conn:
        lifecycle.delete(conn, principal, group.id)
    with pytest.raises(NotFound):
        now(runtime, principal, group)
    assert stored(runtime, group) == 0
    assert open_chunks(runtime, group) == []


def test_a_group_with_a_redeemed_code_is_not_deleted(runtime: Runtime, principal: Principal) -> None:
    group = a_group_in(runtime, principal, GroupStatus.COMPLETED)
    execute(runtime, "UPDATE codes SET redemptions_count = 1 WHERE id = (SELECT min(id) FROM codes)")
    with pytest.raises(Conflict, match="were redeemed"), runtime.transaction() as conn:
        lifecycle.delete(conn, principal, group.id)
    assert stored(runtime, group) == 20


def test_a_group_whose_work_list_was_lost_is_mended(runtime: Runtime, principal: Principal) -> None:
    group = a_group_in(runtime, principal, GroupStatus.PROCESSING)
    execute(runtime, "DELETE FROM chunks WHERE state <> 'done'")
    execute(runtime, "UPDATE code_groups SET progressed_at = clock_timestamp() - interval '1 hour'")
    with runtime.transaction() as conn:
        assert reconcile.sweep(conn, runtime.settings).mended == (group.id,)
    make_all(runtime, group)
    assert now(runtime, principal, group).status is GroupStatus.COMPLETED
    assert stored(runtime, group) == 20


def test_the_proof_counts_what_is_there(runtime: Runtime, principal: Principal) -> None:
    group = a_group_in(runtime, principal, GroupStatus.PROCESSING)
    with runtime.snapshot() as conn:
        part = proof.prove(conn, principal, group.id)
    assert (part.asked, part.stored, part.unique, part.exported, part.holds) == (20, 10, 10, 10, False)
    make_all(runtime, group)
    with runtime.snapshot() as conn:
        whole = proof.prove(conn, principal, group.id)
    assert (whole.asked, whole.stored, whole.unique, whole.exported, whole.holds) == (20, 20, 20, 20, True)
    assert whole.sha256 != part.sha256
