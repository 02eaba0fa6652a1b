"""The one place that makes Redis clients."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

from app.settings import Settings


def make_redis(settings: Settings) -> Redis | RedisCluster:
    """A client for one process; connects lazily, gives every call up after the configured time and does not try again.

    `redis+cluster://` in the URL means a cluster. The driver's own defaults keep one call waiting for a minute.
    """
    url, timeout = settings.redis_url.get_secret_value(), settings.redis_timeout_seconds
    if url.startswith("redis+cluster://"):
        return RedisCluster.from_url(
            url.replace("redis+cluster://", "redis://", 1), socket_timeout=timeout, socket_connect_timeout=timeout
        )
    return Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0), health_check_interval=0
    )


def close_redis(client: Redis | RedisCluster) -> None:
    """Closes a client's connections; a cluster's close() leaves those to its nodes open."""
    if isinstance(client, RedisCluster):
        client.disconnect_connection_pools()  # type: ignore[no-untyped-call]  # redis-py is partly typed
    client.close()
