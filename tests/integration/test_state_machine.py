"""The engine driven in random orders: whatever follows upon whatever, the invariants hold after every single commit.

One process plays all parts: it accepts, dispatches, makes chunks as one worker or as two at once, dies at a fail point, fails
there, lets leases run out, cancels, resumes, adds, deletes, and empties Redis. The database and Valkey are real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection, text

from app import failpoints
from app.cache.reservations import Reservation, Reservations
from app.domain.access_keys import Principal
from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.items import Item
from app.domain.states import EXTENDABLE, GROUP_MOVES, RESUMABLE, UNFINISHED, GroupStatus
from app.errors import Conflict, DatabaseUnavailable
from app.failpoints import POINTS, FailpointReached
from app.runtime import Runtime
from app.services import groups, issuance, lifecycle, reconcile
from app.settings import Settings
from app.store.queries import workers
from app.store.queries.workers import Worker
from tests.builders import a_new_group, a_principal, an_item
from tests.faults import invariants

CHUNK_SIZE = 5
MAX_ATTEMPTS = 2
"""So few that groups fail often."""
SPACES = (CodeSpace(Alphabet.READABLE, 12), CodeSpace(Alphabet.DIGITS, 4))
TABLES = "codes, chunks, group_items, code_groups, workers"


class Died(BaseException):
    """What a killed worker does instead of going on; no `except Exception` of the engine's sees it."""


class Abandoned(Reservations):
    """Reservations of a worker that will not be there to give them back."""

    def release(self, reservation: Reservation) -> None:
        """Nothing."""


@dataclass
class Books:
    """What the outside knows: what was accepted, and what was thrown away on purpose."""

    accepted: dict[UUID, int] = field(default_factory=dict)
    discarded: dict[UUID, int] = field(default_factory=dict)
    statuses: dict[UUID, GroupStatus] = field(default_factory=dict)


