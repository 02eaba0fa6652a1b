"""How fast status polls are answered, against a bare route on the same server; and how fast the client can ask."""

from __future__ import annotations

import multiprocessing
import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection as Pipe

from app.local.servers import LocalServers
from benchmarks.figures import Figure, Result, Target
from benchmarks.stack import Service, a_bare_application, a_service
from benchmarks.turns import take_turns
from benchmarks.wire import Load, Script, drive, over_and_over, request

CONNECTIONS = 16
ROUNDS = 5
SECONDS = 2.0
_ALL_WHOLE, _ALL_CONDITIONAL, _HALF_CONDITIONAL = 0, 1, 2
_processes = multiprocessing.get_context("spawn")


def measure(servers: LocalServers) -> Result:
    """Polls of finished groups, every other one conditional and answered by 304, in turns with the bare route."""
    bare = request("GET", "/bare")
    with a_service(servers) as service:
        groups = service.create_groups(CONNECTIONS, codes=100)
        service.wait_until_completed(groups)
        with a_bare_application(service) as port:
            ours, theirs = take_turns(
                service,
                servers,
                lambda: _poll(service, groups, _HALF_CONDITIONAL),
                lambda: drive(port, lambda _: over_and_over(bare), CONNECTIONS, SECONDS).only(200),
                ROUNDS,
            )
        whole, unchanged = (_poll(service, groups, every).rate for every in (_ALL_WHOLE, _ALL_CONDITIONAL))
    figure = Figure("status polls, half of them 304", ours.rate, "1/s", Target(0.6), theirs.rate, "bare route")
    ceiling = client_ceiling()
    note = f"200 only {whole:,.0f}/s, 304 only {unchanged:,.0f}/s; the client itself can ask {ceiling:,.0f}/s"
    details = {"onlyWhole": whole, "only304": unchanged, "clientCeiling": ceiling}
    steps = [*ours.cost("poll"), *theirs.cost("bare route")]
    return Result("poll", [figure], [note], steps, "Processor time for one poll", details)


def _poll(service: Service, groups: list[str], every: int) -> Load:
    return drive(service.port, lambda number: _polls(service, groups[number], every), CONNECTIONS, SECONDS).only(200, 304)


def _polls(service: Service, group_id: str, every: int) -> Script:
    """Polls one group; every so many polls carry the entity tag (0: none, 1: all but the first)."""
    whole = service.a_poll(group_id)
    answer = yield whole
    conditional = service.a_poll(group_id, answer.header("ETag"))
    while True:
        for number in range(max(1, every)):
            yield conditional if every and number == 0 else whole


def client_ceiling() -> float:
    """Requests a second that the client gets answered by a server that only ever sends the same bytes."""
    with _a_parrot() as port:
        return drive(port, lambda _: over_and_over(request("GET", "/")), CONNECTIONS, 1.0).rate


@contextmanager
def _a_parrot() -> Iterator[int]:
    ours, theirs = _processes.Pipe()
    parrot = _processes.Process(target=_repeat_until_told, args=(theirs,), daemon=True)
    parrot.start()
    yield ours.recv()
    ours.send("enough")
    parrot.join()


def _repeat_until_told(pipe: Pipe) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS) as server, selectors.DefaultSelector() as selector:
        selector.register(server, selectors.EVENT_READ, server)
        selector.register(pipe, selectors.EVENT_READ)
        pipe.send(server.getsockname()[1])
        while not pipe.poll():
            for ready, _ in selector.select():
                if ready.data is not None:
                    _answer(ready.data, server, selector, answer)


def _answer(ready: socket.socket, server: socket.socket, selector: selectors.BaseSelector, answer: bytes) -> None:
    if ready is server:
        accepted = server.accept()[0]
        selector.register(accepted, selectors.EVENT_READ, accepted)
        return
    with suppress(ConnectionResetError):
        if ready.recv(65536):
            ready.sendall(answer)
            return
    selector.unregister(ready)
    ready.close()
