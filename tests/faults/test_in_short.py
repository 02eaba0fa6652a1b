"""A short cut through the fault matrix: real faults in real processes, one service for all of them.

Each test brings one fault about while chunks are in hand, sees that it happened, and then that every group is complete:
nothing missing, nothing twice, nobody had to do anything. `./run faults` is the long way.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.failpoints import POINTS
from tests.faults import invariants, processes
from tests.faults.connections import through_proxies
from tests.faults.database import crash_once
from tests.faults.plant import Plant, a_plant, wait_until_no_reservation
from tests.faults.probe import Probe
from tests.faults.proxy import POSTGRES_COMMIT, LostAnswer
from tests.faults.scenario import Conditions
from tests.faults.shift import Crew, Shift
from tests.local.waiting import eventually

PATIENCE = 90.0
ONE_KILL_EACH = ",".join(f"{point}=kill:1" for point in POINTS)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with a_plant(tmp_path_factory.mktemp("plant") / "data", durable=False) as running:
        yield running


@pytest.fixture(scope="module")
def service(plant: Plant) -> Iterator[Shift]:
    """Web, dispatcher and two workers behind proxies; each fail point is armed for one kill, which the first test uses up."""
    with through_proxies(plant, Conditions(ONE_KILL_EACH, Crew(workers=2, concurrency=2))) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_is_broken_by_it(service: Shift) -> Iterator[None]:
    """After every fault: all groups completed, and every invariant of the whole instance holds."""
    yield
    service.wait_until_done(PATIENCE)
    assert service.failed() == {}
    assert service.plant.violations() == []
    assert service.complaints == []


def test_a_process_killed_at_any_line_of_a_chunk_leaves_nothing_out_and_nothing_twice(service: Shift) -> None:
    with service.traffic(ahead=4):
        eventually(lambda: service.fired() == len(POINTS), PATIENCE)
    assert {point: service.fired(point) for point in POINTS} == dict.fromkeys(POINTS, 1)


def test_a_worker_killed_with_all_its_processes_is_replaced_and_its_chunks_are_made_again(service: Shift) -> None:
    with service.traffic():
        eventually(lambda: processes.in_hand_of(service, "worker-1"), PATIENCE)
        victim = service.signal("worker-1", signal.SIGKILL)
        eventually(lambda: service.supervisor.pids.get("worker-1") not in (None, victim), PATIENCE)
    eventually(lambda: service.reported("worker-1"), PATIENCE)


def test_redis_emptied_in_the_middle_of_work_is_not_missed(service: Shift) -> None:
    redis = service.plant.runtime.redis
    with service.traffic(ahead=4):
        service.wait_until_busy()
        eventually(redis.dbsize, PATIENCE)
        redis.flushall()
        resent = service.events("dispatcher.swept", "dispatch")
        eventually(lambda: service.events("dispatcher.swept", "dispatch") > resent or not service.unfinished(), PATIENCE)


def test_redis_killed_while_every_hand_is_full_comes_back_to_workers_that_go_on(service: Shift) -> None:
    """No worker can acknowledge what it has in hand then; kombu alone would keep those places taken for ever."""
    valkey, hands = service.plant.servers.valkey, service.crew.workers * service.crew.concurrency
    with service.traffic(ahead=6):
        with service.plant.runtime.transaction() as maintenance:
            # Nobody can store codes until this ends, so all hands fill up and stay full.
            maintenance.execute(text("LOCK TABLE codes IN SHARE MODE"))
            eventually(lambda: len(service.in_hand()) == hands, PATIENCE)
            valkey.kill()
        eventually(lambda: not service.in_hand(), PATIENCE)
        valkey.start()
    eventually(lambda: not service.unfinished(), PATIENCE)


def test_a_crash_of_postgresql_in_the_middle_of_work_is_answered_by_503_and_then_made_up_for(service: Shift) -> None:
    with Probe(service) as probe, service.traffic():
        service.wait_until_busy()
        crash_once(service.plant, signal.SIGQUIT, seconds=1.0)
    probe.report(service)


def test_a_commit_whose_answer_is_lost_is_neither_done_again_nor_forgotten(service: Shift) -> None:
    service.database.lost_answer = rule = LostAnswer(POSTGRES_COMMIT, b"COPY codes", most=3)
    with service.traffic():
        eventually(lambda: rule.done == 3, PATIENCE)
    service.database.heal()


def test_a_post_without_redis_is_accepted_and_its_codes_are_made_later(service: Shift) -> None:
    valkey = service.plant.servers.valkey
    valkey.kill()
    try:
        begun = time.monotonic()
        answer = service.post_once(500)
        assert answer.status_code == 202
        assert time.monotonic() - begun < 2
        assert service.unfinished()
    finally:
        valkey.start()


def test_a_worker_told_to_end_finishes_what_it_has_in_hand(service: Shift) -> None:
    """A deploy: nothing that is begun is begun again."""
    accepted_before = set(service.accepted)
    with service.traffic():
        eventually(lambda: processes.in_hand_of(service, "worker-1"), PATIENCE)
        seconds = processes.terminate(service, "worker-1")
    service.wait_until_done(PATIENCE)
    assert seconds < processes.LONGEST_EXIT
    with service.plant.runtime.reading() as conn:
        assert invariants.claimed_again(conn, set(service.accepted) - accepted_before) == []


def test_no_reservation_is_left_when_all_is_done(plant: Plant, service: Shift) -> None:
    """Not even those of all the processes that were killed above."""
    service.wait_until_done(PATIENCE)
    wait_until_no_reservation(plant)
