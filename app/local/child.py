"""One process of ours under supervision: started, watched, started again, ended with all it started itself."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM, Signals

from app.local.guard import Guard, Watched
from app.local.logs import last_lines, open_log
from app.local.restarts import RestartPolicy, Restarts

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FailedChild:
    """A child that ended too often to be started again."""

    name: str
    reason: str
    """How it ended the last time, in words."""
    log_lines: tuple[str, ...]
    """The last 20 lines of its log."""


class Child:
    """A process and its group; its output is appended to `log`. Not safe to use from several threads at once."""

    def __init__(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], log: Path, guard: Guard, policy: RestartPolicy
    ) -> None:
        self.name = name
        self.restarts = 0
        self.failure: FailedChild | None = None
        self._argv = list(argv)
        self._env = dict(env)
        self._log_path = log
        self._guard = guard
        self._history = Restarts(policy)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due: float | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and running else None

    def start(self) -> None:
        """Starts the process in a session of its own. Raises OSError if the program cannot be run."""
        self._started, self._due = time.monotonic(), None
        with open_log(self._log_path) as log:
            self._process = subprocess.Popen(  # noqa: S603 - the caller's own program
                self._argv, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._guard.watch(Watched(self._process.pid))

    def step(self) -> None:
        """Notices an end and starts the process again when it is time to. To be called often."""
        if self._process is not None and self._process.poll() is not None:
            reason = _words(self._process.returncode)
            self.reap()
            self._plan_restart(reason)
        elif self._due is not None and time.monotonic() >= self._due:
            self.restarts += 1
            try:
                self.start()
            except OSError as error:
                self._plan_restart(str(error))

    def ask_to_end(self) -> None:
        """Sends SIGTERM to the process alone, who is to see to its own children, and plans no restart."""
        self._due = None
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(SIGTERM)
            self._signal_group(SIGCONT)

    def reap(self, timeout: float = 0.0) -> None:
        """Waits up to `timeout` seconds for the process to end, then kills all that is left of its group."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        self._signal_group(SIGKILL)
        self._process.wait()
        self._guard.forget(self._process.pid)
        self._process = None

    def _signal_group(self, number: Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):  # macOS: a group of zombies gives no permission
                os.killpg(self._process.pid, number)

    def _plan_restart(self, reason: str) -> None:
        now = time.monotonic()
        pause = self._history.pause_after(self._started, now)
        if pause is None:
            outlook = "not started again"
            self.failure = FailedChild(self.name, reason, last_lines(self._log_path))
        else:
            outlook = f"starting again in {pause:g} s"
            self._due = now + pause
        _log.warning("local.child_ended", extra={"child": self.name, "reason": reason, "outlook": outlook})
        with open_log(self._log_path) as log:
            log.write(f"--- {self.name} ended ({reason}); {outlook} ---\n".encode())


def _words(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"killed by {Signals(-status).name}"
