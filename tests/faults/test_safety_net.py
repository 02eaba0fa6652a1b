"""The invariant checks have teeth: take one strand of the safety net away, and they see it.

Each mutation is paired with a race that needs just that strand. The race alone shows no violation; the race without the
strand does. What the same checks then find on the whole engine means something.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.groups import Group
from app.runtime import Runtime
from app.services import issuance
from app.store.queries import chunks
from tests.builders import an_accepted_group
from tests.faults import invariants


def execute(runtime: Runtime, statement: str) -> None:
    with runtime.transaction() as conn:
        conn.execute(text(statement))


def chunk_ids(runtime: Runtime, group: Group) -> list[int]:
    with runtime.reading() as conn:
        return list(conn.execute(text("SELECT id FROM chunks WHERE group_id = :id ORDER BY id"), {"id": group.id}).scalars())


def make(runtime: Runtime, chunk_id: int, meanwhile: Callable[[], object] = lambda: None) -> None:
    """A worker makes a chunk; `meanwhile` happens once, after it claimed and before it stores."""
    pending = [meanwhile]

    def interrupted(count: int) -> bytes:
        while pending:
            pending.pop()()
        return os.urandom(count)

    issuance.make_chunk(replace(runtime.issuance("w"), random_bytes=interrupted), chunk_id)


def two_groups_in_a_dense_space(runtime: Runtime) -> list[str]:
    """Half of all four-digit codes are taken, and the same number is drawn again."""
    space = CodeSpace(Alphabet.DIGITS, 4)
    accepted = [an_accepted_group(runtime, space=space, total_codes_count=2500) for _ in range(2)]
    for group in accepted:
        for chunk_id in chunk_ids(runtime, group):
            make(runtime, chunk_id)
    return seen(runtime)


def a_worker_that_wakes_up_too_late(runtime: Runtime) -> list[str]:
    """Its lease ran out and another worker made the chunk; then it comes back and commits what it had drawn."""
    group = an_accepted_group(runtime, total_codes_count=20, chunk_size=10)
    first, second = chunk_ids(runtime, group)

    def taken_over() -> None:
        execute(runtime, "UPDATE chunks SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 'running'")
        make(runtime, first)

    make(runtime, first, taken_over)
    make(runtime, second)
    return seen(runtime)


def a_message_that_comes_again_too_soon(runtime: Runtime) -> list[str]:
    """While one worker draws the codes of a chunk, another gets the same message."""
    group = an_accepted_group(runtime, total_codes_count=10)
    (chunk_id,) = chunk_ids(runtime, group)
    make(runtime, chunk_id, lambda: make(runtime, chunk_id))
    with runtime.reading() as conn:
        return seen(runtime) + invariants.claimed_again(conn, [group.id])


def a_message_that_comes_again_late(runtime: Runtime) -> list[str]:
    """A chunk is done, its group is not, and the chunk's message is delivered once more."""
    group = an_accepted_group(runtime, total_codes_count=20, chunk_size=10)
    first, second = chunk_ids(runtime, group)
    for chunk_id in (first, first, second):
        make(runtime, chunk_id)
    return seen(runtime)


def seen(runtime: Runtime) -> list[str]:
    with runtime.snapshot() as conn:
        return invariants.violations(conn)


@dataclass(frozen=True)
class Mutation:
    """A strand of the safety net, how it is taken away, the race that needs it, and what the checks say then."""

    name: str
    race: Callable[[Runtime], list[str]]
    sentence: str
    statement: str = ""
    """Run in the database."""
    query: str = ""
    """The statement of `app.store.queries.chunks` that is changed,"""
    old: str = ""
    """this part of it"""
    new: str = ""
    """to this."""

    def apply(self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
        """Takes the strand away, and makes sure that it was there."""
        if self.statement:
            execute(runtime, self.statement)
        if self.query:
            change(monkeypatch, self.query, self.old, self.new)


def change(monkeypatch: pytest.MonkeyPatch, query: str, old: str, new: str) -> None:
    before: Any = getattr(chunks, query)
    assert old in before.text
    monkeypatch.setattr(chunks, query, text(before.text.replace(old, new)))


GUARD = "AND fence = :fence AND state = 'running'"
CLAIMABLE = "AND (state = 'pending' OR (state = 'running' AND lease_until < clock_timestamp()))"
MUTATIONS = [
    Mutation(
        "the unique index",
        two_groups_in_a_dense_space,
        "codes are stored more than once",
        statement="DROP INDEX uq_codes_lower_code",
    ),
    Mutation(
        "the fence",
        a_worker_that_wakes_up_too_late,
        "its chunks made 10",
        query="_FINISH",
        old=GUARD,
        new="",
    ),
    Mutation(
        "the lease",
        a_message_that_comes_again_too_soon,
        "was claimed 2 times",
        query="_CLAIM",
        old="(state = 'running' AND lease_until < clock_timestamp())",
        new="state = 'running'",
    ),
    Mutation(
        "the end of a chunk",
        a_message_that_comes_again_late,
        "its chunks made 10",
        query="_CLAIM",
        old=CLAIMABLE,
        new="",
    ),
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_race_alone_breaks_nothing(runtime: Runtime, mutation: Mutation) -> None:
    assert mutation.race(runtime) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_without_that_strand_the_checks_see_it(runtime: Runtime, mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.apply(runtime, monkeypatch)
    assert any(mutation.sentence in sentence for sentence in mutation.race(runtime))


@pytest.mark.parametrize("half", ["AND fence = :fence", "AND state = 'running'"])
def test_either_half_of_the_fence_holds_alone(runtime: Runtime, half: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fence is belt and braces: a chunk that was taken over is done or has a later fence, and each is enough."""
    change(monkeypatch, "_FINISH", GUARD, GUARD.replace(half, ""))
    assert a_worker_that_wakes_up_too_late(runtime) == []


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("DELETE FROM codes WHERE id = (SELECT min(id) FROM codes)", "says 20 codes and has 19"),
        ("UPDATE chunks SET state = 'pending' WHERE id = (SELECT min(id) FROM chunks)", "has chunks for 10 more codes"),
        ("DELETE FROM chunks", "its chunks made 0"),
        ("UPDATE code_groups SET status = 'processing'", "is processing and has an end"),
        ("UPDATE code_groups SET status = 'failed'", "failed without a reason"),
        ("UPDATE code_groups SET finished_at = NULL", "is completed and has no end"),
        ("UPDATE code_groups SET total_codes_count = 30, status = 'processing'", "lacks 10 codes, and has chunks for 0"),
        ("DELETE FROM code_groups", "belong to no group"),
        ("DELETE FROM code_groups", "was accepted and is not there"),
        ("UPDATE code_groups SET total_codes_count = 30, status = 'cancelled'", "was accepted for 20 codes and is kept for 30"),
    ],
)
def test_every_kind_of_damage_is_told(runtime: Runtime, damage: str, sentence: str) -> None:
    group = an_accepted_group(runtime, total_codes_count=20, chunk_size=10)
    for chunk_id in chunk_ids(runtime, group):
        make(runtime, chunk_id)
    execute(runtime, damage)
    with runtime.snapshot() as conn:
        found = invariants.violations(conn, accepted={group.id: 20})
    assert any(sentence in told for told in found)
