"""Waiting for a state with a deadline, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from app.local.process_table import is_running


def eventually(holds: Callable[[], object], within: float = 10.0) -> None:
    """Returns as soon as `holds()` is true; fails the test after `within` seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not the case after {within} s"
        time.sleep(0.02)


def all_gone(pids: Iterable[int]) -> bool:
    """Whether none of these processes runs."""
    return not any(is_running(pid) for pid in pids)
