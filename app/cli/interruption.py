"""Ending in good order on Ctrl-C and on SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM came; `exit_code` is the one that shells have for it."""

    def __init__(self, number: int) -> None:
        """Takes the signal."""
        self.exit_code = 128 + number
        super().__init__()


@contextmanager
def interruptible() -> Iterator[None]:
    """Both signals raise Interrupted in the main thread, even where the caller's shell had them ignored; put back afterwards."""
    before = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_further_signals() -> None:
    """Lets a clean-up that is bounded in time finish; lasts until `interruptible` ends."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)
