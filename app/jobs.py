"""Every job: its name, its queue and what its message carries. Sending is by name; the tasks stand in `worker.tasks`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of message."""

    name: str
    queue: str
    payload: str
    """What the one argument of the message is."""


MAKE_CHUNK = Job(name="mintage.make_chunk", queue="mintage.chunks", payload="the id of a chunk")

JOBS = (MAKE_CHUNK,)
QUEUES = tuple(dict.fromkeys(job.queue for job in JOBS))
