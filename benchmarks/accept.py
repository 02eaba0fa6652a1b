"""How fast groups are accepted, against a bare route with one INSERT and commit on the same server."""

from __future__ import annotations

import time
from statistics import median

from app.local.servers import LocalServers
from benchmarks.figures import Figure, Measure, Result, Target
from benchmarks.stack import Service, a_bare_application, a_service
from benchmarks.turns import Side, take_turns
from benchmarks.wire import Channel, drive, over_and_over, request

CONNECTIONS = 16
ROUNDS = 5
SECONDS = 3.0
_BUSY_GROUPS = 4
_BUSY_ROUNDS = 8
_BUSY_POSTS = 5


def measure(servers: LocalServers) -> Result:
    """Accepting alone, in turns with the bare route; then the POSTs of a service whose workers are busy."""
    with a_service(servers, workers=0) as service:
        ours, theirs = _against_bare_route(service, servers)
    with a_service(servers) as service:
        busy = median(_posts_while_groups_are_made(service)) * 1000
    figures = [
        Figure("POST accepted, 16 connections", ours.rate, "1/s", Target(0.7), theirs.rate, "bare INSERT route"),
        Figure("its p99", ours.quantile(0.99), "ms", Target(1.43, at_most=True), theirs.quantile(0.99), "bare INSERT route"),
        Figure("POST median while 4 groups are made", busy, "ms", Target(50, at_most=True), measure=Measure.ALONE),
    ]
    details = {"rates": [(mine.rate, bare.rate) for mine, bare in zip(ours.loads, theirs.loads, strict=True)]}
    note = "accepting needs PostgreSQL alone: no worker runs in the first two"
    steps = [*ours.cost("POST"), *theirs.cost("bare INSERT route")]
    return Result("accept", figures, [note], steps, "Processor time for one accepted group", details)


def _against_bare_route(service: Service, servers: LocalServers) -> tuple[Side, Side]:
    service.run("CREATE TABLE bare_groups (LIKE code_groups INCLUDING ALL)")
    post, bare = service.a_post(), request("POST", "/bare", body=service.a_body())
    with a_bare_application(service) as port:
        return take_turns(
            service,
            servers,
            lambda: drive(service.port, lambda _: over_and_over(post), CONNECTIONS, SECONDS).only(202),
            lambda: drive(port, lambda _: over_and_over(bare), CONNECTIONS, SECONDS).only(202),
            ROUNDS,
        )


def _posts_while_groups_are_made(service: Service) -> list[float]:
    """The seconds that each POST of a small group took while four big ones were in the workers' hands."""
    service.wait_until_completed(service.create_groups(2))
    taken = []
    for _ in range(_BUSY_ROUNDS):
        groups = service.create_groups(_BUSY_GROUPS)
        with Channel(service.port) as channel:
            for _ in range(_BUSY_POSTS):
                begun = time.perf_counter()
                channel.ask(service.a_post(codes=1))
                taken.append(time.perf_counter() - begun)
        service.wait_until_completed(groups)
    return taken
