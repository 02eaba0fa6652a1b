"""From the POST to the finished group, against one COPY of the same rows; and where the time goes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

import psycopg

from app.local.servers import LocalServers
from benchmarks import copying, steps
from benchmarks.figures import Figure, Result, Target
from benchmarks.stack import Service, a_service, wait_for
from benchmarks.wire import Channel

PAIRS = 30
_WARM_UP = 5
_POLL_EVERY = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """The moments of one group, by the clock that this process and the database share."""

    sent: float
    accepted: float
    admitted: float
    claimed: float
    stored: float
    seen: float


def measure(servers: LocalServers) -> Result:
    """Makes groups one at a time, each followed by a COPY of as many rows; medians."""
    with a_service(servers) as service:
        copying.make_table(service)
        with Channel(service.port) as channel, psycopg.connect(service.database_url, autocommit=True) as writer:
            pairs = [(_one_group(service, channel), _one_copy(writer)) for _ in range(_WARM_UP + PAIRS)][_WARM_UP:]
        service.supervisor.stop()
        within = steps.inside_a_worker(service)
    ours = median((run.seen - run.sent) * 1000 for run, _ in pairs)
    theirs = median(copied * 1000 for _, copied in pairs)
    figure = Figure("POST to completed, 10,000 codes, median", ours, "ms", Target(2.5, 1.8, at_most=True), theirs, "one COPY")
    note = f"{PAIRS} pairs; polled every {_POLL_EVERY * 1000:g} ms; steps in a worker replayed alone, for all chunks of a group"
    stages = _stages([run for run, _ in pairs])
    return Result("latency", [figure], [note], [*stages, *within], "From the POST to the finished group")


def _one_group(service: Service, channel: Channel) -> Run:
    sent = time.time()
    answer = channel.ask(service.a_post())
    accepted = time.time()
    group_id = str(answer.json()["id"])
    wire = service.a_poll(group_id)
    wait_for(lambda: channel.ask(wire).json()["status"] == "completed", 30, every=_POLL_EVERY)
    seen = time.time()
    (row,) = service.rows(
        """
        SELECT extract(epoch FROM min(chunks.sent_at)) AS admitted, extract(epoch FROM min(started_at)) AS claimed,
               extract(epoch FROM max(code_groups.finished_at)) AS stored
        FROM code_groups JOIN chunks ON group_id = code_groups.id WHERE code_groups.id = CAST(:id AS uuid)
        """,
        id=group_id,
    )
    return Run(sent, accepted, float(row.admitted), float(row.claimed), float(row.stored), seen)


def _one_copy(writer: psycopg.Connection) -> float:
    block = copying.a_block()
    begun = time.perf_counter()
    copying.copy_in(writer, block)
    return time.perf_counter() - begun


def _stages(runs: list[Run]) -> list[tuple[str, float]]:
    """The stages that follow one another, then the answer to the POST, which runs beside the second."""

    def stage(begin: str, end: str) -> float:
        return median((float(getattr(run, end)) - float(getattr(run, begin))) * 1000 for run in runs)

    return [
        ("1 sent → admitted by the dispatcher (POST handled, committed, NOTIFY)", stage("sent", "admitted")),
        ("2 admitted → first chunk claimed (commit, publish, Celery, claim)", stage("admitted", "claimed")),
        ("3 first chunk claimed → last chunk stored (2 workers)", stage("claimed", "stored")),
        ("4 stored → seen by a poll", stage("stored", "seen")),
        ("POST alone: sent → 202", stage("sent", "accepted")),
    ]
