"""How fast a group is being made, when it will be done, and whether it has come to a stop."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.groups import Group
from app.domain.states import GroupStatus

STALLED_AFTER_SECONDS = 30.0
"""An unfinished group to which nothing has happened for this long is told as stalled."""

NO_WORKER = "No worker is running; start one with: mintage worker"
NO_TURN = "Waiting for its turn behind other groups."
NO_CLAIM = "Its next part was handed to the queue, and no worker has taken it yet."
IN_HAND = "A worker has been making a part for longer than usual; it will be given to another one."


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of a group beyond its own row; seconds by the database's clock."""

    started_seconds_ago: float | None
    idle_seconds: float
    waiting: int
    """Chunks that wait for their turn."""
    queued: int
    """Chunks that were handed to the broker and not claimed."""
    running: int
    """Chunks that a worker has claimed."""
    workers: int
    """Workers seen lately."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A group's progress as it is pushed to those who watch."""

    status: GroupStatus
    created_codes_count: int
    total_codes_count: int
    progress: float
    codes_per_second: float | None
    """On average since the first part was begun; None before."""
    remaining_seconds: float | None
    """At that rate; 0 when completed, None where it cannot be told."""
    stalled: bool
    reason: str | None
    """Why it is stalled, or why it failed."""


def measure(group: Group, pulse: Pulse) -> Progress:
    """The progress of a group at one moment."""
    stalled = not group.status.is_terminal and pulse.idle_seconds > STALLED_AFTER_SECONDS
    rate = _rate(group, pulse)
    return Progress(
        status=group.status,
        created_codes_count=group.created_codes_count,
        total_codes_count=group.total_codes_count,
        progress=group.progress,
        codes_per_second=rate,
        remaining_seconds=_remaining(group, rate),
        stalled=stalled,
        reason=_reason(pulse) if stalled else group.error,
    )


def _rate(group: Group, pulse: Pulse) -> float | None:
    if group.started_at is not None and group.finished_at is not None:
        elapsed: float | None = (group.finished_at - group.started_at).total_seconds()
    else:
        elapsed = pulse.started_seconds_ago
    return round(group.created_codes_count / elapsed, 1) if elapsed and group.created_codes_count else None


def _remaining(group: Group, rate: float | None) -> float | None:
    if group.status is GroupStatus.COMPLETED:
        return 0.0
    if group.status.is_terminal or not rate:
        return None
    return round((group.total_codes_count - group.created_codes_count) / rate, 1)


def _reason(pulse: Pulse) -> str:
    if not pulse.workers:
        return NO_WORKER
    if pulse.running:
        return IN_HAND
    return NO_CLAIM if pulse.queued else NO_TURN
