"""Being woken by a commit that added work."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import psycopg

from app.settings import Settings
from app.store.queries.chunks import WAKE_CHANNEL
from app.store.session import CONNECT_TIMEOUT_SECONDS


class Wakeup:
    """A connection that listens; made again by itself after it broke."""

    def __init__(self, settings: Settings) -> None:
        """Connects at the first wait."""
        self._url = settings.database_url.get_secret_value()
        self._conn: psycopg.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._drop()

    def wait(self, seconds: float) -> bool:
        """Waits for a notification, at most so long; returns whether one came. Raises psycopg.OperationalError.

        The first call after a break returns True at once, because what was notified meanwhile is lost.
        """
        if self._conn is None:
            self._conn = psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS)
            self._conn.execute(f"LISTEN {WAKE_CHANNEL}")
            return True
        try:
            return any(True for _ in self._conn.notifies(timeout=seconds, stop_after=1))
        except psycopg.OperationalError:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None
