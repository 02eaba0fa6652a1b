"""Sees to it that no child outlives the supervising process, not even when that is killed with SIGKILL.

One guardian process (`app.local.guardian`) serves all children, servers and processes of ours alike. It is told the process
groups to watch through a pipe; when the supervising process ends, however it ends, the pipe does too, and the guardian ends
the groups in order: first what uses the servers, then the servers, each with the signal it understands.

Why not the parent-death signal of Linux: it reaches the child but not the child's own children (the processes of a Celery
worker), it cannot fall back to SIGKILL, it is sent when the *thread* that started the child ends, it is lost where a program
changes its user, and macOS has nothing like it. Why one guardian rather than one per child: 9 MiB each.

What is left: a child whose supervisor is killed in the millisecond between starting it and telling the guardian stays behind.
For the two servers the next start finds and ends it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM, Signals
from typing import IO

from app.errors import LocalServerError
from app.local import guardian
from app.local.logs import open_log

SERVICES_TURN = 0
SERVERS_TURN = 1


@dataclass(frozen=True)
class Watched:
    """The leader of a process group and how to end it; `grace` is in seconds, lower turns go first."""

    pid: int
    signal: Signals = SIGTERM
    grace: float = 3.0
    turn: int = SERVICES_TURN


class Guard:
    """The supervising process's end of the pipe; safe to use from several threads."""

    def __init__(self, log: Path, *, keep_open: Sequence[int] = ()) -> None:
        """Starts the guardian, which logs to `log` and keeps the descriptors `keep_open` till all it watched is gone."""
        self._log = log
        self._keep_open = tuple(keep_open)
        self._watched: dict[int, Watched] = {}
        self._changing = threading.Lock()
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The guardian's process id."""
        return self._process.pid

    def watch(self, watched: Watched) -> None:
        """Has a process group ended if this process should die. Raises LocalServerError after `close`."""
        with self._changing:
            if self._pipe.closed:
                raise LocalServerError("The guardian has been dismissed; nothing can be started under it.")
            self._watched[watched.pid] = watched
            self._send(_order(watched))

    def forget(self, pid: int) -> None:
        """Takes back `watch`; to be called once the group has ended, for its number may be used again."""
        with self._changing:
            if self._watched.pop(pid, None) and not self._pipe.closed:
                self._send(f"forget {pid}\n")

    def ensure(self) -> None:
        """Starts the guardian again if somebody killed it."""
        with self._changing:
            if self._process.poll() is not None and not self._pipe.closed:
                self._start_again()

    def close(self, timeout: float = 10.0) -> None:
        """Ends whatever is still watched, and the guardian. Repeating it does nothing."""
        with self._changing:
            if self._process.poll() is None:
                with suppress(BrokenPipeError):
                    self._write("finish\n")
            self._pipe.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        return self._process.stdin

    def _start(self) -> subprocess.Popen[bytes]:
        with open_log(self._log) as log:
            return subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, "-I", "-S", guardian.__file__, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                bufsize=0,
                cwd="/",
                start_new_session=True,  # so that Ctrl-C in a terminal reaches the supervising process alone
                pass_fds=self._keep_open,
            )

    def _start_again(self) -> None:
        self._pipe.close()
        self._process = self._start()
        for watched in self._watched.values():
            self._write(_order(watched))

    def _send(self, order: str) -> None:
        try:
            self._write(order)
        except BrokenPipeError:
            self._process.wait()
            self._start_again()

    def _write(self, order: str) -> None:
        self._pipe.write(order.encode())


def _order(watched: Watched) -> str:
    return f"watch {watched.pid} {int(watched.signal)} {watched.grace} {watched.turn}\n"
