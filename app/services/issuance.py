"""Making the codes of one chunk: claim, draw, reserve, store.

At-least-once work, exactly-once effect: a message may come late, twice or to two workers; the claim lets one of them in,
and the fence lets only the last claim commit. What a crash leaves behind is a lease that runs out and reservations that
expire.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from app.cache.reservations import Reservation, Reservations
from app.domain.generation import RandomBytes, draw_codes
from app.domain.states import GroupStatus
from app.errors import MintageError
from app.failpoints import CLAIMED, COMMITTED, RECEIVED, RELEASED, RESERVED, STORED, reach
from app.store import bulk
from app.store.bulk import CodeTaken
from app.store.queries import chunks
from app.store.queries.chunks import Claim
from app.store.session import Begin

log = structlog.get_logger(__name__)

PATIENCE = 2
"""Rounds in which refused reservations are respected; later rounds by-pass them, because what a killed worker left
behind must never starve a nearly full code space. The unique index still decides."""
MAX_ROUNDS = 60
"""Rounds after which a chunk is given up: each round fills at least a fraction of what is missing, so that only a code
space without a free code gets here."""


class ClaimLost(MintageError):
    """The chunk was taken over by another worker, or its group has ended meanwhile."""


class SpaceExhausted(MintageError):
    """No free codes were found in this code space."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What making a chunk needs."""

    begin: Begin
    reservations: Reservations
    random_bytes: RandomBytes
    worker: str
    """Who is at work, for the operator."""
    lease_seconds: float
    max_attempts: int


def make_chunk(engine: Engine, chunk_id: int) -> GroupStatus | None:
    """Makes and stores the codes of a chunk; returns its group's status, or None where there was nothing to do.

    Repeating it is harmless. Whatever fails on the way, the chunk goes back on the work list before the error passes
    through: at once where that can be written down, else when the lease runs out. An outage of a store is not counted as
    an attempt.
    """
    reach(RECEIVED, chunk_id)
    with engine.begin() as conn:
        claim = chunks.claim(
            conn, chunk_id, worker=engine.worker, lease_seconds=engine.lease_seconds, max_attempts=engine.max_attempts
        )
    if claim is None:
        return None
    try:
        reach(CLAIMED, chunk_id)
        status = _make(engine, claim)
        reach(RELEASED, chunk_id)
    except ClaimLost:
        log.info("chunk.claim_lost", chunk_id=claim.chunk_id, group_id=str(claim.group_id))
        return None
    except Exception as error:
        _give_back(engine, claim, charged=not isinstance(error, MintageError) or isinstance(error, SpaceExhausted))
        raise
    return status


def _make(engine: Engine, claim: Claim) -> GroupStatus:
    """Draws, reserves and stores; gives the reservation back only once the codes are stored or certainly not."""
    codes, held = _draw_reserved(engine, claim)
    try:
        reach(RESERVED, claim.chunk_id)
        status = _store(engine, claim, codes)
        reach(COMMITTED, claim.chunk_id)
        return status
    finally:
        for reservation in held:
            engine.reservations.release(reservation)


def _store(engine: Engine, claim: Claim, codes: list[str]) -> GroupStatus:
    """Stores the codes, or others for those that are taken, and commits."""
    try:
        with engine.begin() as conn:
            bulk.copy_codes(conn, claim.group_id, codes)
            return _finish(conn, claim)
    except CodeTaken:
        log.info("chunk.collision", chunk_id=claim.chunk_id, group_id=str(claim.group_id))
    with engine.begin() as conn:
        _insert_around(conn, engine.random_bytes, claim, codes)
        return _finish(conn, claim)


def _draw_reserved(engine: Engine, claim: Claim) -> tuple[list[str], list[Reservation]]:
    """The chunk's number of different codes, in ascending order, and the reservations that hold them."""
    drawn: set[str] = set()
    seen: set[str] = set()
    held: list[Reservation] = []
    for _ in range(PATIENCE):
        fresh = _draw(engine.random_bytes, claim, claim.codes_count - len(drawn), seen)
        reservation, refused = engine.reservations.reserve(claim.space.length, fresh)
        held.append(reservation)
        if not refused and not drawn:
            return fresh, held  # nearly always, and in order already
        seen.update(fresh)
        drawn.update(code for code in fresh if code not in refused)
        if len(drawn) == claim.codes_count:
            break
    else:
        log.info("chunk.reservations_bypassed", chunk_id=claim.chunk_id, codes=claim.codes_count - len(drawn))
        drawn.update(_draw(engine.random_bytes, claim, claim.codes_count - len(drawn), drawn))
    return sorted(drawn), held


def _insert_around(conn: Connection, random_bytes: RandomBytes, claim: Claim, codes: list[str]) -> None:
    """Stores the chunk's number of codes, beginning with `codes` and drawing others for those that are taken.

    Raises SpaceExhausted when nothing free is found any more.
    """
    tried: set[str] = set()
    stored = 0
    for _ in range(MAX_ROUNDS):
        stored += len(bulk.insert_free_codes(conn, claim.group_id, codes))
        tried.update(codes)
        if stored == claim.codes_count:
            return
        codes = _draw(random_bytes, claim, claim.codes_count - stored, tried)
    raise SpaceExhausted


def _draw(random_bytes: RandomBytes, claim: Claim, count: int, exclude: Set[str]) -> list[str]:
    try:
        return draw_codes(claim.space, count, random_bytes, exclude=exclude)
    except ValueError as error:
        raise SpaceExhausted from error


def _finish(conn: Connection, claim: Claim) -> GroupStatus:
    reach(STORED, claim.chunk_id)
    status = chunks.finish(conn, claim)
    if status is None:
        raise ClaimLost
    return status


def _give_back(engine: Engine, claim: Claim, *, charged: bool) -> None:
    """Puts the chunk back; where not even that can be written, the lease will run out by itself."""
    try:
        with engine.begin() as conn:
            chunks.give_back(conn, claim, charged=charged)
    except MintageError as error:
        log.warning("chunk.not_given_back", chunk_id=claim.chunk_id, error=type(error).__name__)
