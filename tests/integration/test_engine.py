"""The engine on a real database and a real Valkey: every chunk exactly once, whatever happens around it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.groups import Group
from app.domain.states import GroupStatus
from app.errors import DatabaseUnavailable
from app.runtime import Runtime
from app.services import groups, issuance, reconcile
from app.store.queries import chunks, workers
from app.store.queries.workers import Worker
from tests.builders import a_principal, an_accepted_group


def chunk_ids(runtime: Runtime, group: Group) -> list[int]:
    with runtime.reading() as conn:
        return list(conn.execute(text("SELECT id FROM chunks WHERE group_id = :id ORDER BY id"), {"id": group.id}).scalars())


def stored(runtime: Runtime, group: Group) -> list[str]:
    with runtime.reading() as conn:
        return list(conn.execute(text("SELECT code FROM codes WHERE group_id = :id"), {"id": group.id}).scalars())


def now(runtime: Runtime, group: Group) -> Group:
    with runtime.reading() as conn:
        return groups.get(conn, a_principal(runtime), group.id)


def run(runtime: Runtime, statement: str, **values: Any) -> None:
    with runtime.transaction() as conn:
        conn.execute(text(statement), values)


def reserved_keys(runtime: Runtime) -> list[Any]:
    return list(runtime.redis.scan_iter("mintage:reserved:*"))


def test_chunks_fill_a_group_and_the_last_one_completes_it(runtime: Runtime) -> None:
    group = an_accepted_group(runtime, total_codes_count=25, chunk_size=10)
    assert group.status is GroupStatus.PENDING
    seen = []
    for chunk_id in chunk_ids(runtime, group):
        issuance.make_chunk(runtime.issuance("w"), chunk_id)
        reached = now(runtime, group)
        seen.append((reached.status, reached.created_codes_count))
    assert seen == [(GroupStatus.PROCESSING, 9), (GroupStatus.PROCESSING, 17), (GroupStatus.COMPLETED, 25)]
    codes = stored(runtime, group)
    assert len(codes) == len(set(codes)) == 25
    finished = now(runtime, group)
    assert finished.progress == 1
    assert finished.started_at is not None
    assert finished.finished_at is not None
    assert finished.created_at <= finished.started_at <= finished.finished_at


def test_a_message_that_comes_again_changes_nothing(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    (chunk_id,) = chunk_ids(runtime, group)
    assert issuance.make_chunk(runtime.issuance("w"), chunk_id) is GroupStatus.COMPLETED
    codes = stored(runtime, group)
    assert [issuance.make_chunk(runtime.issuance("w"), chunk_id) for _ in range(4)] == [None] * 4
    assert stored(runtime, group) == codes


def test_a_message_for_a_chunk_that_never_was_changes_nothing(runtime: Runtime) -> None:
    assert issuance.make_chunk(runtime.issuance("w"), 4711) is None


def test_a_chunk_under_a_living_lease_is_left_alone_and_taken_over_after_it(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    (chunk_id,) = chunk_ids(runtime, group)
    with runtime.transaction() as conn:
        first = chunks.claim(conn, chunk_id, worker="first", lease_seconds=60, max_attempts=5)
    assert first is not None
    assert issuance.make_chunk(runtime.issuance("second"), chunk_id) is None
    run(runtime, "UPDATE chunks SET lease_until = clock_timestamp() - interval '1 second'")
    assert issuance.make_chunk(runtime.issuance("second"), chunk_id) is GroupStatus.COMPLETED


def test_a_worker_that_lost_its_chunk_cannot_commit(runtime: Runtime) -> None:
    """The fence: a worker that was frozen beyond its lease wakes up and stores nothing."""
    group = an_accepted_group(runtime)
    (chunk_id,) = chunk_ids(runtime, group)
    engine = runtime.issuance("frozen")

    def thaw_late(count: int) -> bytes:
        run(runtime, "UPDATE chunks SET lease_until = clock_timestamp() - interval '1 second' WHERE fence = 1")
        issuance.make_chunk(runtime.issuance("other"), chunk_id)
        return os.urandom(count)

    assert issuance.make_chunk(replace(engine, random_bytes=thaw_late), chunk_id) is None
    assert len(stored(runtime, group)) == 10
    assert now(runtime, group).created_codes_count == 10


def test_a_chunk_of_an_ended_group_is_not_made(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    run(runtime, "UPDATE code_groups SET status = 'cancelled'")
    assert [issuance.make_chunk(runtime.issuance("w"), chunk_id) for chunk_id in chunk_ids(runtime, group)] == [None]
    assert stored(runtime, group) == []


def test_a_group_cancelled_while_its_chunk_is_drawn_gets_no_codes(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    (chunk_id,) = chunk_ids(runtime, group)

    def cancelled_meanwhile(count: int) -> bytes:
        run(runtime, "UPDATE code_groups SET status = 'cancelled'")
        return os.urandom(count)

    assert issuance.make_chunk(replace(runtime.issuance("w"), random_bytes=cancelled_meanwhile), chunk_id) is None
    assert stored(runtime, group) == []


def test_codes_that_are_stored_already_are_drawn_around(runtime: Runtime) -> None:
    """Ten thousand four-digit codes, half of them taken: COPY fails, the chunk fills itself from what is free."""
    space = CodeSpace(Alphabet.DIGITS, 4)
    first = an_accepted_group(runtime, space=space, total_codes_count=2500)
    second = an_accepted_group(runtime, space=space, total_codes_count=2500)
    for group in (first, second):
        for chunk_id in chunk_ids(runtime, group):
            issuance.make_chunk(runtime.issuance("w"), chunk_id)
    assert now(runtime, second).status is GroupStatus.COMPLETED
    codes = stored(runtime, first) + stored(runtime, second)
    assert len(codes) == len(set(codes)) == 5000


def test_a_space_without_a_free_code_fails_the_group_with_a_reason(runtime: Runtime) -> None:
    space = CodeSpace(Alphabet.DIGITS, 4)
    group = an_accepted_group(runtime, space=space, total_codes_count=5)
    run(
        runtime,
        "INSERT INTO codes (group_id, code) SELECT :id, lpad(n::text, 4, '0') FROM generate_series(0, 9999) AS n",
        id=group.id,
    )
    (chunk_id,) = chunk_ids(runtime, group)
    for _ in range(runtime.settings.max_attempts):
        with pytest.raises(issuance.SpaceExhausted):
            issuance.make_chunk(runtime.issuance("w"), chunk_id)
    with runtime.transaction() as conn:
        assert reconcile.sweep(conn, runtime.settings).failed == (group.id,)
    failed = now(runtime, group)
    assert failed.status is GroupStatus.FAILED
    assert failed.error == "A part of the codes could not be made in 5 attempts; resume the group to try again."


def test_reservations_of_others_are_respected_and_then_by_passed(runtime: Runtime) -> None:
    """What a killed worker left behind in a dense space must not starve it: here every code of the space is reserved."""
    space = CodeSpace(Alphabet.DIGITS, 4)
    everything = [f"{n:04}" for n in range(10_000)]
    for start in range(0, 10_000, 2500):
        runtime.reservations.reserve(4, everything[start : start + 2500])
    group = an_accepted_group(runtime, space=space, total_codes_count=100)
    (chunk_id,) = chunk_ids(runtime, group)
    assert issuance.make_chunk(runtime.issuance("w"), chunk_id) is GroupStatus.COMPLETED
    assert len(stored(runtime, group)) == 100


def test_reservations_are_given_back_after_the_commit(runtime: Runtime) -> None:
    group = an_accepted_group(runtime, total_codes_count=500)
    (chunk_id,) = chunk_ids(runtime, group)
    held: list[int] = []
    reserve = runtime.reservations.reserve

    def watched(length: int, codes: Any) -> Any:
        answer = reserve(length, codes)
        held.extend(runtime.redis.scard(key) for key in reserved_keys(runtime))
        return answer

    engine = runtime.issuance("w")
    engine.reservations.reserve = watched  # type: ignore[method-assign]
    assert issuance.make_chunk(engine, chunk_id) is GroupStatus.COMPLETED
    assert held == [500]
    assert reserved_keys(runtime) == []


def test_an_outage_of_the_database_costs_no_attempt(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    (chunk_id,) = chunk_ids(runtime, group)

    def away(count: int) -> bytes:
        raise DatabaseUnavailable

    for _ in range(10):
        with pytest.raises(DatabaseUnavailable):
            issuance.make_chunk(replace(runtime.issuance("w"), random_bytes=away), chunk_id)
    assert issuance.make_chunk(runtime.issuance("w"), chunk_id) is GroupStatus.COMPLETED


def test_a_defect_is_tried_again_a_bounded_number_of_times(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    (chunk_id,) = chunk_ids(runtime, group)

    def broken(count: int) -> bytes:
        raise ZeroDivisionError

    for _ in range(runtime.settings.max_attempts):
        with pytest.raises(ZeroDivisionError):
            issuance.make_chunk(replace(runtime.issuance("w"), random_bytes=broken), chunk_id)
    assert issuance.make_chunk(runtime.issuance("w"), chunk_id) is None
    with runtime.transaction() as conn:
        assert reconcile.sweep(conn, runtime.settings).failed == (group.id,)
    assert now(runtime, group).status is GroupStatus.FAILED


def admitted(runtime: Runtime, window: int) -> list[Any]:
    with runtime.transaction() as conn:
        return [sent.group_id for sent in chunks.admit(conn, window)]


def test_keys_take_turns_however_long_one_key_s_list_is(runtime: Runtime) -> None:
    crowd, single = a_principal(runtime), a_principal(runtime)
    many = [an_accepted_group(runtime, crowd, total_codes_count=40, chunk_size=10) for _ in range(3)]
    one = an_accepted_group(runtime, single, total_codes_count=10)
    order = admitted(runtime, 5)
    assert one.id in order[:2]
    assert order.count(many[0].id) == 4


def test_the_queue_is_kept_short_and_refilled_as_chunks_finish(runtime: Runtime) -> None:
    group = an_accepted_group(runtime, total_codes_count=100, chunk_size=10)
    assert len(admitted(runtime, 4)) == 4
    assert admitted(runtime, 4) == []
    for chunk_id in chunk_ids(runtime, group)[:3]:
        issuance.make_chunk(runtime.issuance("w"), chunk_id)
    assert len(admitted(runtime, 4)) == 3


def test_only_one_dispatcher_admits_at_a_time(runtime: Runtime) -> None:
    an_accepted_group(runtime, total_codes_count=100, chunk_size=10)
    with runtime.transaction() as conn:
        assert len(chunks.admit(conn, 4)) == 4
        assert admitted(runtime, 4) == []


def sweep(runtime: Runtime) -> reconcile.Swept:
    with runtime.transaction() as conn:
        return reconcile.sweep(conn, runtime.settings)


def a_worker_is_there(runtime: Runtime) -> None:
    with runtime.transaction() as conn:
        workers.report(conn, Worker("w", "h", 1, ("q",), 1, 0))


def test_a_message_that_nobody_claimed_is_sent_again_once_a_worker_is_there(runtime: Runtime) -> None:
    an_accepted_group(runtime)
    assert len(admitted(runtime, 4)) == 1
    run(runtime, "UPDATE chunks SET sent_at = clock_timestamp() - interval '6 seconds'")
    assert sweep(runtime).resent == 0
    a_worker_is_there(runtime)
    assert sweep(runtime).resent == 1
    assert len(admitted(runtime, 4)) == 1
    assert sweep(runtime).resent == 0


def test_a_chunk_whose_worker_died_is_handed_out_again(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    admitted(runtime, 4)
    with runtime.transaction() as conn:
        assert chunks.claim(conn, chunk_ids(runtime, group)[0], worker="dead", lease_seconds=-1, max_attempts=5)
    assert sweep(runtime).reclaimed == 1
    assert admitted(runtime, 4) == [group.id]


def test_a_message_the_broker_did_not_take_goes_back_on_the_list(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    with runtime.transaction() as conn:
        sent = reconcile.admit(conn, 4)
        reconcile.withdraw(conn, sent)
    assert admitted(runtime, 4) == [group.id]


def test_waiting_chunks_of_an_ended_group_leave_the_list(runtime: Runtime) -> None:
    an_accepted_group(runtime, total_codes_count=100, chunk_size=10)
    run(runtime, "UPDATE code_groups SET status = 'cancelled'")
    assert sweep(runtime).cleared == 10
    assert admitted(runtime, 4) == []
