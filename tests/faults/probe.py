"""A client that asks all the time while a store is away, and keeps what it was answered."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from tests.faults.shift import Shift

LONGEST_ANSWER = 6.0
"""Seconds within which every request must be answered, whatever is away: connecting to PostgreSQL may take 2 s, waiting
for one of the pool's connections another 2 s."""
LONGEST_SILENCE = 20.0
"""The same where PostgreSQL takes a statement and says nothing: MINTAGE_STATEMENT_TIMEOUT_MS (15 s) and a grace of 1 s."""
_ALLOWED = {200, 202, 304, 503}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back to one request."""

    what: str
    status: int
    seconds: float
    whole: bool
    """Whether a refusal has all it must: Retry-After, and a sentence in the envelope."""


class Probe:
    """Polls a group, lists groups and posts, over and over, each tried once; a context manager."""

    def __init__(self, shift: Shift, patience: float = LONGEST_ANSWER) -> None:
        """`patience`: the seconds within which every request must be answered."""
        self._shift = shift
        self._patience = patience
        self._group = shift.post(100).id
        self.answers: list[Answer] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="probe", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join(60)

    def report(self, shift: Shift, *, must_refuse: bool = True) -> None:
        """Notes on the shift how many requests were refused, and complains of every answer that should not be.

        `must_refuse`: whether none refused means that the fault was never felt.
        """
        refused = [answer for answer in self.answers if answer.status == 503]
        slowest = max((answer.seconds for answer in self.answers), default=0.0)
        shift.notes.append(f"{len(refused)} of {len(self.answers)} requests 503, slowest {slowest:.1f} s")
        if must_refuse and not refused:
            shift.complaints.append("the API never noticed that PostgreSQL was away")
        shift.complaints += [
            f"{answer.what} was answered {answer.status} after {answer.seconds:.1f} s"
            for answer in self.answers
            if answer.status not in _ALLOWED or answer.seconds > self._patience or not answer.whole
        ]

    def _go_on(self) -> None:
        while not self._ended.is_set():
            self._ask("GET group", lambda: self._shift.request("GET", f"/redemptionCodes/{self._group}", timeout=30))
            self._ask("GET groups", lambda: self._shift.request("GET", "/redemptionCodes", timeout=30))
            self._ask("POST group", lambda: self._shift.post_once(100, seconds=30))
            self._ended.wait(0.05)

    def _ask(self, what: str, send: object) -> None:
        begun = time.monotonic()
        try:
            answer = send()  # type: ignore[operator]
        except httpx.TransportError as error:
            self.answers.append(Answer(f"{what} ({type(error).__name__})", 0, time.monotonic() - begun, False))
            return
        seconds = time.monotonic() - begun
        self.answers.append(Answer(what, answer.status_code, seconds, _is_whole(answer)))


def _is_whole(answer: httpx.Response) -> bool:
    if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
        return True
    errors = answer.json().get("errors")
    return bool(answer.headers.get("Retry-After", "").isdecimal() and isinstance(errors, list) and len(errors) == 1)
