"""psycopg's connection, with an end to every wait: also for a server that is frozen and so cannot time out by itself."""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

DEFAULT_INTERVAL = 0.1
RV = TypeVar("RV")


class PatientConnection(psycopg.Connection[Any]):
    """A connection that gives a silent server up.

    PostgreSQL ends a statement that takes too long by itself; `patience` is for the case that it does not even do that.
    """

    patience: float | None = None
    """Seconds that one wait for the server may take; None waits for ever."""

    def wait(self, gen: PQGen[RV], interval: float = DEFAULT_INTERVAL, timeout: float | None = None) -> RV:
        """As psycopg's own; raises OperationalError and closes the connection when the patience is over."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The answer may still come, and would be taken for the answer to something else.
                self.pgconn.finish()
            raise
