"""Every fault of the matrix, one entry each. What each one means for an operator stands in docs/faults.md."""

from __future__ import annotations

from functools import partial

from app.failpoints import CLAIMED, POINTS, RESERVED, STORED
from tests.faults import connections, database, messages, processes
from tests.faults.connections import through_proxies
from tests.faults.scenario import PACE, Conditions, Scenario
from tests.faults.shift import Crew


def _killed_at(point: str) -> Scenario:
    pace = RESERVED if point == CLAIMED else CLAIMED
    orders = f"{point}=kill:0.1:{processes.KILLS},{pace}={PACE}"
    return Scenario(f"kill -9 at {point}", processes.killed_at(point), processes.KILLS, Conditions(orders, Crew(2, 3)))


PROCESSES = (
    *map(_killed_at, POINTS),
    Scenario("kill -9 a whole worker", processes.kill_workers, 10),
    Scenario("kill -9 the dispatcher", processes.kill_dispatchers, 10),
    Scenario("kill -9 the web server", processes.kill_the_web_server, 5),
    Scenario("SIGTERM a worker", processes.terminate_workers, 12),
    Scenario(
        "worker frozen beyond its lease",
        processes.freeze_workers,
        4,
        # Without a time limit of its own in the way, so that the late worker gets as far as the fence.
        Conditions(f"{STORED}=sleep:0.3", Crew(concurrency=1), {"task_time_limit": 60.0}),
    ),
    Scenario("no dispatcher for a while", processes.no_dispatcher, 5),
    Scenario("three dispatchers, killed in turn", processes.three_dispatchers, 6, Conditions(crew=Crew(dispatchers=3))),
    Scenario("poison chunk", processes.poison_a_chunk, 5, setting=processes.with_a_poisoned_chunk),
    Scenario(
        "a worker's clock two hours ahead",
        processes.live_in_the_future,
        5,
        Conditions("", Crew(environments={"worker-1": processes.ahead_by_two_hours()})),
        missing=processes.no_faketime,
    ),
)
REDIS = (
    Scenario("messages delivered five times and late", messages.deliver_five_times, 40),
    Scenario("queue deleted", messages.lose_messages, 10),
    Scenario("FLUSHALL", messages.flush_redis, 10),
    Scenario("Redis killed, restarted", partial(messages.crash_redis, empty=False), 5),
    Scenario("Redis killed, restarted empty", partial(messages.crash_redis, empty=True), 5),
    Scenario("Redis frozen for 7 s", messages.freeze_redis, 2),
    Scenario("Redis away or frozen at POST", messages.post_without_redis, 20),
    Scenario("Redis full", messages.fill_redis, 3),
    Scenario("half-open broker connections", connections.half_open_broker, 3, setting=through_proxies),
    Scenario("broker a black hole for 7 s", connections.black_hole, 2, setting=through_proxies),
)
POSTGRES = (
    Scenario("PostgreSQL crash and restart", database.crash_postgres, 5),
    Scenario("PostgreSQL away for 4 s", database.stop_postgres, 2),
    Scenario("PostgreSQL frozen for 8 s", database.freeze_postgres, 2),
    Scenario("all connections taken", database.take_all_connections, 2),
    Scenario("table of codes locked for 5 s", database.lock_codes, 2),
    Scenario("COMMIT answer lost (chunk)", connections.lose_commit_answers, 20, setting=through_proxies),
    Scenario("COMMIT answer lost (POST)", connections.lose_commit_answers_of_posts, 5, setting=through_proxies),
    Scenario("answers cut in the middle", connections.cut_answers, 20, setting=through_proxies),
    Scenario("half-open database connections", connections.half_open_database, 3, setting=through_proxies),
    Scenario("20 ms delay, 1 % resets", connections.bad_network, 30, setting=through_proxies),
    Scenario("disk full", database.fill_the_disk, 2, setting=database.on_a_small_disk, missing=database.no_small_disk),
    Scenario(
        "dense code space, with kills",
        database.fill_a_dense_space,
        10,
        Conditions(f"{RESERVED}=kill:0.1:5,{STORED}=kill:0.1:5,{CLAIMED}={PACE}"),
    ),
)
SCENARIOS = (*PROCESSES, *REDIS, *POSTGRES)
