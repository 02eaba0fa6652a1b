"""Starting and stopping the whole service, with processes that are made up and servers that the environment names."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.cli import stack as stack_module
from app.cli.interruption import Interrupted, interruptible
from app.cli.stack import Stack, running_stack
from app.errors import LocalServerError
from app.local.ports import free_port
from tests.cli import made_up_mintage

MADE_UP = (sys.executable, made_up_mintage.__file__)
Environment = dict[str, str]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Names both stores, so that no server is started, and puts the made-up command in place of the real one."""
    monkeypatch.setattr(stack_module, "MINTAGE", MADE_UP)
    stores = {"DATABASE_URL": "postgresql://nowhere/x", "REDIS_URL": "redis://nowhere/0"}
    return {**os.environ, **stores, "MADE_UP_KEYS": str(tmp_path / "keys")}


@contextmanager
def running(data_dir: Path, environment: Environment, port: int | None = None) -> Iterator[Stack]:
    """A stack as the commands start it."""
    with interruptible(), running_stack(data_dir, port, environment=environment) as stack:
        yield stack


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits for a state; fails where it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the state did not come"
        time.sleep(0.02)


def test_a_running_stack_is_ready_and_ends_without_a_trace(environment: Environment, tmp_path: Path) -> None:
    """Inside it answers with the key it gave, outside no process is left."""
    with running(tmp_path / "data", environment) as stack:
        assert httpx.get(f"{stack.url}/readyz", trust_env=False).is_success
        assert stack.api_key == "mk_live_0"
        assert set(stack.supervisor.pids) == {"serve", "worker", "dispatch"}
        pids = list(stack.supervisor.pids.values())
        assert "mk_live_0" not in repr(stack)
    assert not any(map(alive, pids))


def test_the_connection_file_is_private_and_complete(environment: Environment, tmp_path: Path) -> None:
    """It holds the address, the key and both stores, for nobody but the owner."""
    with running(tmp_path / "data", environment) as stack:
        file = tmp_path / "data" / "connection.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text()) == {
            "url": stack.url,
            "apiKey": "mk_live_0",
            "databaseUrl": environment["DATABASE_URL"],
            "redisUrl": environment["REDIS_URL"],
        }


def test_a_kept_folder_keeps_its_key_and_its_port(environment: Environment, tmp_path: Path) -> None:
    """What clients were given goes on working after a restart."""
    seen: list[Stack] = []
    for _ in range(2):
        with running(tmp_path / "data", environment) as stack:
            seen.append(stack)
    assert seen[0].url == seen[1].url
    assert seen[0].api_key == seen[1].api_key == "mk_live_0"


def test_a_key_that_no_longer_works_is_replaced(environment: Environment, tmp_path: Path) -> None:
    """The database may be another one by now."""
    with running(tmp_path / "data", environment):
        (tmp_path / "keys").write_text("mk_live_of_somebody_else")
    with running(tmp_path / "data", environment) as stack:
        assert stack.api_key == "mk_live_1"


def test_a_port_that_is_asked_for_is_taken(environment: Environment, tmp_path: Path) -> None:
    """The address is the one asked for."""
    port = free_port()
    with running(tmp_path / "data", environment, port) as stack:
        assert stack.url == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_told(environment: Environment, tmp_path: Path) -> None:
    """Nothing is started on another one in silence."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(LocalServerError, match="taken"):  # noqa: SIM117
        with running(tmp_path / "data", environment, other.getsockname()[1]):
            pass


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("migrate", "`mintage migrate` failed: migrate: a made-up reason"),
        ("keys", "`mintage keys` failed: keys: a made-up reason"),
        ("worker", "worker ends as soon as it is started"),
    ],
)
def test_a_command_that_fails_ends_the_start(
    environment: Environment, tmp_path: Path, command: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names it, and no process is left."""
    monkeypatch.setattr(stack_module, "_readiness", lambda _: "never")
    with pytest.raises(LocalServerError, match=told):  # noqa: SIM117
        with running(tmp_path / "data", {**environment, "MADE_UP_BROKEN": command}):
            pass


def test_the_end_of_the_log_is_shown(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is at hand without opening a file."""
    monkeypatch.setattr(stack_module, "_readiness", lambda _: "never")
    with pytest.raises(LocalServerError):  # noqa: SIM117
        with running(tmp_path / "data", {**environment, "MADE_UP_BROKEN": "dispatch"}):
            pass
    assert "dispatch | dispatch: a made-up reason" in capsys.readouterr().err


def test_a_service_that_is_never_ready_ends_the_start(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is bounded, and what was missing is told."""
    monkeypatch.setattr(stack_module, "READY_WITHIN", 0.3)
    monkeypatch.setattr(stack_module, "_readiness", lambda _: "no workers")
    with pytest.raises(LocalServerError, match="no workers"):  # noqa: SIM117
        with running(tmp_path / "data", environment):
            pass


def test_what_dies_is_started_again(environment: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A killed worker comes back under another process id, and the person at the terminal is told."""
    with running(tmp_path / "data", environment) as stack:
        before = stack.supervisor.pids["worker"]
        os.kill(before, signal.SIGKILL)
        until(lambda: stack.supervisor.pids.get("worker", before) != before)
    assert "worker: killed by SIGKILL; starting again" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_interrupt(number: signal.Signals) -> None:
    """Both end what is going on, each with its own exit code."""
    with interruptible(), pytest.raises(Interrupted) as caught:
        os.kill(os.getpid(), number)
    assert caught.value.exit_code == 128 + number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_stays_until_a_signal(environment: Environment, tmp_path: Path, number: signal.Signals) -> None:
    """It tells where things are but not the key, ends with 0, and leaves no process."""
    script = (
        "from app.cli import stack; from app.cli.main import main;"
        f"stack.MINTAGE = {MADE_UP!r}; main(['up', '--data-dir', {str(tmp_path / 'data')!r}, '--port', '{free_port()}'])"
    )
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        greeting = "".join(iter(process.stdout.readline, "Ctrl-C stops it; the data stays.\n"))
        url = json.loads((tmp_path / "data" / "connection.json").read_text())["url"]
        assert httpx.get(f"{url}/readyz", trust_env=False).is_success
        process.send_signal(number)
        assert process.wait(20) == 0
    assert f"Mintage is up at {url}" in greeting
    assert "connection.json" in greeting
    assert "mk_live_" not in greeting
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/readyz", trust_env=False)


def test_nothing_outlives_a_killed_up(environment: Environment, tmp_path: Path) -> None:
    """SIGKILL of the command ends the service with it."""
    script = (
        "from app.cli import stack; from app.cli.main import main;"
        f"stack.MINTAGE = {MADE_UP!r}; main(['up', '--data-dir', {str(tmp_path / 'data')!r}, '--port', '{free_port()}'])"
    )
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        list(iter(process.stdout.readline, "Ctrl-C stops it; the data stays.\n"))
        url = json.loads((tmp_path / "data" / "connection.json").read_text())["url"]
        process.kill()
    until(lambda: not answers(url))


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False
