"""What happens to the service's own processes: killed at a line or at any time, ended by a deploy, frozen, or missing."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.failpoints import CLAIMED, COMMITTED, RESERVED, VARIABLE
from tests.faults import invariants
from tests.faults.plant import Plant
from tests.faults.scenario import PACE, Conditions, Injection
from tests.faults.shift import Crew, Shift, repeatedly
from tests.local.waiting import eventually

KILLS = 20
"""How often a process is killed at each fail point."""
LONGEST_EXIT = 10.0
"""Seconds within which a worker told to end must be gone: a chunk's time, and that of Celery's own ending."""
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
"""What shows processes another time of day; Debian's package libfaketime."""


def killed_at(point: str) -> Injection:
    """Workers' processes are killed at one line."""

    def inject(shift: Shift) -> int:
        with shift.traffic():
            eventually(lambda: shift.fired(point) >= KILLS, 240)
        return shift.fired(point)

    return inject


def kill_workers(shift: Shift) -> int:
    """Kills whole workers, turn and turn about, with all their processes."""
    victims = iter(shift.workers * 10)
    with shift.traffic():
        return repeatedly(shift, 10, lambda: shift.signal(next(victims), signal.SIGKILL), pause=1.0)


def kill_dispatchers(shift: Shift) -> int:
    """Kills the dispatcher again and again."""
    with shift.traffic():
        return repeatedly(shift, 10, lambda: shift.signal("dispatch-1", signal.SIGKILL), pause=1.0)


def kill_the_web_server(shift: Shift) -> int:
    """Kills it with all its processes while groups are posted; clients ask again under the same Idempotency-Key."""
    groups = "SELECT count(*) AS count FROM code_groups"
    before = shift.plant.rows(groups)[0].count
    with shift.traffic(codes=100, ahead=20):
        done = repeatedly(shift, 5, lambda: shift.signal("serve", signal.SIGKILL), pause=3.0)
    stored = shift.plant.rows(groups)[0].count - before
    if stored != len(shift.accepted):
        shift.complaints.append(f"{len(shift.accepted)} groups were accepted and {stored} are stored")
    return done


def terminate_workers(shift: Shift) -> int:
    """A deploy: SIGTERM to one worker after the other; each ends within a chunk's time, and no chunk is begun twice."""
    exits: list[float] = []
    victims = iter(shift.workers * 6)
    with shift.traffic():
        done = repeatedly(shift, 12, lambda: exits.append(terminate(shift, next(victims))))
    shift.wait_until_done()
    shift.notes.append(f"slowest exit {max(exits):.1f} s")
    shift.complaints += [f"a worker took {seconds:.1f} s to end" for seconds in exits if seconds > LONGEST_EXIT]
    with shift.plant.runtime.reading() as conn:
        shift.complaints += invariants.claimed_again(conn, shift.accepted)
    return done


def terminate(shift: Shift, name: str) -> float:
    """Tells a worker to end, and returns after how many seconds it had; waits until the next one is there."""
    begun = time.monotonic()
    pid = shift.signal(name, signal.SIGTERM, whole=False)
    eventually(lambda: shift.supervisor.pids.get(name) != pid, 60)
    seconds = time.monotonic() - begun
    eventually(lambda: shift.reported(name), 60)
    return seconds


def freeze_workers(shift: Shift) -> int:
    """Freezes a worker that has codes in an open transaction until somebody else has made its chunk, then wakes it."""
    frozen = 0

    def freeze() -> None:
        nonlocal frozen
        eventually(lambda: in_hand_of(shift, "worker-1"), 60)
        shift.signal("worker-1", signal.SIGSTOP)
        try:
            held = {chunk.id for chunk in in_hand_of(shift, "worker-1")}
            eventually(lambda: _done(shift, held), 60)
            frozen += bool(held)
        finally:
            shift.signal("worker-1", signal.SIGCONT)

    with shift.traffic():
        while frozen < 4:
            repeatedly(shift, 1, freeze)
    eventually(lambda: shift.events("chunk.claim_lost", "worker-1") >= frozen, 30)
    return frozen


