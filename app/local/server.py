"""What PostgreSQL and Valkey have in common as children of ours: one process, one loopback port, one log file."""

from __future__ import annotations

import os
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, Signals
from typing import IO, ClassVar

from app.errors import LocalServerError
from app.local.account import Account
from app.local.guard import SERVERS_TURN, Guard, Watched
from app.local.logs import last_lines, open_log, size_of
from app.local.ports import free_port, is_free
from app.local.process_table import command_line, is_running

START_SECONDS = 60.0
"""Patience with a start; PostgreSQL may have a crash to recover from."""
STOP_SECONDS = 10.0
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


class Server(ABC):
    """One server, to be started, stopped and killed apart from the other. Its port stays the same once it has started."""

    title: ClassVar[str]
    stop_signal: ClassVar[Signals]
    passing_trouble: ClassVar[str | None] = None
    """What the log says when a start fails that may succeed a moment later."""
    working_folder: Path = Path("/")

    def __init__(self, home: Path, log: Path, guard: Guard, account: Account) -> None:
        self.home = home
        self.log = log
        self._guard = guard
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        self._port: int | None = None
        self._log_start = 0

    @property
    def running(self) -> bool:
        """Whether the process is there; it may be frozen."""
        return self._process is not None and self._process.poll() is None

    @property
    def crashed(self) -> bool:
        """Whether the server has ended though nobody called `stop` or `kill`."""
        return self._process is not None and not self.running

    @property
    def pid(self) -> int:
        """The process id. Raises LocalServerError if the server does not run."""
        if self._process is None or not self.running:
            raise LocalServerError(f"{self.title} does not run.")
        return self._process.pid

    @property
    def port(self) -> int:
        """The port on 127.0.0.1. Raises LocalServerError if the server has never started."""
        if self._port is None:
            raise LocalServerError(f"{self.title} has not been started.")
        return self._port

    def start(self) -> None:
        """Starts the server and waits till it answers; on the port it had before, if any. Does nothing if it runs.

        If a first start finds its port taken by somebody else, it tries others.

        Raises LocalServerError with the end of its log if it does not start.
        """
        if self.running:
            return
        self._forget()
        self._end_predecessor()
        self._prepare()
        for pause in _PAUSES:
            port = self._port or free_port()
            self._launch(port)
            if self._wait_for_answer(port):
                self._port = port
                return
            if is_free(port) and not self._trouble_may_pass():
                break
            time.sleep(pause)
        raise LocalServerError(f"{self.title} did not start; the end of {self.log}:\n{self._complaint()}")

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Stops the server cleanly, dropping its clients; kills it after `timeout` seconds. Does nothing if it does not run."""
        if self._process is not None and self.running:
            self._process.send_signal(self.stop_signal)
            self._process.send_signal(SIGCONT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self.kill()

    def kill(self) -> None:
        """Ends the server by SIGKILL, as a crash would. Does nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._forget()

    def restart(self) -> None:
        """`stop` and `start`, on the same port."""
        self.stop()
        self.start()

    @abstractmethod
    def _prepare(self) -> None:
        """Makes what the server needs on disk."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str]:
        """The command line, without secrets, with the path of `home` in it."""

    @abstractmethod
    def _pid_file(self) -> Path:
        """The file that the server writes its process id to, in the first line."""

    @abstractmethod
    def _answers(self, pid: int, port: int) -> bool:
        """Whether this very process is ready for clients."""

    def _launch(self, port: int) -> None:
        self._log_start = size_of(self.log)
        with open_log(self.log) as log:
            self._process = self._spawn(self._command(port), log)

    def _spawn(self, command: Sequence[str], output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """Runs one of the server's programs under the guardian; the caller has it forgotten when it has ended."""
        try:
            process = subprocess.Popen(  # noqa: S603 - programs found by app.local.binaries
                self._account.command(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.working_folder,
                env=_plain_environment(),
                umask=0o077,
                start_new_session=True,
                user=self._account.user,
                group=self._account.group,
                extra_groups=self._account.groups,
            )
        except OSError as error:
            raise LocalServerError(f"{self.title} cannot be run: {error}") from error
        self._guard.watch(Watched(process.pid, self.stop_signal, STOP_SECONDS, SERVERS_TURN))
        return process

    def _wait_for_answer(self, port: int) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self.running:
            if self._answers(self.pid, port):
                return True
            if time.monotonic() > deadline:
                self.kill()
                raise LocalServerError(f"{self.title} did not answer within {START_SECONDS:.0f} s; see {self.log}.")
            time.sleep(0.01)
        self._forget()
        return False

    def _forget(self) -> None:
        if self._process is not None:
            self._guard.forget(self._process.pid)
            self._process = None

    def _trouble_may_pass(self) -> bool:
        return self.passing_trouble is not None and self.passing_trouble in self._complaint()

    def _complaint(self) -> str:
        return "\n".join(last_lines(self.log, since=self._log_start))

    def _end_predecessor(self) -> None:
        """Ends a server that was left behind in this folder, and takes away a pid file that names somebody else by now."""
        try:
            pid = int(self._pid_file().read_text().partition("\n")[0])
        except (FileNotFoundError, ValueError):
            return
        for number in (self.stop_signal, Signals.SIGKILL):
            if not self._is_predecessor(pid):
                break
            os.kill(pid, number)
            _wait_until_gone(pid, STOP_SECONDS)
        if is_running(pid):
            self._pid_file().unlink(missing_ok=True)

    def _is_predecessor(self, pid: int) -> bool:
        return is_running(pid) and str(self.home) in command_line(pid)


def _wait_until_gone(pid: int, timeout: float) -> None:
    """Waits till a process that is no child of ours has ended, at most `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def _plain_environment() -> dict[str, str]:
    """Our environment without what would change how a server behaves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}
