"""The whole service on one machine: embedded servers where the environment names none, web, worker and dispatcher."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import httpx

from app.cli.interruption import Interrupted, ignore_further_signals
from app.errors import LocalServerError
from app.local.folder import DataFolder
from app.local.logs import last_lines
from app.local.ports import LOOPBACK, free_port, is_free
from app.local.processes import Supervisor
from app.local.servers import LocalServers
from mintage import Client, MintageError

MINTAGE = (sys.executable, "-m", "app.cli.main")
USUAL_PORT = 8080
READY_WITHIN = 60.0
"""Seconds from the start of the processes to `GET /readyz` being 200."""

_STARTS_BEFORE_READY = 3
_LOOK_EVERY = 0.05
_TEND_EVERY = 0.5


@dataclass(frozen=True)
class Stack:
    """A running service; `folder` is where it keeps everything, its connection file included."""

    url: str
    api_key: str = field(repr=False)
    folder: DataFolder
    servers: LocalServers = field(repr=False)
    supervisor: Supervisor = field(repr=False)

    def stay(self, greeting: str) -> None:
        """Says that everything is up, keeps it running until Ctrl-C or SIGTERM, and returns then.

        Raises LocalServerError, having shown the end of its log, when a process ends again and again.
        """
        try:
            click.echo(greeting)
            while True:
                self.servers.revive()
                _refuse_failed(self.supervisor)
                time.sleep(_TEND_EVERY)
        except Interrupted:
            click.echo("Stopping.", err=True)


@contextmanager
def running_stack(data_dir: Path, port: int | None, *, environment: Mapping[str, str]) -> Iterator[Stack]:
    """Starts the service, ready for requests, and stops all of it at the end, in order and within seconds.

    `environment` is what every process gets; DATABASE_URL, REDIS_URL and SECRET_KEY are added where it has none. Without
    a `port` it is the one of the last time, or 8080, or a free one. Writes `connection.json` (mode 0600), keeping the API key
    that it holds as long as that works. To be used within `interruptible`. Raises LocalServerError.
    """
    with ExitStack() as resources:
        try:
            resources.enter_context(_restarts_shown())
            servers = resources.enter_context(
                LocalServers(data_dir, postgres=not environment.get("DATABASE_URL"), valkey=not environment.get("REDIS_URL"))
            )
            chosen = _port(port, servers.folder)
            complete = _complete(environment, servers)
            run_once("migrate", environment=complete)
            supervisor = resources.enter_context(Supervisor(servers.folder.logs, guard=servers.guard))
            yield _start(servers, supervisor, f"http://{LOOPBACK}:{chosen}", complete)
        finally:
            ignore_further_signals()


def _start(servers: LocalServers, supervisor: Supervisor, url: str, environment: Mapping[str, str]) -> Stack:
    commands = {"serve": ("serve", "--port", url.rpartition(":")[2]), "worker": ("worker",), "dispatch": ("dispatch",)}
    for name, arguments in commands.items():
        supervisor.spawn(name, [*MINTAGE, *arguments], environment)
    kept = read_kept(servers.folder).get("apiKey")
    made = None if kept else _create_key(environment)  # while the processes start
    _wait_until_ready(url, supervisor, servers.folder)
    api_key = made or (kept if kept and _accepted(url, kept) else _create_key(environment))
    _write_connection(servers.folder, url, api_key, environment)
    return Stack(url, api_key, servers.folder, servers, supervisor)


def run_once(*arguments: str, environment: Mapping[str, str]) -> str:
    """Runs a `mintage` command to its end and returns what it printed; raises LocalServerError with its last line."""
    done = subprocess.run(  # noqa: S603 - our own command
        [*MINTAGE, *arguments], env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip()
        if "\n" in said:
            click.echo(said, err=True)
        raise LocalServerError(f"`mintage {arguments[0]}` failed: {said.splitlines()[-1] if said else done.returncode}")
    return done.stdout


def read_kept(folder: DataFolder) -> dict[str, str]:
    """What the folder's connection file holds; empty where there is none or it cannot be read."""
    try:
        held = json.loads(folder.connection.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _complete(environment: Mapping[str, str], servers: LocalServers) -> dict[str, str]:
    return {
        **environment,
        "DATABASE_URL": environment.get("DATABASE_URL") or servers.database_url,
        "REDIS_URL": environment.get("REDIS_URL") or servers.redis_url,
        "SECRET_KEY": environment.get("SECRET_KEY") or servers.secret_key,
        # A folder `app` or `worker` of the caller's own, in the present directory, is not to be taken for ours.
        "PYTHONSAFEPATH": "1",
    }


def _port(asked: int | None, folder: DataFolder) -> int:
    if asked is not None:
        if not is_free(asked):
            raise LocalServerError(f"Port {asked} on {LOOPBACK} is taken; choose another one with --port.")
        return asked
    last = read_kept(folder).get("url", "").rpartition(":")[2]
    candidates = [int(last)] if last.isdecimal() else []
    return next((port for port in [*candidates, USUAL_PORT] if is_free(port)), 0) or free_port()


def _create_key(environment: Mapping[str, str]) -> str:
    printed = run_once("keys", "create", "--scope", "admin", "--label", "local", "--json", environment=environment)
    return str(json.loads(printed)["apiKey"])


def _accepted(url: str, api_key: str) -> bool:
    try:
        with Client(url, api_key) as service:
            return service.ping()
    except MintageError:
        return False


def _write_connection(folder: DataFolder, url: str, api_key: str, environment: Mapping[str, str]) -> None:
    held = {"url": url, "apiKey": api_key, "databaseUrl": environment["DATABASE_URL"], "redisUrl": environment["REDIS_URL"]}
    folder.write_private(folder.connection.name, json.dumps(held, indent=2) + "\n")


def _wait_until_ready(url: str, supervisor: Supervisor, folder: DataFolder) -> None:
    deadline = time.monotonic() + READY_WITHIN
    with httpx.Client(base_url=url, trust_env=False, timeout=5.0) as http:
        while time.monotonic() < deadline:
            answer = _readiness(http)
            if answer is None:
                return
            _refuse_failed(supervisor)
            for name, restarts in supervisor.restarts.items():
                if restarts >= _STARTS_BEFORE_READY:
                    raise _with_log(name, last_lines(folder.log(name)), "ends as soon as it is started")
            time.sleep(_LOOK_EVERY)
    raise _with_log("serve", last_lines(folder.log("serve")), f"is not ready after {READY_WITHIN:g} s ({answer})")


def _readiness(http: httpx.Client) -> str | None:
    """None once the service is ready, before that what is missing."""
    try:
        response = http.get("/readyz")
    except httpx.TransportError as error:
        return str(error)
    return None if response.is_success else response.text.strip()


def _refuse_failed(supervisor: Supervisor) -> None:
    for child in supervisor.failed:
        raise _with_log(child.name, child.log_lines, f"ended too often, the last time with {child.reason}")


def _with_log(name: str, lines: tuple[str, ...], what: str) -> LocalServerError:
    """Shows the end of a log, and makes the error to raise."""
    for line in lines:
        click.echo(f"{name} | {line}", err=True)
    return LocalServerError(f"{name} {what}.")


class _Restarts(logging.Formatter):
    """What the supervisor logs, as a sentence for the person at the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """`worker: exit status 1; starting again in 0.2 s`."""
        facts = record.__dict__
        if "server" in facts:
            return f"{facts['server']}: ended; starting again"
        return f"{facts['child']}: {facts['reason']}; {facts['outlook']}" if "child" in facts else record.getMessage()


@contextmanager
def _restarts_shown() -> Iterator[None]:
    """What is started again is told on standard error meanwhile."""
    logger, handler = logging.getLogger("app.local"), logging.StreamHandler()
    handler.setFormatter(_Restarts())
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
