"""The dispatcher: hands waiting chunks to Celery, API keys in turn, and sends again what was lost.

A commit that adds work wakes it by NOTIFY; once a second it looks around by itself. Any number may run: one at a time
admits, the others stand by.
"""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType

import psycopg
import structlog
from celery import Celery
from kombu.exceptions import OperationalError as BrokerError

from app.errors import StoreUnavailable
from app.jobs import MAKE_CHUNK
from app.runtime import Runtime
from app.services import reconcile
from app.store.queries.chunks import Sent
from app.store.wakeup import Wakeup

log = structlog.get_logger(__name__)

_SHORTEST_LOOK = 0.01
_LONGEST_LOOK = 0.1
"""Bounds, in seconds, of how soon to look again while chunks wait for room in the queue."""
_FAILURE_SECONDS = 1.0
"""How long to wait after a store or the broker failed."""


class Dispatcher:
    """One dispatcher's loop."""

    def __init__(self, runtime: Runtime, celery: Celery, wakeup: Wakeup) -> None:
        """Takes the stores, a publishing Celery application, and what wakes it."""
        self._runtime, self._celery, self._wakeup = runtime, celery, wakeup
        self._ended = threading.Event()
        self._next_sweep = 0.0
        self._window = 1
        self._look_after = _SHORTEST_LOOK

    def stop(self, *_: int | FrameType | None) -> None:
        """Ends the loop after what it is doing; fit to be a signal handler."""
        self._ended.set()

    def run(self) -> None:
        """Dispatches until stopped; survives outages of every store."""
        log.info("dispatcher.started")
        while not self._ended.is_set():
            try:
                if self.step():
                    # The queue is full: what is added meanwhile could not be sent either.
                    self._ended.wait(self._look_after)
                else:
                    self._wakeup.wait(max(0.0, self._next_sweep - time.monotonic()))
            except (StoreUnavailable, BrokerError, psycopg.OperationalError) as error:
                log.warning("dispatcher.waiting", error=type(error).__name__, reason=str(error))
                self._ended.wait(_FAILURE_SECONDS)
        log.info("dispatcher.stopped")

    def step(self) -> bool:
        """Sweeps if it is time, hands out what there is room for, and returns whether chunks still wait for room."""
        if time.monotonic() >= self._next_sweep:
            self._sweep()
            self._next_sweep = time.monotonic() + self._runtime.settings.sweep_seconds
        self._keep_pace(self._send_next())
        return self._is_waiting()

    def _keep_pace(self, sent: int) -> None:
        """Looks sooner where half of the window or more had been worked off since the last look, later where nothing had."""
        if sent >= self._window / 2:
            self._look_after = max(_SHORTEST_LOOK, self._look_after / 2)
        elif not sent:
            self._look_after = min(_LONGEST_LOOK, self._look_after * 1.5)

    def _sweep(self) -> None:
        with self._runtime.transaction() as conn:
            swept = reconcile.sweep(conn, self._runtime.settings)
            self._window = reconcile.window(conn, self._runtime.settings)
        if swept:
            log.warning(
                "dispatcher.swept",
                resent=swept.resent,
                reclaimed=swept.reclaimed,
                cleared=swept.cleared,
                failed=[str(group_id) for group_id in swept.failed],
            )

    def _send_next(self) -> int:
        """Hands admitted chunks to the broker; what it does not take goes back on the work list."""
        with self._runtime.transaction() as conn:
            sent = reconcile.admit(conn, self._window)
        for place, chunk in enumerate(sent):
            try:
                self._publish(chunk)
            except Exception:
                with self._runtime.transaction() as conn:
                    reconcile.withdraw(conn, sent[place:])
                raise
        return len(sent)

    def _is_waiting(self) -> bool:
        with self._runtime.reading() as conn:
            return reconcile.is_waiting(conn)

    def _publish(self, chunk: Sent) -> None:
        self._celery.send_task(MAKE_CHUNK.name, args=(chunk.chunk_id,), queue=MAKE_CHUNK.queue, ignore_result=True)


def run_dispatcher(runtime: Runtime, celery: Celery) -> None:
    """Runs a dispatcher until SIGTERM or SIGINT."""
    with Wakeup(runtime.settings) as wakeup:
        dispatcher = Dispatcher(runtime, celery, wakeup)
        signal.signal(signal.SIGTERM, dispatcher.stop)
        signal.signal(signal.SIGINT, dispatcher.stop)
        dispatcher.run()
