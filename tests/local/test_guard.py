"""The guardian: what it ends, in which order, and when."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

import pytest

from app.errors import LocalServerError
from app.local.guard import SERVERS_TURN, Guard, Watched
from app.local.process_table import is_running
from tests.local.waiting import eventually

LAST_WORDS = """
import signal, sys, time
def leave(number, frame):
    time.sleep(0.2)
    print(number, time.monotonic(), flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGINT, leave)
print("up", flush=True)
time.sleep(600)
"""

FORKING_SUPERVISOR = """
import os, sys, time
from pathlib import Path
from app.local.guard import Guard
guard = Guard(Path(sys.argv[1]))
fork = os.fork()
if fork:
    print(guard.pid, fork, flush=True)
os.close(1)
time.sleep(600)
"""


class Ward:
    """A process to be watched; tells with which signal it ended, and when."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAST_WORDS], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n"

    def last_words(self) -> tuple[int, float]:
        number, moment = self.process.communicate()[0].split()
        return int(number), float(moment)


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    running = Guard(tmp_path / "guard.log")
    yield running
    running.close()


def dismiss(guard: Guard, *wards: Ward) -> list[tuple[int, float]]:
    """Closes the guard while the wards, children of ours, are waited for; returns their last words."""
    closing = threading.Thread(target=guard.close)
    closing.start()
    words = [ward.last_words() for ward in wards]
    closing.join()
    return words


def test_services_go_before_servers_each_by_its_signal(guard: Guard) -> None:
    """Who uses the servers is gone before they get their signal, so nothing fails for want of a server."""
    server, service = Ward(), Ward()
    guard.watch(Watched(server.process.pid, SIGINT, 5.0, SERVERS_TURN))
    guard.watch(Watched(service.process.pid, SIGTERM, 5.0))
    (service_signal, service_end), (server_signal, server_end) = dismiss(guard, service, server)
    assert (service_signal, server_signal) == (SIGTERM, SIGINT)
    assert service_end < server_end


def test_what_was_forgotten_lives_on(guard: Guard) -> None:
    """The number of a process that has ended may belong to another by then."""
    ward = Ward()
    guard.watch(Watched(ward.process.pid))
    guard.forget(ward.process.pid)
    guard.close()
    assert ward.process.poll() is None
    ward.process.kill()
    ward.process.communicate()


@pytest.mark.parametrize("notice", [Guard.ensure, lambda guard: guard.forget(1)], ids=["ensure", "the next order"])
def test_a_killed_guardian_is_replaced_and_knows_everything(guard: Guard, notice: Callable[[Guard], None]) -> None:
    """The next look, or the next order, starts another one that watches all that the first did."""
    ward, first = Ward(), guard.pid
    guard.watch(Watched(ward.process.pid, SIGINT, 5.0))
    guard.watch(Watched(1))
    os.kill(first, SIGKILL)
    eventually(lambda: not is_running(first))
    notice(guard)
    guard.forget(1)
    assert guard.pid != first
    ((number, _),) = dismiss(guard, ward)
    assert number == SIGINT


def test_the_guardian_ends_with_its_supervisor_even_if_a_fork_keeps_the_pipe(tmp_path: Path) -> None:
    """A fork of the supervising process holds the pipe open; the guardian goes by its parent instead."""
    command = [sys.executable, "-c", FORKING_SUPERVISOR, str(tmp_path / "guard.log")]
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    guardian, fork = map(int, supervisor.stdout.readline().split())
    supervisor.kill()
    supervisor.communicate()
    eventually(lambda: not is_running(guardian), within=5.0)
    assert is_running(fork)
    os.kill(fork, SIGKILL)


def test_a_dismissed_guard_takes_no_more_wards(guard: Guard) -> None:
    """What it could no longer end must not be started under it; all else is harmless."""
    guard.close()
    guard.close()
    guard.forget(1)
    guard.ensure()
    with pytest.raises(LocalServerError, match="dismissed"):
        guard.watch(Watched(1))