class Workshop(RuleBasedStateMachine):
    """Groups, chunks and everything that can happen to them."""

    runtime: Runtime
    principal: Principal
    course: Item

    @initialize()
    def begin(self) -> None:
        with self.runtime.transaction() as conn:
            conn.execute(text(f"TRUNCATE {TABLES}"))
            workers.report(conn, Worker("w", "h", 1, ("q",), 1, 0))
        self.runtime.redis.flushdb()
        self.books = Books()
        self.random_bytes = Random(0).randbytes  # what failed once must fail again

    def teardown(self) -> None:
        failpoints.arm(None)

    @property
    def settings(self) -> Settings:
        """Those of the runtime, with less patience."""
        return self.runtime.settings.model_copy(update={"max_attempts": MAX_ATTEMPTS})

    # What clients do

    @rule(total=st.integers(1, 14), space=st.sampled_from(SPACES))
    def create(self, total: int, space: CodeSpace) -> None:
        wanted = a_new_group(self.course, total_codes_count=total, space=space)
        with self.watched() as conn:
            group = groups.create(conn, self.principal, wanted, chunk_size=CHUNK_SIZE)
        self.books.accepted[group.id] = total

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0), discard=st.booleans())
    def cancel(self, pick: int, discard: bool) -> None:
        self.cancel_group(self.a_group(pick, UNFINISHED), discard)

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0))
    def resume(self, pick: int) -> None:
        group_id = self.a_group(pick, RESUMABLE)
        self.moved(RESUMABLE, group_id, lambda conn: lifecycle.resume(conn, self.principal, group_id, chunk_size=CHUNK_SIZE))

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0), more=st.integers(1, 6))
    def add_codes(self, pick: int, more: int) -> None:
        group_id = self.a_group(pick, EXTENDABLE)

        def add(conn: Connection) -> object:
            return lifecycle.add_codes(conn, self.principal, group_id, more, chunk_size=CHUNK_SIZE)

        if self.moved(EXTENDABLE, group_id, add):
            self.books.accepted[group_id] += more

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0))
    def delete(self, pick: int) -> None:
        self.delete_group(self.a_group(pick))

    # What workers do

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0))
    def make(self, pick: int) -> None:
        """A message arrives: for a waiting chunk, or for one in somebody's hands."""
        self.work(self.an_open_chunk(pick))

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0))
    def redeliver(self, pick: int) -> None:
        """A message comes late: its chunk is done, or given up; nothing changes."""
        chunk_id = self.a_chunk_in("'done', 'failed'", pick)
        before = self.rows("SELECT * FROM chunks WHERE id = :id", id=chunk_id)
        self.work(chunk_id)
        assert self.rows("SELECT * FROM chunks WHERE id = :id", id=chunk_id) == before

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0), point=st.sampled_from((failpoints.CLAIMED, failpoints.RESERVED, failpoints.STORED)))
    def wear_out(self, pick: int, point: str) -> None:
        """A poison chunk: every worker that claims it dies, until it has had its attempts."""
        chunk_id = self.an_open_chunk(pick)
        for _ in range(MAX_ATTEMPTS):
            self.let_leases_run_out()
            self.work(chunk_id, point, _die)
        self.let_leases_run_out()
        self.sweep()
        assert self.rows("SELECT state FROM chunks WHERE id = :id AND state <> 'failed'", id=chunk_id) == []

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0), point=st.sampled_from(POINTS))
    def die(self, pick: int, point: str) -> None:
        """A worker is gone from one line to the next; all that is left of it are its lease and its reservations."""
        self.work(self.an_open_chunk(pick), point, _die)

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0), point=st.sampled_from(POINTS), error=st.sampled_from((FailpointReached, DatabaseUnavailable)))
    def fail(self, pick: int, point: str, error: type[Exception]) -> None:
        """A defect, or a database that goes away; the worker itself lives on and gives the chunk back."""

        def raise_it(*_: object) -> None:
            raise error

        self.work(self.an_open_chunk(pick), point, raise_it)

    @precondition(lambda self: self.books.accepted)
    @rule(
        pick=st.integers(0),
        point=st.sampled_from((failpoints.CLAIMED, failpoints.RESERVED, failpoints.COMMITTED)),
        meanwhile=st.sampled_from(("make", "overtake", "cancel", "discard", "delete", "sweep", "flush")),
        other=st.integers(0),
    )
    def make_while(self, pick: int, point: str, meanwhile: str, other: int) -> None:
        """In the middle of one chunk something else happens to the same group, or to another."""
        chunk_id = self.an_open_chunk(pick)

        def happen(*_: object) -> None:
            failpoints.arm(None)
            self.happen(meanwhile, chunk_id, other)

        self.work(chunk_id, point, happen)

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0))
    def overtake(self, pick: int) -> None:
        """A worker is frozen for longer than its lease, another one makes its chunk, and then it wakes up."""
        self.make_while(pick, failpoints.RESERVED, "overtake", 0)

    @precondition(lambda self: self.books.accepted)
    @rule(pick=st.integers(0), discard=st.booleans())
    def overtake_a_commit(self, pick: int, discard: bool) -> None:
        """A group is cancelled while the codes of one of its chunks lie in a transaction that is not committed yet."""
        chunk_id = self.an_open_chunk(pick)

        def cancel_it(*_: object) -> None:
            failpoints.arm(None)
            self.happen("discard" if discard else "cancel", chunk_id, 0)

        self.work(chunk_id, failpoints.STORED, cancel_it)

    # What time and operators do

    @rule(what=st.sampled_from(("lease", "sweep", "lease and sweep", "admit", "lost messages", "flush")))
    def let_time_pass(self, what: str) -> None:
        """Leases run out, a dispatcher looks around or hands out, messages are given up, Redis is emptied."""
        if "lease" in what:
            self.let_leases_run_out()
        if "sweep" in what:
            self.sweep()
        if what == "admit":
            with self.watched() as conn:
                reconcile.admit(conn, 4)
        if what == "lost messages":
            self.execute("UPDATE chunks SET sent_at = sent_at - interval '1 hour' WHERE state = 'pending'")
        if what == "flush":
            self.runtime.redis.flushdb()

    @precondition(lambda self: self.books.accepted)
    @rule()
    def calm_down(self) -> None:
        """Nothing goes wrong any more: everything that was accepted is finished, by nothing but sweeps and messages."""
        for _ in range(MAX_ATTEMPTS + 2):
            self.let_leases_run_out()
            self.sweep()
            for row in self.rows("SELECT id FROM chunks WHERE state IN ('pending', 'running') ORDER BY id"):
                self.work(row.id)
        unfinished = [status for status in self.books.statuses.values() if not status.is_terminal]
        assert unfinished == []

    @invariant()
    def nothing_is_wrong(self) -> None:
        with self.runtime.snapshot() as conn:
            assert invariants.violations(conn, accepted=self.books.accepted, discarded=self.books.discarded) == []

    # How

    def work(self, chunk_id: int, point: str | None = None, action: failpoints.Action | None = None) -> None:
        """A worker gets the message of a chunk; `action` happens at `point`, if it gets there."""
        engine = replace(
            self.runtime.issuance("w"), begin=self.watched, random_bytes=self.random_bytes, max_attempts=MAX_ATTEMPTS
        )
        if action is _die:
            engine = replace(engine, reservations=Abandoned(self.runtime.redis, epoch_seconds=engine.lease_seconds))
        failpoints.arm({point: action} if point and action else None)
        try:
            issuance.make_chunk(engine, chunk_id)
        except (Died, FailpointReached, DatabaseUnavailable):
            pass
        finally:
            failpoints.arm(None)

    def happen(self, what: str, chunk_id: int, other: int) -> None:
        """Something that may come in the middle of a chunk."""
        group_id = self.group_of(chunk_id)
        assert group_id is not None
        if what == "make":
            self.work(self.an_open_chunk(other))
        elif what == "overtake":
            self.let_leases_run_out()
            self.work(chunk_id)
        elif what in ("cancel", "discard"):
            self.cancel_group(group_id, what == "discard")
        elif what == "delete":
            self.delete_group(group_id)
        elif what == "sweep":
            self.sweep()
        else:
            self.runtime.redis.flushdb()

    def cancel_group(self, group_id: UUID, discard: bool) -> None:
        before = self.stored(group_id)
        if self.moved(UNFINISHED, group_id, lambda conn: lifecycle.cancel(conn, self.principal, group_id, discard=discard)):
            thrown_away = before - self.stored(group_id)
            assert thrown_away == (before if discard else 0)
            self.books.discarded[group_id] = self.books.discarded.get(group_id, 0) + thrown_away

    def delete_group(self, group_id: UUID) -> None:
        with self.watched() as conn:
            lifecycle.delete(conn, self.principal, group_id)
        del self.books.accepted[group_id]

    def let_leases_run_out(self) -> None:
        self.execute("UPDATE chunks SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 'running'")

    def sweep(self) -> None:
        with self.watched() as conn:
            reconcile.sweep(conn, self.settings)

    @contextmanager
    def watched(self) -> Iterator[Connection]:
        """A transaction, after whose commit every group must have moved as groups may."""
        with self.runtime.transaction() as conn:
            yield conn
        now = {row.id: GroupStatus(row.status) for row in self.rows("SELECT id, status FROM code_groups")}
        for group_id, status in now.items():
            before = self.books.statuses.get(group_id, status)
            assert status is before or status in GROUP_MOVES[before], f"{before} became {status}"
        self.books.statuses = now

    def moved(self, since: frozenset[GroupStatus], group_id: UUID, move: Callable[[Connection], object]) -> bool:
        """Makes a move, which must be refused if and only if the group is in none of `since`; returns whether it was made."""
        status = self.books.statuses[group_id]
        try:
            with self.watched() as conn:
                move(conn)
        except Conflict:
            assert status not in since
            return False
        assert status in since
        return True

    def a_group(self, pick: int, since: frozenset[GroupStatus] = frozenset()) -> UUID:
        """Any group; where `since` is given, three times in four one in such a state, if there is any."""
        known = list(self.books.accepted)
        fitting = [group_id for group_id in known if self.books.statuses[group_id] in since]
        return fitting[pick % len(fitting)] if fitting and pick % 4 else known[pick % len(known)]

    def a_chunk_in(self, states: str, pick: int) -> int:
        """The id of a chunk in one of these states, or of none where there is none."""
        ids = [row.id for row in self.rows(f"SELECT id FROM chunks WHERE state IN ({states}) ORDER BY id")]
        return ids[pick % len(ids)] if ids else 0

    def an_open_chunk(self, pick: int) -> int:
        """The id of a chunk that is to be made."""
        return self.a_chunk_in("'pending', 'running'", pick)

    def group_of(self, chunk_id: int) -> UUID | None:
        found = self.rows("SELECT group_id FROM chunks WHERE id = :id", id=chunk_id)
        return found[0].group_id if found else None

    def stored(self, group_id: UUID) -> int:
        return int(self.rows("SELECT count(*) FROM codes WHERE group_id = :id", id=group_id)[0].count)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.runtime.reading() as conn:
            return list(conn.execute(text(statement), values))

    def execute(self, statement: str) -> None:
        with self.runtime.transaction() as conn:
            conn.execute(text(statement))


def _die(*_: object) -> None:
    raise Died


@pytest.mark.timeout(120)
def test_no_order_of_events_breaks_an_invariant(runtime: Runtime) -> None:
    course = an_item(runtime)
    machine = type("Machine", (Workshop,), {"runtime": runtime, "principal": a_principal(runtime), "course": course})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
        ),
    )
