"""What a worker spends on the chunks of one group, step by step: the engine's own functions, called in its order."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from uuid import UUID

from app.domain.access_keys import Principal, Scope
from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.generation import draw_codes
from app.domain.groups import NewGroup
from app.domain.items import ItemKind
from app.runtime import Runtime
from app.services import groups
from app.store import bulk
from app.store.queries import chunks
from benchmarks.stack import CODES_PER_GROUP, Service

GROUPS = 20
_WARM_UP = 3
_EVERYTHING = 1000


class Clock:
    """Adds up milliseconds by step."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Counts what happens inside under `name`."""
        begun = time.perf_counter()
        yield
        self.spent[name] += (time.perf_counter() - begun) * 1000


def inside_a_worker(service: Service) -> list[tuple[str, float]]:
    """Medians in milliseconds for all chunks of one group, made one after the other by this process.

    Nobody else may be at work: the service's dispatcher must have been stopped.
    """
    owner = Principal(service.rows("SELECT id FROM access_keys")[0].id, frozenset({Scope.ADMIN}), None)
    wanted = NewGroup("Steps", CODES_PER_GROUP, CodeSpace(Alphabet.READABLE, 12), {ItemKind.COURSE: (UUID(service.course),)})
    clocks = [_one_group(service.runtime, owner, wanted) for _ in range(_WARM_UP + GROUPS)][_WARM_UP:]
    return [(name, median(clock.spent[name] for clock in clocks)) for name in clocks[0].spent]


def _one_group(runtime: Runtime, owner: Principal, wanted: NewGroup) -> Clock:
    with runtime.transaction() as conn:
        groups.create(conn, owner, wanted, chunk_size=runtime.settings.chunk_size)
    with runtime.transaction() as conn:
        ids = [sent.chunk_id for sent in chunks.admit(conn, _EVERYTHING)]
    clock = Clock()
    for chunk_id in ids:
        _one_chunk(runtime, chunk_id, clock)
    return clock


def _one_chunk(runtime: Runtime, chunk_id: int, clock: Clock) -> None:
    with clock.step("claim, with its commit"), runtime.transaction() as conn:
        claim = chunks.claim(conn, chunk_id, worker="benchmark", lease_seconds=60, max_attempts=5)
    if claim is None:
        raise RuntimeError("somebody else is at work")
    with clock.step("draw"):
        codes = draw_codes(claim.space, claim.codes_count, os.urandom)
    with clock.step("reserve"):
        reservation, _ = runtime.reservations.reserve(claim.space.length, codes)
    with clock.step("begin"):
        transaction = runtime.transaction()
        conn = transaction.__enter__()
    with clock.step("COPY"):
        bulk.copy_codes(conn, claim.group_id, codes)
    with clock.step("finish"):
        chunks.finish(conn, claim)
    with clock.step("commit"):
        transaction.__exit__(None, None, None)
    with clock.step("give the reservation back"):
        runtime.reservations.release(reservation)
