"""When a child that has ended is started again: a rule without clock or processes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """How patient a supervisor is with a child; all times in seconds."""

    first_pause: float = 0.2
    longest_pause: float = 5.0
    steady_after: float = 30.0
    """A child that lived this long starts with a clean slate."""
    attempts: int = 10
    """So many restarts `within` a time, and the child has failed."""
    within: float = 60.0


class Restarts:
    """The recent ends of one child."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._recent: deque[float] = deque()
        self._pause = policy.first_pause

    def pause_after(self, started: float, ended: float) -> float | None:
        """Takes note of an end and says how long to wait before the next start; None if there is to be none."""
        if ended - started >= self._policy.steady_after:
            self._recent.clear()
            self._pause = self._policy.first_pause
        while self._recent and ended - self._recent[0] > self._policy.within:
            self._recent.popleft()
        self._recent.append(ended)
        if len(self._recent) > self._policy.attempts:
            return None
        pause = self._pause
        self._pause = min(2 * pause, self._policy.longest_pause)
        return pause