def _done(shift: Shift, chunks: set[int]) -> bool:
    """Whether all of these chunks are done, whoever made them."""
    statement = "SELECT count(*) FROM chunks WHERE id = ANY(:ids) AND state = 'done'"
    return bool(shift.plant.rows(statement, ids=list(chunks))[0].count == len(chunks))


def in_hand_of(shift: Shift, name: str) -> list[Any]:
    """The chunks that the processes of one worker hold."""
    family = {str(pid) for pid in shift.family(name)}
    return [chunk for chunk in shift.in_hand() if chunk.worker.rpartition(":")[2] in family]


def no_dispatcher(shift: Shift) -> int:
    """All dispatchers are frozen for a while, one after the other woken in the midst of the others' work."""

    def pause_all() -> None:
        for name in shift.dispatchers:
            shift.signal(name, signal.SIGSTOP)
        time.sleep(2)
        for name in shift.dispatchers:
            shift.signal(name, signal.SIGCONT)

    with shift.traffic():
        return repeatedly(shift, 5, pause_all)


def three_dispatchers(shift: Shift) -> int:
    """Three at once, one of which is killed now and then; no chunk is handed out twice for that."""
    victims = iter(shift.dispatchers * 2)
    with shift.traffic():
        return repeatedly(shift, 6, lambda: shift.signal(next(victims), signal.SIGKILL), pause=0.5)


def poison_a_chunk(shift: Shift) -> int:
    """One chunk kills every process that claims it: its group fails with a reason, and the others are completed meanwhile."""
    (poisoned,) = shift.accepted
    with shift.traffic():
        eventually(shift.failed, 120)
        completed = len(shift.accepted) - len(shift.unfinished()) - 1
    shift.wait_until_done()
    reasons = shift.failed()
    shift.notes.append(f"{completed} other groups meanwhile")
    if set(reasons) != {poisoned} or "5 attempts" not in str(reasons[poisoned]):
        shift.complaints.append(f"expected one failed group with its reason, found {reasons}")
    if not completed:
        shift.complaints.append("no other group was completed meanwhile")
    return shift.fired(CLAIMED)


@contextmanager
def with_a_poisoned_chunk(plant: Plant, conditions: Conditions) -> Iterator[Shift]:
    """A shift that finds one accepted group whose first chunk kills whoever claims it; the chunk's id is known by then."""
    with plant.shift(Crew(workers=0)) as nobody:
        group = nobody.post(300)
    (chunk,) = plant.rows("SELECT min(id) AS id FROM chunks WHERE group_id = CAST(:id AS uuid)", id=group.id)
    with plant.shift(conditions.crew, f"{CLAIMED}[{chunk.id}]=kill,{RESERVED}={PACE}") as shift:
        shift.accepted.update(nobody.accepted)
        yield shift


def live_in_the_future(shift: Shift) -> int:
    """One of two workers' clocks is two hours ahead, and its processes are killed with reservations in their hands."""
    with shift.traffic():
        eventually(lambda: shift.fired(COMMITTED) >= 5 and _made_by(shift, "worker-1") >= 20, 120)
    shift.notes.append(f"{_made_by(shift, 'worker-1')} chunks by that worker")
    return shift.fired(COMMITTED)


def ahead_by_two_hours() -> dict[str, str]:
    """What makes a process see the time of day in two hours, and have it killed before it gives its reservations back.

    Nothing is armed that sleeps: libfaketime 0.9.10 breaks Python's sleep.
    """
    clock = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+2h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return clock | {VARIABLE: f"{COMMITTED}=kill:0.1:5"}


def no_faketime() -> str | None:
    """Why clocks cannot be set wrong here."""
    return None if FAKETIME else "libfaketime is not installed"


def _made_by(shift: Shift, name: str) -> int:
    return sum('"job.done"' in line for line in shift.log(name).splitlines())
