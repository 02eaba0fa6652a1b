"""The proxy does what its switches say; otherwise the scenarios that stand on it would show nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from app.local.ports import LOOPBACK
from tests.faults.proxy import POSTGRES_COMMIT, FaultProxy, LostAnswer
from tests.local.waiting import eventually


class EchoServer:
    """Answers every block with the same block, and keeps what it received."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self.received = b""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._echo, args=(client,), daemon=True).start()

    def _echo(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            while block := client.recv(65536):
                self.received += block
                client.sendall(block)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with closing(EchoServer()) as running:
        yield running


@pytest.fixture
def proxy(server: EchoServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.port) as running:
        yield running


@pytest.fixture
def connect(proxy: FaultProxy) -> Iterator[Callable[[], socket.socket]]:
    opened: list[socket.socket] = []

    def make() -> socket.socket:
        opened.append(socket.create_connection((LOOPBACK, proxy.port), timeout=2))
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()


def echoed(connection: socket.socket, block: bytes = b"hello") -> bytes:
    """What comes back; nothing where the connection ends."""
    try:
        connection.sendall(block)
        return connection.recv(65536)
    except ConnectionError:
        return b""


def test_without_a_fault_it_relays(connect: Callable[[], socket.socket]) -> None:
    assert echoed(connect()) == b"hello"


def test_refuse_ends_what_is_open_and_lets_nobody_in_until_accept(
    proxy: FaultProxy, connect: Callable[[], socket.socket]
) -> None:
    before = connect()
    assert echoed(before) == b"hello"
    proxy.refuse()
    assert echoed(before) == b""
    with pytest.raises(ConnectionRefusedError):
        connect()
    proxy.accept()
    assert echoed(connect()) == b"hello"


def test_reset_is_noticed_at_once(proxy: FaultProxy, connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    assert echoed(connection) == b"hello"
    assert proxy.reset() == 1
    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert proxy.links == 0


def test_a_half_open_connection_stays_and_says_nothing_while_new_ones_are_well(
    proxy: FaultProxy, connect: Callable[[], socket.socket], server: EchoServer
) -> None:
    old = connect()
    assert echoed(old) == b"hello"
    assert proxy.kill_silently() == 1
    old.settimeout(0.2)
    with pytest.raises(TimeoutError):
        echoed(old, b"lost")
    assert echoed(connect()) == b"hello"
    assert b"lost" not in server.received


def test_a_black_hole_swallows_old_and_new_until_it_is_healed(proxy: FaultProxy, connect: Callable[[], socket.socket]) -> None:
    proxy.is_hole = True
    connection = connect()
    connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        echoed(connection)
    proxy.heal()
    assert echoed(connect()) == b"hello"


def test_a_delay_is_added_to_both_ways(proxy: FaultProxy, connect: Callable[[], socket.socket]) -> None:
    proxy.delay_seconds = 0.1
    begun = time.monotonic()
    assert echoed(connect()) == b"hello"
    assert time.monotonic() - begun >= 0.2


def test_a_connection_is_cut_after_so_many_bytes(proxy: FaultProxy, connect: Callable[[], socket.socket]) -> None:
    proxy.cut_after_bytes = 8
    connection = connect()
    assert [echoed(connection), echoed(connection)] == [b"hello", b""]
    eventually(lambda: proxy.cut == 1)


def test_the_answer_to_a_commit_is_lost_after_the_server_got_it_and_only_after_what_was_named(
    proxy: FaultProxy, connect: Callable[[], socket.socket], server: EchoServer
) -> None:
    proxy.lost_answer = rule = LostAnswer(POSTGRES_COMMIT, b"COPY codes", most=1)
    connection = connect()
    for block in (POSTGRES_COMMIT, b"COPY other", POSTGRES_COMMIT, b"COPY codes"):
        assert echoed(connection, block) == block
    assert echoed(connection, POSTGRES_COMMIT) == b""
    assert server.received.count(POSTGRES_COMMIT) == 3
    assert rule.done == 1
    again = connect()
    for block in (b"COPY codes", POSTGRES_COMMIT):
        assert echoed(again, block) == block
