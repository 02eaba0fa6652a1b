"""How long, and how often, a request is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """The bounds of trying again after a broken connection, a 429 or a 503.

    At most `attempts` requests in all, and no new one later than `seconds` after the first; a `Retry-After` that would
    lead beyond is not waited for. `sleep` and `clock` are there for tests and for other event loops.
    """

    attempts: int = 8
    seconds: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def tries(self, seconds: float | None = None) -> Tries:
        """A fresh count for one request, within the shorter of `seconds` and the own bound."""
        return Tries(self, self.seconds if seconds is None else min(self.seconds, seconds))


class Tries:
    """The attempts at one request so far."""

    def __init__(self, patience: Patience, seconds: float) -> None:
        """Starts counting with the first attempt, which is about to be made."""
        self._patience = patience
        self._deadline = patience.clock() + seconds
        self.made = 1

    def another(self, retry_after: float | None) -> bool:
        """Sleeps as the server asked, or else for a doubling pause, and returns True; False at once where the bounds end."""
        pause = self._backoff() if retry_after is None else retry_after
        if self.made >= self._patience.attempts or self._patience.clock() + pause > self._deadline:
            return False
        self._patience.sleep(pause)
        self.made += 1
        return True

    def _backoff(self) -> float:
        """Half of it by chance, so that many clients do not come back in step."""
        longest: float = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (self.made - 1))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
