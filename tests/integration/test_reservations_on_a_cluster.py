"""The reservation sets on a cluster: one hash tag a set, so that every call stays on one node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.cluster import RedisCluster

from app.cache.client import close_redis, make_redis
from app.cache.reservations import Reservations
from app.local.servers import LocalServers
from app.settings import Settings
from tests.local.waiting import eventually
from tests.stores import SECRET


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """A cluster of one node, reached by the URL an operator would give."""
    folder = tmp_path_factory.mktemp("cluster") / "data"
    with LocalServers(folder, postgres=False, valkey_settings={"cluster-enabled": "yes"}) as servers:
        node = Redis.from_url(servers.redis_url)
        node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: b"cluster_state:ok" in node.execute_command("CLUSTER", "INFO"))
        node.close()
        url = servers.redis_url.replace("redis://", "redis+cluster://").removesuffix("/0")
        client = make_redis(Settings.model_validate({"database_url": "postgresql://", "redis_url": url, "secret_key": SECRET}))
        assert isinstance(client, RedisCluster)
        yield client
        close_redis(client)


def test_codes_are_reserved_refused_and_given_back(cluster: RedisCluster) -> None:
    sets = Reservations(cluster, epoch_seconds=30)
    mine, refused = sets.reserve(6, ["aaaaaa", "bbbbbb"])
    assert (mine.codes, refused) == (("aaaaaa", "bbbbbb"), frozenset())
    other, refused = sets.reserve(6, ["bbbbbb", "cccccc"])
    assert (other.codes, refused) == (("cccccc",), frozenset({"bbbbbb"}))
    sets.release(mine)
    sets.release(other)
    assert list(cluster.scan_iter("mintage:reserved:*")) == []


def test_an_epoch_s_set_and_the_one_before_are_on_one_node(cluster: RedisCluster) -> None:
    """A script may only touch keys of one slot; every length and every epoch boundary must get through."""
    moment = [0.0]
    sets = Reservations(cluster, epoch_seconds=30, now=lambda: moment[0])
    for length in range(4, 21):
        code = "a" * length
        moment[0] = 4_000_000_000.0 + length * 300
        first, _ = sets.reserve(length, [code])
        moment[0] += 30
        _, refused = sets.reserve(length, [code])
        assert refused == frozenset({code})
        sets.release(first)
