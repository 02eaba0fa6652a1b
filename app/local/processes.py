"""Our own processes beside the servers: web, worker and dispatcher, kept running.

The supervisor watches from a thread of its own, so that a caller may be busy with something else (a demo with its orders).
A child leads a session of its own: Ctrl-C in a terminal reaches the supervising process alone, which then ends the children in
good order. That none outlives the supervising process is the guardian's work (see `app.local.guard`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from app.errors import LocalServerError
from app.local.child import Child, FailedChild
from app.local.guard import Guard
from app.local.restarts import RestartPolicy

_LOOK_EVERY = 0.1


class Supervisor:
    """Starts children, starts them again when they end unasked, and ends them all; a context manager that ends with `stop`."""

    def __init__(self, log_dir: Path, *, guard: Guard | None = None, policy: RestartPolicy | None = None) -> None:
        """Logs go to `log_dir`/NAME.log. Without a `guard` to share (`LocalServers.guard`) the supervisor has one of its own."""
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log_dir = log_dir
        self._owns_guard = guard is None
        self.guard = guard or Guard(log_dir / "guard.log")
        self._policy = policy or RestartPolicy()
        self._children: dict[str, Child] = {}
        self._changing = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="mintage-supervisor", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Starts a child with exactly this environment, and keeps it running.

        Raises LocalServerError if the program cannot be run, the name is taken, or `stop` has been called.
        """
        with self._changing:
            if name in self._children or self._stopping.is_set():
                raise LocalServerError(f"{name} cannot be started: the name is taken or the supervisor has stopped.")
            child = Child(name, argv, env, self._log_dir / f"{name}.log", self.guard, self._policy)
            try:
                child.start()
            except OSError as error:
                raise LocalServerError(f"{name} cannot be started: {error}") from error
            self._children[name] = child
            if not self._watcher.is_alive():
                self._watcher.start()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the children that run now."""
        with self._changing:
            return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    def alive(self) -> dict[str, bool]:
        """For each child whether it runs now; False during the pause before a restart as well."""
        with self._changing:
            return {name: child.pid is not None for name, child in self._children.items()}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each child has been started again."""
        with self._changing:
            return {name: child.restarts for name, child in self._children.items()}

    @property
    def failed(self) -> tuple[FailedChild, ...]:
        """The children that were given up, with the end of their logs; empty while all is well."""
        with self._changing:
            return tuple(child.failure for child in self._children.values() if child.failure)

    def stop(self, timeout: float = 10.0) -> None:
        """Ends all children and what they started: SIGTERM to each, the last first, then SIGKILL after `timeout` seconds.

        Nothing can be started afterwards. Repeating it does nothing.
        """
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        with self._changing:
            youngest_first = list(reversed(self._children.values()))
            for child in youngest_first:
                child.ask_to_end()
            deadline = time.monotonic() + timeout
            for child in youngest_first:
                child.reap(max(0.0, deadline - time.monotonic()))
            if self._owns_guard:
                self.guard.close()

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY):
            with self._changing:
                self.guard.ensure()
                for child in self._children.values():
                    child.step()
