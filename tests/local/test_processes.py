"""Supervised processes: kept running, ended together, given up in the end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.errors import LocalServerError
from app.local.process_table import is_running
from app.local.processes import Supervisor
from app.local.restarts import RestartPolicy
from tests.local.host import STUBBORN_FAMILY
from tests.local.waiting import all_gone, eventually

IMPATIENT = RestartPolicy(first_pause=0.01, longest_pause=0.02, attempts=3)
NAP = "import time; print('up', flush=True); time.sleep(600)"
TIDY = """
import signal, sys, time
def leave(*_):
    print("left", time.monotonic(), flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "logs", policy=IMPATIENT) as running:
        yield running


def spawn(supervisor: Supervisor, name: str, script: str) -> None:
    supervisor.spawn(name, [sys.executable, "-c", script], os.environ)


def log_of(tmp_path: Path, name: str) -> str:
    path = tmp_path / "logs" / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_a_killed_child_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    """The supervisor notices by itself, says in the child's log how it ended, and leaves the others alone."""
    spawn(supervisor, "web", NAP)
    spawn(supervisor, "worker", NAP)
    before = supervisor.pids
    os.kill(before["worker"], signal.SIGKILL)
    eventually(lambda: supervisor.restarts["worker"] == 1)
    assert supervisor.alive() == {"web": True, "worker": True}
    assert supervisor.pids["web"] == before["web"]
    assert supervisor.pids["worker"] != before["worker"]
    assert "worker ended (killed by SIGKILL); starting again in 0.01 s" in log_of(tmp_path, "worker")
    assert supervisor.failed == ()


def test_what_a_crashed_child_had_started_does_not_outlive_it(supervisor: Supervisor, tmp_path: Path) -> None:
    """Before a restart the rest of the old process group is killed, so that no two generations work side by side."""
    spawn(supervisor, "worker", STUBBORN_FAMILY)
    eventually(lambda: "up" in log_of(tmp_path, "worker"))
    (grandchild,) = psutil.Process(supervisor.pids["worker"]).children()
    os.kill(supervisor.pids["worker"], signal.SIGKILL)
    eventually(lambda: supervisor.restarts["worker"] == 1)
    assert not is_running(grandchild.pid)


def test_a_child_that_exits_by_itself_is_started_again(supervisor: Supervisor) -> None:
    """A clean exit nobody asked for counts as an end like any other."""
    spawn(supervisor, "dispatcher", "pass")
    eventually(lambda: supervisor.restarts["dispatcher"] >= 1)


def test_a_child_that_cannot_start_is_reported(supervisor: Supervisor) -> None:
    """After as many restarts as the policy allows it is given up, with its last words at hand."""
    spawn(supervisor, "worker", "import sys; print('no such broker'); sys.exit(3)")
    eventually(lambda: supervisor.failed)
    (failure,) = supervisor.failed
    assert (failure.name, failure.reason) == ("worker", "exit status 3")
    assert "no such broker" in failure.log_lines
    assert len(failure.log_lines) <= 20
    assert supervisor.restarts == {"worker": 3}
    assert supervisor.alive() == {"worker": False}


@pytest.mark.parametrize("argv", [["/no/such/program"], ["/"]])
def test_a_program_that_is_not_there_is_refused_at_once(supervisor: Supervisor, argv: list[str]) -> None:
    """A wrong path is the caller's mistake and no reason to try again."""
    with pytest.raises(LocalServerError, match="web cannot be started"):
        supervisor.spawn("web", argv, os.environ)
    assert supervisor.alive() == {}


def test_a_name_serves_one_child(supervisor: Supervisor) -> None:
    """A second child of the same name is refused; so is any after the stop."""
    spawn(supervisor, "web", NAP)
    with pytest.raises(LocalServerError, match="name is taken"):
        spawn(supervisor, "web", NAP)
    supervisor.stop()
    with pytest.raises(LocalServerError, match="has stopped"):
        spawn(supervisor, "other", NAP)


def test_children_get_the_given_environment_and_nothing_else(supervisor: Supervisor, tmp_path: Path) -> None:
    """The environment is the caller's to compose; output of both kinds goes to the log."""
    script = "import os, sys, time; print(sorted(os.environ), file=sys.stderr, flush=True); time.sleep(600)"
    supervisor.spawn("web", [sys.executable, "-c", script], {"COLOUR": "blue", "LC_CTYPE": "C.UTF-8"})
    eventually(lambda: "['COLOUR', 'LC_CTYPE']" in log_of(tmp_path, "web"))


def test_stop_asks_all_at_once_and_waits(supervisor: Supervisor, tmp_path: Path) -> None:
    """Each child gets SIGTERM and may finish; repeating the stop does nothing."""
    for name in ("web", "worker"):
        spawn(supervisor, name, TIDY)
    eventually(lambda: all("up" in log_of(tmp_path, name) for name in ("web", "worker")))
    pids = list(supervisor.pids.values())
    supervisor.stop()
    supervisor.stop()
    assert all_gone(pids)
    assert all("left" in log_of(tmp_path, name) for name in ("web", "worker"))
    assert supervisor.restarts == {"web": 0, "worker": 0}


def test_stop_kills_who_does_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    """A child and a grandchild that ignore SIGTERM are killed when the time is over."""
    spawn(supervisor, "worker", STUBBORN_FAMILY)
    eventually(lambda: "up" in log_of(tmp_path, "worker"))
    child = psutil.Process(supervisor.pids["worker"])
    pids = [child.pid, *(each.pid for each in child.children())]
    supervisor.stop(timeout=0.2)
    eventually(lambda: all_gone(pids), within=2.0)


def test_a_frozen_child_can_be_stopped(supervisor: Supervisor, tmp_path: Path) -> None:
    """A child under SIGSTOP is thawed, so that it can end in good order."""
    spawn(supervisor, "worker", TIDY)
    eventually(lambda: "up" in log_of(tmp_path, "worker"))
    os.killpg(supervisor.pids["worker"], signal.SIGSTOP)
    supervisor.stop()
    assert "left" in log_of(tmp_path, "worker")


def test_the_supervisor_replaces_a_killed_guardian(supervisor: Supervisor) -> None:
    """Somebody may kill the guardian; the supervisor starts another while it looks after its children."""
    spawn(supervisor, "web", NAP)
    first = supervisor.guard.pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: supervisor.guard.pid != first)
    assert supervisor.restarts == {"web": 0}
