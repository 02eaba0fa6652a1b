"""The composition root: settings become engines, clients and transactions. The one place that commits."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from uuid import UUID

from kombu.connection import Connection as BrokerConnection
from redis import Redis
from redis.cluster import RedisCluster
from sqlalchemy import Connection, Engine

from app.cache.client import close_redis, make_redis
from app.cache.reservations import Reservations
from app.domain.access_keys import Principal
from app.domain.generation import RandomBytes
from app.domain.groups import Group
from app.domain.progress import Progress
from app.errors import DatabaseUnavailable
from app.services import groups, health, issuance, metrics, progress, reconcile
from app.services.health import Check
from app.services.metrics import Metrics
from app.settings import Settings
from app.store.session import connection, make_engine

_FIRST_LOOK_SECONDS = 0.01
_LONGEST_LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Runtime:
    """One process's way to the stores. Connects lazily; safe to share between threads, not across a fork."""

    settings: Settings
    engine: Engine
    redis: Redis | RedisCluster
    reservations: Reservations
    random_bytes: RandomBytes = field(default=os.urandom)

    @property
    def secret(self) -> bytes:
        """The service's secret, from which every keyed hash is made."""
        return self.settings.secret_key.get_secret_value().encode()

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction that is committed at the end of the block, or rolled back by an exception."""
        return connection(self.engine, "READ COMMITTED")

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection for single statements, each its own transaction: no round trips for beginning and ending one."""
        return connection(self.engine, "AUTOCOMMIT")

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state of the database throughout."""
        return connection(self.engine, "REPEATABLE READ")

    def issuance(self, worker: str) -> issuance.Engine:
        """What a worker of that name needs to make chunks."""
        return issuance.Engine(
            begin=self.transaction,
            reservations=self.reservations,
            random_bytes=self.random_bytes,
            worker=worker,
            lease_seconds=self.settings.lease_seconds,
            max_attempts=self.settings.max_attempts,
        )

    def wait_for_group(self, principal: Principal, group_id: UUID, seconds: float) -> Group:
        """The group once it is in a terminal state, or as it stands after `seconds`; holds no connection while it waits."""
        deadline, pause = time.monotonic() + seconds, _FIRST_LOOK_SECONDS
        while True:
            with self.reading() as conn:
                group = groups.get(conn, principal, group_id)
            left = deadline - time.monotonic()
            if group.status.is_terminal or left <= 0:
                return group
            time.sleep(min(pause, left))
            pause = min(pause * 1.3, _LONGEST_LOOK_SECONDS)

    def progress(self, principal: Principal, group_id: UUID) -> Progress:
        """The group's progress now. Raises NotFound."""
        with self.reading() as conn:
            return progress.current(conn, principal, group_id, worker_gone_seconds=reconcile.worker_gone_seconds(self.settings))

    def metrics(self) -> Metrics:
        """The numbers an operator watches, of one moment."""
        with self.snapshot() as conn:
            return metrics.read(conn, worker_gone_seconds=reconcile.worker_gone_seconds(self.settings))

    def readiness(self) -> list[Check]:
        """One check for each thing the service needs, whatever their answers."""
        gone = reconcile.worker_gone_seconds(self.settings)
        checks = [health.check_server("redis", self.redis.ping), health.check_server("broker", self._ping_broker)]
        try:
            with self.reading() as conn:
                schema = health.check_schema(conn)
                workers = health.check_workers(conn, gone) if schema.ok else Check("workers", False, "not known")
        except DatabaseUnavailable:
            return [Check("database", False, "not reachable"), *checks]
        return [Check("database", True, "reachable"), *checks, schema, workers]

    def _ping_broker(self) -> None:
        timeout = self.settings.redis_timeout_seconds
        options = {"socket_timeout": timeout, "socket_connect_timeout": timeout, "max_retries": 0}
        with BrokerConnection(self.settings.broker_url, connect_timeout=timeout, transport_options=options) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=timeout)

    def close(self) -> None:
        """Closes every connection of this process."""
        self.engine.dispose()
        close_redis(self.redis)


def make_runtime(settings: Settings, *, pool_size: int | None = None) -> Runtime:
    """A runtime for one process; nothing is connected yet."""
    redis = make_redis(settings)
    return Runtime(
        settings=settings,
        engine=make_engine(settings, pool_size=pool_size),
        redis=redis,
        reservations=Reservations(redis, epoch_seconds=settings.lease_seconds),
    )
