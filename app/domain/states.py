"""The states of groups and chunks, and the moves between them.

docs/states.md draws both machines. The moves themselves are conditional UPDATE statements (`app.store.queries`), so that
two processes can never both make one.
"""

from __future__ import annotations

from enum import StrEnum


class GroupStatus(StrEnum):
    """Where the making of a group stands."""

    PENDING = "pending"
    """Accepted and stored; no worker has begun."""
    PROCESSING = "processing"
    """At least one chunk was claimed."""
    COMPLETED = "completed"
    """Exactly totalCodesCount codes are stored."""
    FAILED = "failed"
    """A chunk could not be made; the codes made so far stay, `error` says why."""
    CANCELLED = "cancelled"
    """Stopped on request."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens to the group by itself."""
        return self in TERMINAL


TERMINAL = frozenset({GroupStatus.COMPLETED, GroupStatus.FAILED, GroupStatus.CANCELLED})

UNFINISHED = frozenset({GroupStatus.PENDING, GroupStatus.PROCESSING})
RESUMABLE = frozenset({GroupStatus.FAILED, GroupStatus.CANCELLED})
EXTENDABLE = frozenset({GroupStatus.COMPLETED})

GROUP_MOVES: dict[GroupStatus, frozenset[GroupStatus]] = {
    GroupStatus.PENDING: frozenset({GroupStatus.PROCESSING, GroupStatus.COMPLETED, GroupStatus.FAILED, GroupStatus.CANCELLED}),
    GroupStatus.PROCESSING: frozenset({GroupStatus.COMPLETED, GroupStatus.FAILED, GroupStatus.CANCELLED}),
    GroupStatus.COMPLETED: frozenset({GroupStatus.PENDING}),
    GroupStatus.FAILED: frozenset({GroupStatus.PENDING}),
    GroupStatus.CANCELLED: frozenset({GroupStatus.PENDING}),
}
"""Which status may follow which; a completed group becomes pending again when codes are added to it."""


class ChunkState(StrEnum):
    """Where the making of one chunk stands."""

    PENDING = "pending"
    """Waiting for its turn, or sent and not yet claimed."""
    RUNNING = "running"
    """Claimed by a worker under a lease; claimable again once the lease has run out."""
    DONE = "done"
    """Its codes are stored; final."""
    FAILED = "failed"
    """Claimed as often as is allowed without finishing; final."""
