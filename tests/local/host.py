"""A supervising process to be killed by tests: `python -m tests.local.host FOLDER` prints who it started, then waits.

With a second argument, a supervisor is added whose child starts a grandchild; both ignore SIGTERM.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from app.local.processes import Supervisor
from app.local.servers import LocalServers

STUBBORN_FAMILY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
nap = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
subprocess.run([sys.executable, "-c", nap])
"""


class Host:
    """Such a process, started; killed when the block ends."""

    def __init__(self, folder: Path, *extra: str) -> None:
        command = [sys.executable, "-m", "tests.local.host", str(folder), *extra]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self.started: dict[str, list[int]] = json.loads(self._output.readline())
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    @property
    def pids(self) -> list[int]:
        """All processes below it, the guardian among them."""
        return [pid for pids in self.started.values() for pid in pids]

    def kill(self) -> None:
        """SIGKILL to it alone. Repeating it does nothing."""
        self._process.kill()
        self._process.wait()
        self._output.close()


def _family(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def _main(folder: Path, *extra: str) -> None:
    with LocalServers(folder) as servers:
        started = {
            "postgres": _family(servers.postgres.pid),
            "valkey": [servers.valkey.pid],
            "guardian": [servers.guard.pid],
        }
        if extra:
            supervisor = Supervisor(servers.folder.logs, guard=servers.guard)
            supervisor.spawn("family", [sys.executable, "-c", STUBBORN_FAMILY], os.environ)
            while not (servers.folder.log("family").read_text()):
                time.sleep(0.02)
            started["family"] = _family(supervisor.pids["family"])
        sys.stdout.write(json.dumps(started) + "\n")
        sys.stdout.flush()
        time.sleep(600)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), *sys.argv[2:])
