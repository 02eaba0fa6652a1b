"""From the POST to the file, through real processes, and through what may happen to them on the way."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import text

from app.local.process_table import is_running
from app.local.servers import LocalServers
from mintage import Group, GroupStatus
from tests.local.waiting import eventually
from tests.pipeline.stack import Stack, a_stack
from tests.stores import Stores

SIZE = 10_000
PATIENCE = 60.0


@pytest.fixture(scope="module")
def stack(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web, dispatcher and two workers."""
    with a_stack(stores, tmp_path_factory.mktemp("stack"), workers=2, chunk_size=1000) as running:
        yield running


def post_many(stack: Stack, count: int, total: int = SIZE) -> list[Group]:
    """So many groups, posted side by side."""
    body = stack.a_body(total)
    with ThreadPoolExecutor(count) as threads:
        answers = list(threads.map(lambda _: stack.post(body), range(count)))
    assert {answer.status_code for answer in answers} == {202}
    return [Group.from_wire(answer.json()) for answer in answers]


def assert_complete(stack: Stack, groups: Sequence[Group]) -> None:
    """Every group gets completed, and all that the service says of it is so in the database, counted there."""
    final = {group.id: group for group in stack.client.watch(groups, timeout=PATIENCE)}
    assert {group.status for group in final.values()} == {GroupStatus.COMPLETED}
    asked = {group.id: group.total_codes_count for group in groups}
    assert {group.id: group.created_codes_count for group in final.values()} == asked
    assert stack.counts(groups) == {group_id: (total, total) for group_id, total in asked.items()}
    stored, different = stack.stored_and_different()
    assert stored == different


def test_what_is_exported_is_what_is_stored_and_what_was_asked_for(stack: Stack, tmp_path: Path) -> None:
    """POST, poll, list, export: the same 10,000 codes at each place, no two of them alike."""
    posted = stack.client.create_group("Spring promotion", code_length=12, total=SIZE, courses=[stack.a_course()])
    assert posted.status is GroupStatus.PENDING
    group = stack.client.wait(posted, timeout=PATIENCE)
    assert group.created_codes_count == group.total_codes_count == SIZE
    assert group.progress == 1
    file = tmp_path / "codes.csv"
    assert stack.client.export(group, file) == SIZE
    with file.open(newline="", encoding="utf-8") as lines:
        exported = [row["Code"] for row in csv.DictReader(lines)]
    listed = [code.code for code in stack.client.codes(group)]
    stored = [row.code for row in stack.rows("SELECT code FROM codes WHERE group_id = CAST(:id AS uuid)", id=group.id)]
    assert sorted(exported) == sorted(listed) == sorted(stored)
    assert len({code.lower() for code in exported}) == len(exported) == SIZE


def test_workers_share_the_chunks_of_one_group(stack: Stack) -> None:
    """Each chunk says which process of which worker made it, and they belong to both workers."""
    (group,) = post_many(stack, 1)
    assert_complete(stack, [group])
    statement = "SELECT DISTINCT worker FROM chunks WHERE group_id = CAST(:id AS uuid) AND state = 'done'"
    names = [row.worker for row in stack.rows(statement, id=group.id)]
    assert len(names) >= 2
    parents = {psutil.Process(pid_of(name)).ppid() for name in names}
    assert parents == {stack.supervisor.pids["worker-1"], stack.supervisor.pids["worker-2"]}


def test_twenty_groups_at_once_are_completed_without_a_code_in_common(stack: Stack) -> None:
    """200,000 codes asked for in one moment."""
    groups = post_many(stack, 20)
    assert_complete(stack, groups)
    assert len(stack.counts(groups)) == 20


@pytest.mark.parametrize("whole", [False, True], ids=["one of its processes", "the whole worker"])
def test_a_worker_killed_with_a_chunk_in_its_hands_leaves_nothing_out_and_nothing_twice(stack: Stack, whole: bool) -> None:
    """SIGKILL in the middle of ten groups: what was in hand is made again by somebody else, exactly once."""
    groups = post_many(stack, 10, total=5_000)
    eventually(lambda: stack.counts(groups), PATIENCE)
    with stack.runtime.transaction() as conn:
        # Nobody can store codes until this ends: whoever holds a chunk now holds it when the signal comes.
        conn.execute(text("LOCK TABLE codes IN SHARE MODE"))
        chunk_id, worker = a_running_chunk(stack)
        victim = pid_of(worker)
        os.kill(psutil.Process(victim).ppid() if whole else victim, signal.SIGKILL)
        eventually(lambda: not is_running(victim))
    assert_complete(stack, groups)
    (again,) = stack.rows("SELECT attempts, state, worker FROM chunks WHERE id = :id", id=chunk_id)
    assert again.attempts >= 2
    assert again.state == "done"
    assert again.worker != worker


def a_running_chunk(stack: Stack) -> tuple[int, str]:
    """The id of a chunk in some worker's hands, and the worker's host:pid; waits for one."""
    found: list[Any] = []

    def there_is_one() -> bool:
        found[:] = stack.running_chunks()
        return bool(found)

    eventually(there_is_one)
    return found[0].id, found[0].worker


def pid_of(worker: str) -> int:
    """The process id in a chunk's `host:pid`."""
    return int(worker.rpartition(":")[2])


@pytest.fixture(scope="module")
def redis_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    """A Valkey that may be stopped without disturbing anybody else."""
    with LocalServers(tmp_path_factory.mktemp("redis") / "data", postgres=False) as servers:
        yield servers


@pytest.fixture(scope="module")
def lonely(stores: Stores, redis_of_its_own: LocalServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A small service on that Valkey."""
    with a_stack(
        stores, tmp_path_factory.mktemp("lonely"), workers=1, processes=1, redis_url=redis_of_its_own.redis_url
    ) as running:
        yield running


def test_a_request_is_accepted_while_redis_is_away_and_its_codes_come_after_it(
    lonely: Stack, redis_of_its_own: LocalServers
) -> None:
    """The POST needs PostgreSQL alone; a 202 is a promise that outlives the broker's absence."""
    body = lonely.a_body()
    redis_of_its_own.valkey.stop()
    begun = time.monotonic()
    answer = lonely.post(body)
    assert time.monotonic() - begun < 2
    assert answer.status_code == 202
    assert not lonely.client.ready()
    redis_of_its_own.valkey.start()
    assert_complete(lonely, [Group.from_wire(answer.json())])
    eventually(lonely.client.ready, PATIENCE)


def test_redis_may_lose_everything_while_every_worker_is_busy(lonely: Stack, redis_of_its_own: LocalServers) -> None:
    """Killed, its files deleted, started empty: queue, reservations and acknowledgements are gone, and no group stays behind."""
    with lonely.runtime.transaction() as conn:
        # Nobody can store codes until this ends: the only worker holds a chunk when Redis dies, and acknowledges it to nobody.
        conn.execute(text("LOCK TABLE codes IN SHARE MODE"))
        groups = post_many(lonely, 5)
        chunk_id, _ = a_running_chunk(lonely)
        redis_of_its_own.valkey.kill()
    shutil.rmtree(redis_of_its_own.folder.valkey / "appendonlydir")
    eventually(lambda: lonely.rows("SELECT FROM chunks WHERE id = :id AND state = 'done'", id=chunk_id))
    redis_of_its_own.valkey.start()
    assert_complete(lonely, groups)
    eventually(lonely.client.ready, PATIENCE)
