"""Requests that wait for something: only so many at once, so that they never take every thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

MOST_WAITING = 4
"""Requests of one process that may wait at once; half of the server's threads."""

_places = BoundedSemaphore(MOST_WAITING)


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
