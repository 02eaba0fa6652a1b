"""Reserved codes on a made-up Redis and a made-up clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakeredis import FakeServer, FakeStrictRedis
from hypothesis import given
from hypothesis import strategies as st

from app.cache import keys
from app.cache.reservations import Reservation, Reservations

EPOCH = 30.0
NOW = 100_000_000
START = NOW * EPOCH
"""The beginning of an epoch in 2065: a machine whose clock is wrong must not keep its sets any longer."""
NOTHING: frozenset[str] = frozenset()
CODES = ["aaaa", "bbbb", "cccc"]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def redis(server: FakeServer) -> Iterator[FakeStrictRedis]:
    client = FakeStrictRedis(server=server)
    yield client
    server.connected = True
    client.close()


@pytest.fixture
def reservations(redis: FakeStrictRedis, clock: Clock) -> Reservations:
    return Reservations(redis, epoch_seconds=EPOCH, now=clock, patience=5)


def present() -> str:
    return keys.reserved(4, NOW)


def test_free_codes_are_reserved(reservations: Reservations, redis: FakeStrictRedis) -> None:
    assert reservations.reserve(4, CODES) == (Reservation(present(), tuple(CODES)), NOTHING)
    assert redis.smembers(present()) == {code.encode() for code in CODES}


def test_what_another_holds_is_refused_and_the_rest_reserved(reservations: Reservations) -> None:
    reservations.reserve(4, ["bbbb"])
    assert reservations.reserve(4, CODES) == (Reservation(present(), ("aaaa", "cccc")), frozenset({"bbbb"}))
    assert reservations.reserve(4, CODES) == (Reservation(present(), ()), frozenset(CODES))


def test_released_codes_are_free_again(reservations: Reservations, redis: FakeStrictRedis) -> None:
    held, _ = reservations.reserve(4, CODES)
    reservations.release(held)
    assert redis.keys() == []
    assert reservations.reserve(4, CODES)[1] == NOTHING


def test_only_what_was_reserved_is_released(reservations: Reservations) -> None:
    """A refused code belongs to somebody else."""
    reservations.reserve(4, ["bbbb"])
    held, _ = reservations.reserve(4, CODES)
    reservations.release(held)
    assert reservations.reserve(4, CODES)[1] == {"bbbb"}


def test_codes_of_different_lengths_are_kept_apart(reservations: Reservations, redis: FakeStrictRedis) -> None:
    reservations.reserve(4, ["aaaa"])
    reservations.reserve(5, ["aaaab"])
    assert sorted(redis.keys()) == [b"mintage:reserved:{4}:100000000", b"mintage:reserved:{5}:100000000"]


@pytest.mark.parametrize(
    ("later", "refused"),
    [(0.0, True), (EPOCH - 0.001, True), (EPOCH, True), (2 * EPOCH - 0.001, True), (2 * EPOCH, False), (5 * EPOCH, False)],
)
def test_a_reservation_holds_for_its_epoch_and_the_next(
    reservations: Reservations, clock: Clock, later: float, refused: bool
) -> None:
    """Reserved at the beginning of an epoch: the lease of the database is over when it is forgotten."""
    reservations.reserve(4, ["aaaa"])
    clock.seconds += later
    assert reservations.reserve(4, ["aaaa"])[1] == (frozenset({"aaaa"}) if refused else NOTHING)


def test_a_reservation_at_the_end_of_an_epoch_holds_for_a_whole_lease(reservations: Reservations, clock: Clock) -> None:
    clock.seconds += EPOCH - 0.001
    reservations.reserve(4, ["aaaa"])
    clock.seconds += EPOCH
    assert reservations.reserve(4, ["aaaa"])[1] == {"aaaa"}


def test_a_reservation_is_released_in_the_epoch_it_was_made_in(
    reservations: Reservations, redis: FakeStrictRedis, clock: Clock
) -> None:
    held, _ = reservations.reserve(4, CODES)
    clock.seconds += EPOCH
    reservations.release(held)
    assert redis.keys() == []


def test_redis_forgets_every_set_two_epochs_after_it_began(
    reservations: Reservations, redis: FakeStrictRedis, clock: Clock
) -> None:
    """What a killed worker left behind ends by itself, however often others add to the set."""
    for second in (0.0, 10.0, EPOCH - 1):
        clock.seconds = START + second
        reservations.reserve(4, [f"{second:04.0f}"])
        ends_in = redis.pttl(present()) / 1000
        assert ends_in == pytest.approx(2 * EPOCH - second + 1, abs=1)


def test_nothing_is_asked_for_nothing(reservations: Reservations, redis: FakeStrictRedis) -> None:
    assert reservations.reserve(4, []) == (Reservation(present(), ()), NOTHING)
    assert redis.keys() == []


def test_without_redis_nothing_is_reserved_and_nothing_refused(reservations: Reservations, server: FakeServer) -> None:
    server.connected = False
    assert reservations.reserve(4, CODES) == (Reservation(present(), ()), NOTHING)


def test_redis_is_left_alone_for_a_while_after_it_failed(
    reservations: Reservations, redis: FakeStrictRedis, server: FakeServer, clock: Clock
) -> None:
    """An outage costs one time-out, not one for every chunk: what is reserved meanwhile is not even asked for."""
    server.connected = False
    reservations.reserve(4, CODES)
    server.connected = True
    clock.seconds += 4.999
    assert reservations.reserve(4, CODES)[0].codes == ()
    assert redis.keys() == []
    clock.seconds += 0.001
    assert reservations.reserve(4, CODES)[0].codes == tuple(CODES)


def test_a_release_without_redis_is_let_pass(reservations: Reservations, server: FakeServer, clock: Clock) -> None:
    """The set ends by itself; the chunk is stored and must not fail for it."""
    held, _ = reservations.reserve(4, CODES)
    server.connected = False
    reservations.release(held)
    server.connected = True
    reservations.release(held)
    clock.seconds += 5
    assert reservations.reserve(4, CODES)[1] == set(CODES)


@given(st.lists(st.sets(st.sampled_from("abcdefgh").map(lambda letter: letter * 4), min_size=1)))
def test_no_code_is_ever_reserved_twice(batches: list[set[str]]) -> None:
    redis = FakeStrictRedis()
    reservations = Reservations(redis, epoch_seconds=EPOCH, now=Clock())
    held: set[str] = set()
    for batch in batches:
        codes = sorted(batch)
        reservation, refused = reservations.reserve(4, codes)
        assert refused == batch & held
        assert set(reservation.codes) == batch - held
        held |= batch
    redis.close()
