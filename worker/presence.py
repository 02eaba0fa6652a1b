"""A worker's heartbeat: a row that says it is there and takes messages.

The report comes from a thread, so that a database that hangs does not hold up the worker. But it is made only while the
worker's own event loop still ticks: a worker that is alive and consumes nothing falls silent.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

import structlog
from celery import bootsteps
from celery.worker import state

from app.errors import StoreUnavailable
from app.jobs import QUEUES
from app.runtime import Runtime, make_runtime
from app.settings import Settings
from app.store.queries import workers
from app.store.queries.workers import Worker

log = structlog.get_logger(__name__)

_TICK_SECONDS = 1.0
_TICKS_MISSED = 10


class Presence(bootsteps.StartStopStep):
    """The step of a Celery consumer that keeps the heartbeat; it stops and starts with the broker's connection."""

    settings: Settings

    def __init__(self, parent: Any, **options: Any) -> None:
        """Takes what Celery gives every step."""
        super().__init__(parent, **options)
        self._thread: Heartbeat | None = None

    def start(self, parent: Any) -> None:
        """Begins to report, now that messages come in."""
        self._thread = Heartbeat(self.settings, parent.hostname, parent.controller.pool.limit or 1)
        parent.timer.call_repeatedly(_TICK_SECONDS, self._thread.tick)
        self._thread.start()

    def stop(self, parent: Any) -> None:  # Celery's own interface
        """Takes the worker's name off the list."""
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    shutdown = stop


class Heartbeat(threading.Thread):
    """Reports one worker every few seconds."""

    def __init__(self, settings: Settings, name: str, concurrency: int) -> None:
        """Takes the worker's name and how many chunks it makes at once."""
        super().__init__(name="heartbeat", daemon=True)
        self._settings, self._worker, self._concurrency = settings, name, concurrency
        self._ended = threading.Event()
        self._ticked = time.monotonic()

    def tick(self) -> None:
        """Notes that the worker's loop goes round."""
        self._ticked = time.monotonic()

    def end(self) -> None:
        """Stops reporting."""
        self._ended.set()
        self.join(timeout=5)

    def run(self) -> None:
        """Reports until ended."""
        runtime = make_runtime(self._settings, pool_size=1)
        try:
            while not self._ended.is_set():
                self._report(runtime)
                self._ended.wait(self._settings.heartbeat_seconds)
            self._leave(runtime)
        finally:
            runtime.close()

    def _report(self, runtime: Runtime) -> None:
        if time.monotonic() - self._ticked > _TICKS_MISSED * _TICK_SECONDS:
            log.error("worker.not_consuming", silent_seconds=round(time.monotonic() - self._ticked))
            return
        try:
            with runtime.transaction() as conn:
                workers.report(conn, self._present())
        except StoreUnavailable as error:
            log.warning("worker.heartbeat_missed", error=type(error).__name__)

    def _present(self) -> Worker:
        done = sum(state.total_count.values()) - len(state.active_requests)
        return Worker(self._worker, socket.gethostname(), os.getpid(), QUEUES, self._concurrency, done)

    def _leave(self, runtime: Runtime) -> None:
        try:
            with runtime.transaction() as conn:
                workers.leave(conn, self._worker)
        except StoreUnavailable as error:
            log.warning("worker.heartbeat_missed", error=type(error).__name__)
