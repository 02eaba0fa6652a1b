"""Celery, with every setting that keeps work from being lost. docs/operations.md tells what each is for."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Queue
from kombu.transport import redis, virtual

from app.jobs import QUEUES
from app.settings import Settings

VISIBILITY_TIMEOUT_SECONDS = 300
"""After this the broker hands out again what nobody acknowledged; far above the time limit of a task."""
_PREFIX = "mintage.broker."


class ForgivingQoS(redis.QoS):
    """What a worker has received and not acknowledged, where a failed acknowledgement gives its place free as well.

    kombu 5.7 keeps the place taken then. A worker whose every place was taken by a chunk in hand when Redis went away
    would never ask Redis for another message, and never learn that its connection broke: alive, present, and idle for
    good. The message itself comes back after the visibility timeout and finds its chunk done.
    """

    def ack(self, delivery_tag: str) -> None:
        """As kombu's; raises what that raises."""
        try:
            super().ack(delivery_tag)
        finally:
            virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """As kombu's; raises what that raises."""
        try:
            super().reject(delivery_tag, requeue)
        finally:
            virtual.QoS.ack(self, delivery_tag)


redis.Channel.QoS = ForgivingQoS  # kombu's own place for another class; Sentinel's channel inherits it


def make_celery(settings: Settings, *, publisher: bool = False) -> Celery:
    """A Celery application for a worker, or for a `publisher`, which must never wait long for the broker."""
    celery = Celery("mintage", broker=settings.broker_url, set_as_current=False)
    celery.conf.update(_configuration(settings, publisher=publisher))
    return celery


def _configuration(settings: Settings, *, publisher: bool) -> dict[str, Any]:
    return {
        # The database owns the work list, and groups carry their own state: no results to keep, and none to wait for.
        "result_backend": None,
        "task_ignore_result": True,
        # A message is acknowledged after its work, and comes back when its process is killed.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # Soft, hard, lease, visibility: each must end before the next one.
        "task_soft_time_limit": settings.task_time_limit * 0.8,
        "task_time_limit": settings.task_time_limit,
        # Nothing but JSON is read from the broker, and nothing but ids is in it.
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_queues": [Queue(name, routing_key=name, queue_arguments=_queue_arguments(settings)) for name in QUEUES],
        "task_default_queue": QUEUES[0],
        "task_create_missing_queues": False,
        "task_publish_retry": False,
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": _transport(settings.broker_url, publisher=publisher),
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_max_tasks_per_child": 5_000,
        "worker_max_memory_per_child": 200_000,
        "worker_proc_alive_timeout": 30,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_redirect_stdouts": False,
        "worker_hijack_root_logger": False,
        "event_queue_prefix": _PREFIX + "events",
    }


def _queue_arguments(settings: Settings) -> dict[str, str] | None:
    """RabbitMQ keeps the queues replicated; other brokers know only one kind."""
    return {"x-queue-type": "quorum"} if settings.broker_url.startswith(("amqp", "pyamqp")) else None


def _transport(broker_url: str, *, publisher: bool) -> dict[str, Any]:
    """Options of the Redis transport; a half-open connection freezes a worker for good without the socket time-out."""
    if not broker_url.startswith(("redis", "rediss", "sentinel")):
        return {"confirm_publish": True, "max_retries": 0} if publisher else {"confirm_publish": True}
    options: dict[str, Any] = {
        "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 1 if publisher else 5,
        "socket_connect_timeout": 1 if publisher else 2,
        "socket_keepalive": True,
        "health_check_interval": 5,
        "global_keyprefix": _PREFIX,
    }
    return options | ({"max_retries": 0} if publisher else {})
