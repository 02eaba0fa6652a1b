"""What happens between the service and its stores: connections half-open, swallowed, slow, cut, answers lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from app.local.ports import LOOPBACK
from tests.faults.plant import Plant
from tests.faults.proxy import POSTGRES_COMMIT, FaultProxy, LostAnswer
from tests.faults.scenario import Conditions
from tests.faults.shift import Shift, repeatedly
from tests.local.waiting import eventually


@contextmanager
def through_proxies(plant: Plant, conditions: Conditions) -> Iterator[Shift]:
    """A shift whose processes reach broker and database through proxies, `shift.broker` and `shift.database`."""
    with ExitStack() as resources:
        broker = resources.enter_context(FaultProxy(plant.servers.valkey.port))
        database = resources.enter_context(FaultProxy(plant.servers.postgres.port))
        overrides = {
            "celery_broker_url": _by_way_of(plant.servers.redis_url, broker.port),
            "database_url": _by_way_of(plant.servers.database_url, database.port),
        }
        shift = resources.enter_context(plant.shift(conditions.crew, conditions.failpoints, **overrides, **conditions.overrides))
        shift.broker, shift.database = broker, database
        try:
            yield shift
        finally:
            broker.heal()
            database.heal()


def _by_way_of(url: str, port: int) -> SecretStr:
    return SecretStr(make_url(url).set(host=LOOPBACK, port=port).render_as_string(hide_password=False))


def half_open_broker(shift: Shift) -> int:
    """Every connection to the broker dies without a word; new ones are well."""
    return _half_open(shift, shift.broker)


def half_open_database(shift: Shift) -> int:
    """Every connection to PostgreSQL dies without a word; new ones are well."""
    return _half_open(shift, shift.database)


def _half_open(shift: Shift, proxy: FaultProxy) -> int:
    """Notes how long it took each time until chunks were finished again."""
    pauses = []

    def kill_and_wait() -> None:
        _kill_silently(proxy)
        killed = time.monotonic()
        eventually(lambda: not shift.in_hand(), 60)
        before = _finished(shift)
        eventually(lambda: _finished(shift) > before, 60)
        pauses.append(time.monotonic() - killed)

    with shift.traffic():
        repeatedly(shift, 3, kill_and_wait, pause=2.0)
    shift.notes.append("work went on after " + ", ".join(f"{pause:.1f}" for pause in pauses) + " s")
    return len(pauses)


def _finished(shift: Shift) -> int:
    statement = "SELECT count(*) FROM chunks WHERE group_id = ANY(:ids) AND state = 'done'"
    return int(shift.plant.rows(statement, ids=list(shift.accepted))[0].count)


def _kill_silently(proxy: FaultProxy) -> None:
    if not proxy.kill_silently():
        raise AssertionError("there was no connection to kill")


def black_hole(shift: Shift) -> int:
    """For a while nothing that is sent to the broker arrives, on old connections and new ones."""

    def swallow() -> None:
        shift.broker.is_hole = True
        time.sleep(7)
        shift.broker.is_hole = False

    with shift.traffic():
        return repeatedly(shift, 2, swallow, pause=2.0)


def bad_network(shift: Shift) -> int:
    """Every block takes 20 ms longer, and one in a hundred ends its connection."""
    for proxy in (shift.broker, shift.database):
        proxy.delay_seconds, proxy.break_chance = 0.02, 0.01
    with shift.traffic():
        eventually(lambda: shift.broker.broken + shift.database.broken >= 30, 120)
    for proxy in (shift.broker, shift.database):
        proxy.heal()
    return shift.broker.broken + shift.database.broken


def lose_commit_answers(shift: Shift) -> int:
    """COMMITs that stored a chunk are carried out, and the connection is reset before the answer arrives."""
    shift.database.lost_answer = rule = LostAnswer(POSTGRES_COMMIT, b"COPY codes", most=20)
    with shift.traffic():
        eventually(lambda: rule.done >= 20, 120)
    return rule.done


def lose_commit_answers_of_posts(shift: Shift) -> int:
    """COMMITs that stored a group are carried out, and nobody hears of it; the client asks again under the same key."""
    groups = "SELECT count(*) AS count FROM code_groups"
    before = shift.plant.rows(groups)[0].count
    shift.database.lost_answer = rule = LostAnswer(POSTGRES_COMMIT, b"INSERT INTO code_groups", most=5)
    for _ in range(10):
        shift.post(300)
    stored = shift.plant.rows(groups)[0].count - before
    if stored != 10:
        shift.complaints.append(f"10 groups were asked for and {stored} are stored")
    return rule.done


def cut_answers(shift: Shift) -> int:
    """Every connection to PostgreSQL is cut in the middle of an answer, after 6,000 bytes."""
    shift.database.cut_after_bytes = 6_000
    with shift.traffic():
        eventually(lambda: shift.database.cut >= 20, 120)
    shift.database.heal()
    return shift.database.cut
