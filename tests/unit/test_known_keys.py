"""For how long a checked key is taken as good."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.domain.access_keys import Principal, Scope
from app.http.auth import REMEMBERED_SECONDS, KnownKeys

SOMEBODY = Principal(UUID(int=1), frozenset({Scope.ADMIN}))


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("later", "known"), [(0.0, True), (REMEMBERED_SECONDS - 0.001, True), (REMEMBERED_SECONDS, False), (1e9, False)]
)
def test_a_key_is_known_for_a_second(later: float, known: bool) -> None:
    clock = Clock()
    keys = KnownKeys(clock)
    keys.put(b"a", SOMEBODY)
    clock.seconds += later
    assert keys.get(b"a") == (SOMEBODY if known else None)


def test_a_revoked_key_lives_for_a_second_at_most() -> None:
    assert REMEMBERED_SECONDS <= 1


def test_asking_for_a_key_does_not_keep_it() -> None:
    clock = Clock()
    keys = KnownKeys(clock)
    keys.put(b"a", SOMEBODY)
    for _ in range(10):
        clock.seconds += 0.3
        keys.get(b"a")
    assert keys.get(b"a") is None


def test_a_key_never_seen_is_not_known() -> None:
    assert KnownKeys(Clock()).get(b"a") is None


def test_the_number_of_remembered_keys_is_bounded() -> None:
    """Whoever sends many keys cannot fill the memory; the latest one is always known."""
    keys = KnownKeys(Clock())
    for number in range(5_000):
        keys.put(number.to_bytes(2, "big"), SOMEBODY)
        assert keys.get(number.to_bytes(2, "big")) is SOMEBODY
    known = [number for number in range(5_000) if keys.get(number.to_bytes(2, "big"))]
    assert len(known) <= 1_024
