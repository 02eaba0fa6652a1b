"""The wrapper that every task runs in: the process's runtime, one log line, and no error that would stop the worker."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from celery import Celery
from structlog.contextvars import bound_contextvars

from app.errors import StoreUnavailable
from app.jobs import Job
from app.runtime import Runtime
from worker.process import runtime

log = structlog.get_logger(__name__)

Work = Callable[[Runtime, int], object]
"""A use case: takes the process's runtime and the message's argument, returns something to log."""


def register(celery: Celery, job: Job, work: Work) -> None:
    """Makes `work` the task of a job.

    Whatever it raises is logged and the message acknowledged all the same: the database knows what is still to be done,
    and the dispatcher sends it again.
    """

    def run(argument: int) -> None:
        begun = time.perf_counter()
        with bound_contextvars(job=job.name, argument=argument):
            try:
                outcome = work(runtime(), argument)
            except StoreUnavailable as error:
                log.warning("job.postponed", error=type(error).__name__)
            except Exception:
                log.exception("job.failed")
            else:
                log.info("job.done", outcome=str(outcome), seconds=round(time.perf_counter() - begun, 4))

    celery.task(run, name=job.name)
