"""RabbitMQ as the broker: quorum queues, the same exactness.

Needs a RabbitMQ that allows its guest on the loopback address, or another one named by MINTAGE_TEST_AMQP_URL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from app.jobs import QUEUES
from tests.local.waiting import eventually
from tests.pipeline.stack import Stack, a_stack
from tests.stores import Stores

AMQP_URL = os.environ.get("MINTAGE_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//")


def _delete_queues(broker: Connection) -> None:
    for name in QUEUES:
        broker.default_channel.queue_delete(name)


@pytest.fixture
def amqp_url() -> Iterator[str]:
    with Connection(AMQP_URL, connect_timeout=2) as broker:
        try:
            broker.ensure_connection(max_retries=1, timeout=2)
        except (OperationalError, OSError) as error:
            pytest.skip(f"no RabbitMQ at 127.0.0.1:5672 and none named by MINTAGE_TEST_AMQP_URL ({type(error).__name__})")
        _delete_queues(broker)
        yield AMQP_URL
        _delete_queues(broker)


def test_groups_are_made_through_rabbitmq(stores: Stores, amqp_url: str, tmp_path: Path) -> None:
    with a_stack(stores, tmp_path, workers=2, celery_broker_url=amqp_url) as stack:
        course = stack.a_course()
        groups = [stack.client.create_group(f"G{n}", code_length=12, total=4_000, courses=[course]) for n in range(5)]
        for group in groups:
            assert stack.client.wait(group, timeout=60).created_codes_count == 4_000
        assert stack.stored_and_different() == (20_000, 20_000)
        assert_no_message_is_left(stack)


def assert_no_message_is_left(stack: Stack) -> None:
    """Every message was acknowledged: nothing would be handed out again."""
    with Connection(AMQP_URL) as broker:

        def waiting() -> int:
            return sum(broker.default_channel.queue_declare(name, passive=True).message_count for name in QUEUES)

        eventually(lambda: waiting() == 0)
    stack.supervisor.stop()
    with Connection(AMQP_URL) as broker:
        assert sum(broker.default_channel.queue_declare(name, passive=True).message_count for name in QUEUES) == 0
