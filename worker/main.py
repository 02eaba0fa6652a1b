"""Running a worker."""

from __future__ import annotations

import os
import secrets
import socket

from celery import Celery
from celery.signals import setup_logging, worker_process_init

from app.logs import configure_logging
from app.settings import Settings
from worker import process, tasks
from worker.celery_app import make_celery
from worker.presence import Presence


def make_worker_app(settings: Settings) -> Celery:
    """The Celery application of a worker: its tasks, its heartbeat, and a runtime for each of its processes."""
    process.configure(settings)
    celery = make_celery(settings)
    tasks.register_all(celery)
    celery.steps["consumer"].add(type("Presence", (Presence,), {"settings": settings}))
    worker_process_init.connect(_begin_process, weak=False)
    setup_logging.connect(lambda **_: configure_logging(settings), weak=False)
    return celery


def run_worker(settings: Settings, *, concurrency: int | None) -> int:
    """Runs a worker until it is told to stop; returns the process's exit code.

    SIGTERM lets the chunks in hand finish and gives everything else back.
    """
    celery = make_worker_app(settings)
    worker = celery.Worker(
        hostname=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
        concurrency=concurrency or os.cpu_count() or 1,
        loglevel=settings.log_level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _begin_process(**_: object) -> None:
    process.begin()
