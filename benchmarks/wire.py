"""A small HTTP client that costs little: raw sockets, keep-alive, answers with Content-Length.

One thread drives all connections of a load, so that the client takes as little as can be of the processors that it shares
with what it measures.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
_BODILESS = (204, 304)
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, its head unparsed."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header; None where the answer has none of that name."""
        found = re.search(rb"\r\n" + re.escape(name.encode()) + rb": *([^\r]*)", self.head, re.IGNORECASE)
        return found[1].decode() if found else None

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


Script = Generator[bytes, Answer, None]
"""What one connection says: yields a request, is sent the answer, yields the next."""


def request(method: str, path: str, *, key: str = "", body: object = None, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A request as it goes over the wire."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"Authorization: Bearer {key}"] if key else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"] if body is not None else []
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + _END + content


class Channel:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.socket.close()

    def send(self, wire: bytes) -> None:
        """Sends a request."""
        self.socket.sendall(wire)

    def receive(self) -> Answer | None:
        """Reads what is there; the answer, once it is whole. Raises ConnectionError when the server hangs up."""
        block = self.socket.recv(65536)
        if not block:
            raise ConnectionError("the server closed the connection")
        self._received += block
        end = self._received.find(_END)
        if end < 0:
            return None
        head = self._received[:end]
        status = int(head[9:12])
        found = _LENGTH.search(head)
        length = int(found[1]) if found and status not in _BODILESS else 0
        whole = end + len(_END) + length
        if len(self._received) < whole:
            return None
        body, self._received = self._received[end + len(_END) : whole], self._received[whole:]
        return Answer(status, head, body)

    def ask(self, wire: bytes) -> Answer:
        """Sends a request and waits for its answer."""
        self.send(wire)
        while (answer := self.receive()) is None:
            pass
        return answer


@dataclass
class Load:
    """What a load brought."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """In seconds, of every answered request."""
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """The latency in milliseconds that `share` of the requests kept below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    def only(self, *allowed: int) -> Self:
        """Itself; raises RuntimeError where an answer had another status than those."""
        others = {status: count for status, count in self.statuses.items() if status not in allowed}
        if others:
            raise RuntimeError(f"answers that do not belong into a benchmark: {others}")
        return self


@dataclass
class _Talk:
    channel: Channel
    script: Script
    sent_at: float = 0.0


def drive(port: int, make_script: Callable[[int], Script], connections: int, seconds: float) -> Load:
    """Keeps `connections` connections busy for so long: each sends its next request as soon as it has its answer."""
    load = Load()
    with selectors.DefaultSelector() as selector:
        for number in range(connections):
            talk = _Talk(Channel(port), make_script(number))
            selector.register(talk.channel.socket, selectors.EVENT_READ, talk)
            _say(talk, next(talk.script))
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            for ready, _ in selector.select(timeout=0.5):
                _hear(ready.data, load)
        load.seconds = time.perf_counter() - begun
        for entry in list(selector.get_map().values()):
            entry.data.channel.socket.close()
    return load


def _say(talk: _Talk, wire: bytes) -> None:
    talk.sent_at = time.perf_counter()
    talk.channel.send(wire)


def _hear(talk: _Talk, load: Load) -> None:
    answer = talk.channel.receive()
    if answer is None:
        return
    load.latencies.append(time.perf_counter() - talk.sent_at)
    load.statuses[answer.status] += 1
    _say(talk, talk.script.send(answer))


def over_and_over(wire: bytes) -> Script:
    """The same request again and again."""
    while True:
        yield wire
