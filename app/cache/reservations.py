"""Reserved codes: sets that keep two chunks in flight from drawing the same code.

The unique index in the database decides who owns a code. A reservation only makes it cheap to find out early, so every
failure here is let pass: counted, logged, and answered as if nothing were reserved.

Reservations live in epochs of the database lease's length. A chunk reserves in the present epoch's set and looks into the
one before; a set ends two epochs after it began, so that what a killed worker left behind is gone by then, and memory
holds no more than what was drawn within two epochs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisError

from app.cache import keys

log = structlog.get_logger(__name__)

_RESERVE = """
local refused, fresh = {}, {}
local now_held = redis.call('SMISMEMBER', KEYS[1], unpack(ARGV, 2))
local before_held = redis.call('EXISTS', KEYS[2]) == 1 and redis.call('SMISMEMBER', KEYS[2], unpack(ARGV, 2))
for index, held in ipairs(now_held) do
    if held == 1 or (before_held and before_held[index] == 1) then
        refused[#refused + 1] = index - 1
    else
        fresh[#fresh + 1] = ARGV[index + 1]
    end
end
if #fresh > 0 then
    redis.call('SADD', KEYS[1], unpack(fresh))
    redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return refused
"""


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one call reserved, to be given back after the commit."""

    key: str
    codes: tuple[str, ...]


class Reservations:
    """The reservation sets on one Redis or cluster."""

    def __init__(
        self, redis: Redis | RedisCluster, *, epoch_seconds: float, now: Callable[[], float] = time.time, patience: float = 5.0
    ) -> None:
        """`patience`: seconds for which Redis is left alone after it failed, so that an outage costs one time-out, not many."""
        self._redis = redis
        self._reserve: Any = redis.register_script(_RESERVE)  # type: ignore[no-untyped-call, unused-ignore]  # partly typed library
        self._epoch_seconds = epoch_seconds
        self._now = now
        self._patience = patience
        self._away_until = 0.0

    def reserve(self, length: int, codes: Sequence[str]) -> tuple[Reservation, frozenset[str]]:
        """Reserves `codes`, all of that length, in one call; returns what is reserved now and what another holds.

        At most 4,000 codes at once (a script's arguments). Where Redis is away nothing is reserved and nothing is refused.
        """
        epoch = int(self._now() // self._epoch_seconds)
        present, before = keys.reserved(length, epoch), keys.reserved(length, epoch - 1)
        nothing = Reservation(present, ())
        if not codes or self._now() < self._away_until:
            return nothing, frozenset()
        try:
            # As a span, not as a moment: a machine whose clock is hours ahead must not keep its sets for hours.
            left = math.ceil((epoch + 2) * self._epoch_seconds - self._now()) + 1
            places = self._reserve(keys=[present, before], args=[left, *codes])
        except RedisError as error:
            self._note_outage("reserve", error)
            return nothing, frozenset()
        refused = frozenset(codes[place] for place in places)
        return Reservation(present, tuple(code for code in codes if code not in refused) if refused else tuple(codes)), refused

    def release(self, reservation: Reservation) -> None:
        """Gives a reservation back; what cannot be given back now ends with its epoch."""
        if not reservation.codes or self._now() < self._away_until:
            return
        try:
            self._redis.srem(reservation.key, *reservation.codes)
        except RedisError as error:
            self._note_outage("release", error)

    def _note_outage(self, doing: str, error: RedisError) -> None:
        self._away_until = self._now() + self._patience
        log.warning("reservations.bypassed", doing=doing, error=type(error).__name__, for_seconds=self._patience)
