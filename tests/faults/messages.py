"""What happens to messages and to Redis: lost, repeated, late; flushed, killed, emptied, frozen, full."""

from __future__ import annotations

import os
import shutil
import signal
import time

from app.jobs import MAKE_CHUNK
from tests.faults import invariants
from tests.faults.shift import Shift, repeatedly
from tests.local.waiting import eventually
from worker.celery_app import make_celery

QUEUE_KEY = f"mintage.broker.{MAKE_CHUNK.queue}"


def deliver_five_times(shift: Shift) -> int:
    """Messages of chunks in hand come four more times, those of done chunks once more; no chunk is claimed twice for it."""
    celery = make_celery(shift.plant.runtime.settings, publisher=True)
    sent = 0

    def send(chunk_id: int, times: int) -> None:
        nonlocal sent
        for _ in range(times):
            celery.send_task(MAKE_CHUNK.name, args=(chunk_id,), queue=MAKE_CHUNK.queue, ignore_result=True)
            sent += 1

    def again() -> None:
        for chunk in shift.in_hand()[:2]:
            send(chunk.id, 4)

    with shift.traffic():
        repeatedly(shift, 10, again)
    shift.wait_until_done()
    late = shift.plant.rows("SELECT id FROM chunks WHERE group_id = ANY(:ids) ORDER BY id LIMIT 20", ids=list(shift.accepted))
    for chunk in late:
        send(chunk.id, 1)
    eventually(lambda: not shift.plant.runtime.redis.exists(QUEUE_KEY), 60)
    with shift.plant.runtime.reading() as conn:
        shift.complaints += invariants.claimed_again(conn, shift.accepted)
    return sent


def lose_messages(shift: Shift) -> int:
    """The queue is deleted with what is in it."""
    lost = 0

    def delete_queue() -> None:
        nonlocal lost
        eventually(lambda: shift.plant.runtime.redis.delete(QUEUE_KEY), 60)
        lost += 1

    with shift.traffic(ahead=6):
        repeatedly(shift, 10, delete_queue, pause=0.5)
    return lost


def flush_redis(shift: Shift) -> int:
    """FLUSHALL in the middle of work."""
    redis, flushed = shift.plant.runtime.redis, 0

    def flush() -> None:
        nonlocal flushed
        eventually(redis.dbsize, 60)
        flushed += bool(redis.flushall())

    with shift.traffic(ahead=6):
        repeatedly(shift, 10, flush, pause=0.6)
    return flushed


def crash_redis(shift: Shift, *, empty: bool) -> int:
    """Redis is killed and comes back after a second, with its append-only files or without."""
    valkey = shift.plant.servers.valkey

    def crash() -> None:
        valkey.kill()
        if empty:
            shutil.rmtree(shift.plant.servers.folder.valkey / "appendonlydir")
        time.sleep(1)
        valkey.start()

    with shift.traffic():
        return repeatedly(shift, 5, crash, pause=1.0)


def freeze_redis(shift: Shift) -> int:
    """Redis stands still for longer than every time-out, and goes on."""
    pid = shift.plant.servers.valkey.pid

    def freeze() -> None:
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(7)
        finally:
            os.kill(pid, signal.SIGCONT)

    with shift.traffic():
        return repeatedly(shift, 2, freeze, pause=1.0)


def post_without_redis(shift: Shift) -> int:
    """Redis is stopped, then frozen: every POST is answered 202 at once, and its codes come after Redis has."""
    valkey, posted = shift.plant.servers.valkey, 0
    shift.post(100)
    shift.wait_until_done()

    def post_some() -> None:
        nonlocal posted
        for _ in range(10):
            begun = time.monotonic()
            status = shift.post_once(300).status_code
            seconds = time.monotonic() - begun
            posted += 1
            if status != 202 or seconds > 2:
                shift.complaints.append(f"a POST without Redis was answered {status} after {seconds:.1f} s")

    valkey.kill()
    try:
        post_some()
    finally:
        valkey.start()
    shift.wait_until_done()
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        post_some()
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    return posted


def fill_redis(shift: Shift) -> int:
    """Redis takes no writes for want of memory; POSTs are accepted, the dispatcher's log says what is wrong."""
    redis = shift.plant.runtime.redis

    def fill() -> None:
        redis.config_set("maxmemory", 1)
        try:
            if shift.post_once(300).status_code != 202:
                shift.complaints.append("a POST was refused while Redis was full")
            time.sleep(3)
        finally:
            redis.config_set("maxmemory", 0)

    with shift.traffic():
        repeatedly(shift, 3, fill, pause=1.0)
    if "maxmemory" not in shift.log("dispatch-1"):
        shift.complaints.append("the dispatcher's log does not say that Redis is out of memory")
    shift.notes.append(f"{sum(shift.supervisor.restarts.values())} worker restarts")
    return 3
