"""Requests that hold a thread while they wait: only so many at once, so that they never take every thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from app.errors import StoreUnavailable

MOST_WAITING = 3
"""Requests of one process that may wait for a group at once; they and the watchers leave threads for everybody else."""
MOST_WATCHING = 3
"""Streams of events that one process may have open at once."""

_places = BoundedSemaphore(MOST_WAITING)
_seats = BoundedSemaphore(MOST_WATCHING)


class TooManyWatchers(StoreUnavailable):
    """As many event streams are open as this server allows; poll the group instead, or try again later."""


@contextmanager
def waiting_room(seconds: float) -> Iterator[float]:
    """The seconds to wait: as asked where a place is free, else 0. A preference may be ignored (RFC 7240, section 2)."""
    if seconds <= 0 or not _places.acquire(blocking=False):
        yield 0
        return
    try:
        yield seconds
    finally:
        _places.release()


def take_seat() -> None:
    """Takes a place among the watchers. Raises TooManyWatchers where all are taken; `leave_seat` gives it back."""
    if not _seats.acquire(blocking=False):
        raise TooManyWatchers


def leave_seat() -> None:
    """Gives a watcher's place back."""
    _seats.release()
