"""A TCP relay on loopback that does to one server's connections what networks and dying machines do to them."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from app.local.ports import LOOPBACK

_BLOCK = 65536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
POSTGRES_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""A COMMIT as PostgreSQL's clients send it (simple query protocol: type, length, text)."""


@dataclass(slots=True)
class LostAnswer:
    """Which answers are lost: those to `request`, on connections that sent `after` since the last one, `most` times."""

    request: bytes
    after: bytes
    most: int
    done: int = 0


class Link:
    """One client's connection and its other half to the server; two threads carry bytes across."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._dead = threading.Event()
        self._awaiting_lost_answer = threading.Event()
        self._answered_bytes = 0
        self._sent_since = b""
        self._closing = threading.Lock()

    def start(self) -> None:
        for carry in (self._carry_requests, self._carry_answers):
            threading.Thread(target=carry, daemon=True).start()

    @property
    def is_dead(self) -> bool:
        """Whether nothing comes through any more."""
        return self._dead.is_set()

    def die_silently(self) -> None:
        """From now on whatever either side sends vanishes, and neither is told."""
        self._dead.set()

    def reset(self) -> None:
        """Ends both halves with RST; repeating it does nothing."""
        with self._closing:
            for half in (self._client, self._server):
                with suppress(OSError):
                    half.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                with suppress(OSError):
                    half.shutdown(socket.SHUT_RD)  # wakes the thread that reads it, and tells the peer nothing yet
                half.close()
        self._proxy.forget(self)

    def _carry_requests(self) -> None:
        self._carry(self._client, self._server, self._note_request)

    def _carry_answers(self) -> None:
        self._carry(self._server, self._client, self._note_answer)

    def _carry(self, source: socket.socket, target: socket.socket, note: Callable[[bytes], bool]) -> None:
        """Carries blocks until one side ends, or `note` says that a block must not arrive."""
        try:
            while block := source.recv(_BLOCK):
                if self._dead.is_set() or self._proxy.is_hole:
                    continue
                self._proxy.hold_up()
                if self._proxy.breaks() or not note(block):
                    break
                target.sendall(block)
        except OSError:
            pass
        finally:
            self.reset()

    def _note_request(self, block: bytes) -> bool:
        rule = self._proxy.lost_answer
        if rule is None:
            return True
        self._sent_since = (self._sent_since + block)[-_BLOCK:]
        if rule.request in self._sent_since:
            if rule.after in self._sent_since and rule.done < rule.most:
                self._awaiting_lost_answer.set()
            self._sent_since = b""
        elif rule.after in self._sent_since:
            self._sent_since = rule.after + self._sent_since[-len(rule.request) :]
        return True

    def _note_answer(self, block: bytes) -> bool:
        if self._awaiting_lost_answer.is_set():
            # The server has answered, so what was asked for is done; nobody will hear of it.
            self._proxy.count_lost_answer()
            return False
        self._answered_bytes += len(block)
        limit = self._proxy.cut_after_bytes
        if limit is not None and self._answered_bytes > limit:
            self._proxy.cut += 1
            return False
        return True


class FaultProxy:
    """Listens on a port of its own and relays to `target_port`; a context manager. Faults are switched on and off by hand."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._links: set[Link] = set()
        self._changing = threading.Lock()
        self._listener: socket.socket | None = None
        self.port = 0
        self.delay_seconds = 0.0
        """Added to every block, either way."""
        self.break_chance = 0.0
        """The probability that a block is the last one of its connection, which is reset instead."""
        self.is_hole = False
        """Whether everything sent vanishes, on old and new connections."""
        self.cut_after_bytes: int | None = None
        """How many bytes of answers a connection carries before it is cut."""
        self.lost_answer: LostAnswer | None = None
        self.cut = 0
        """How many connections were cut by `cut_after_bytes`."""
        self.broken = 0
        """How many connections were reset by chance or by `reset`."""

    def __enter__(self) -> Self:
        self.accept()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.refuse()

    @property
    def links(self) -> int:
        """How many connections are open."""
        with self._changing:
            return len(self._links)

    def accept(self) -> None:
        """Listens, on the same port as before if there was one. Does nothing if it listens."""
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, self.port))
        listener.listen(128)
        self.port, self._listener = listener.getsockname()[1], listener
        threading.Thread(target=self._accept_all, args=(listener,), daemon=True).start()

    def refuse(self) -> None:
        """Resets all connections and refuses new ones, until `accept`."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.reset()

    def reset(self) -> int:
        """Resets every connection there is; returns how many there were."""
        links = self._present()
        for link in links:
            link.reset()
        self.broken += len(links)
        return len(links)

    def kill_silently(self) -> int:
        """Makes every present connection half-open: it stays, and nothing comes through. New ones are well. Returns how many."""
        links = self._present()
        for link in links:
            link.die_silently()
        return len(links)

    def heal(self) -> None:
        """Ends all faults but those of half-open connections, which are reset."""
        self.delay_seconds, self.break_chance, self.is_hole = 0.0, 0.0, False
        self.cut_after_bytes, self.lost_answer = None, None
        self.accept()
        for link in self._present():
            if link.is_dead:
                link.reset()

    def hold_up(self) -> None:
        """Takes its time, where told to."""
        if self.delay_seconds:
            time.sleep(self.delay_seconds)

    def breaks(self) -> bool:
        """Whether the present block is the one at which a connection breaks."""
        if not self.break_chance or random.random() >= self.break_chance:
            return False
        self.broken += 1
        return True

    def count_lost_answer(self) -> None:
        """Notes that an answer was lost."""
        with self._changing:
            if self.lost_answer is not None:
                self.lost_answer.done += 1

    def forget(self, link: Link) -> None:
        """Takes a link that has ended off the list."""
        with self._changing:
            self._links.discard(link)

    def _present(self) -> list[Link]:
        with self._changing:
            return list(self._links)

    def _accept_all(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._relay(client)

    def _relay(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((LOOPBACK, self._target_port), timeout=2)
        except OSError:
            client.close()
            return
        for half in (client, server):
            half.settimeout(None)
            half.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, client, server)
        with self._changing:
            self._links.add(link)
        link.start()
