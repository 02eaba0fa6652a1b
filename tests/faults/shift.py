"""The processes at work in a plant for a while, and what was asked of them."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import httpx
import psutil

from app.errors import DatabaseUnavailable
from app.local.ports import LOOPBACK, free_port
from app.local.processes import Supervisor
from app.local.restarts import RestartPolicy
from mintage import ApiError, Client, Group, MintageError, Patience
from tests.builders import BASE
from tests.faults import invariants
from tests.faults.proxy import FaultProxy
from tests.local.waiting import eventually

if TYPE_CHECKING:
    from tests.faults.plant import Plant

MINTAGE = (sys.executable, "-m", "app.cli.main")
READY_WITHIN = 60.0
RESTLESS = RestartPolicy(first_pause=0.1, longest_pause=0.3, steady_after=1.0, attempts=10_000)
"""Children are killed on purpose here, so often that the usual policy would give them up."""
CODE_LENGTH = 12
FIRED = "fired"
"""The file in a shift's folder in which its fail points count."""


@dataclass(frozen=True)
class Crew:
    """Who is at work."""

    workers: int = 2
    concurrency: int = 2
    """Chunks that each worker makes at once."""
    dispatchers: int = 1
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What single processes have in their environment beside the rest, by their names."""

    def commands(self, port: int) -> dict[str, tuple[str, ...]]:
        """The `mintage` command of each process."""
        commands: dict[str, tuple[str, ...]] = {"serve": ("serve", "--port", str(port), "--processes", "1")}
        commands |= {f"dispatch-{number}": ("dispatch",) for number in range(1, self.dispatchers + 1)}
        concurrency = ("--concurrency", str(self.concurrency))
        return commands | {f"worker-{number}": ("worker", *concurrency) for number in range(1, self.workers + 1)}


class Shift:
    """A context manager: within it the processes run, ready for requests; at its end they are gone."""

    broker: FaultProxy
    """What stands between the processes and their broker, in a shift with proxies."""
    database: FaultProxy
    """What stands between the processes and PostgreSQL, in a shift with proxies."""

    def __init__(self, plant: Plant, crew: Crew, folder: Path, environment: Mapping[str, str]) -> None:
        """`environment` is what every process gets; logs go to `folder`."""
        port = free_port()
        self.plant, self.crew, self.folder, self.url = plant, crew, folder, f"http://{LOOPBACK}:{port}"
        self.commands = crew.commands(port)
        """The `mintage` command of each process, by its name."""
        self.supervisor = Supervisor(folder, guard=plant.servers.guard, policy=RESTLESS)
        self.client = Client(self.url, plant.key, patience=Patience(attempts=200, seconds=90))
        self.accepted: dict[UUID, int] = {}
        """What was answered by 202 in this shift: groups, and the numbers of codes asked for."""
        self.complaints: list[str] = []
        """What went as it must not."""
        self.notes: list[str] = []
        """What was seen beside that, for the table."""
        self.fault_ended: float | None = None
        """When the last fault was over, by the monotonic clock."""
        self.done: float | None = None
        """When everything that was accepted was finished."""
        self._environment = dict(environment)
        self._resources = ExitStack()
        self._course: str | None = None
        self._noting = threading.Lock()

    def __enter__(self) -> Self:
        with ExitStack() as resources:
            resources.enter_context(self.client)
            resources.enter_context(self.supervisor)
            for name, command in self.commands.items():
                own = self.crew.environments.get(name, {})
                self.supervisor.spawn(name, [*MINTAGE, *command], self._environment | dict(own))
            self.wait_until_ready()
            self._resources = resources.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._resources.close()

    # Processes

    def wait_until_ready(self) -> None:
        """Returns once the API answers, every worker has reported itself, and every dispatcher listens."""
        eventually(lambda: _answers(f"{self.url}/healthz"), READY_WITHIN)
        eventually(lambda: all(map(self.reported, self.workers)), READY_WITHIN)
        eventually(lambda: all("dispatcher.started" in self.log(name) for name in self.dispatchers), READY_WITHIN)

    def reported(self, name: str) -> bool:
        """Whether a worker, as it runs now, has said that it takes messages."""
        return bool(self.plant.rows("SELECT FROM workers WHERE pid = :pid", pid=self.supervisor.pids.get(name, 0)))

    @property
    def workers(self) -> list[str]:
        """The names of the workers."""
        return [name for name in self.commands if name.startswith("worker")]

    @property
    def dispatchers(self) -> list[str]:
        """The names of the dispatchers."""
        return [name for name in self.commands if name.startswith("dispatch")]

    def pid(self, name: str) -> int:
        """The process id of a process, waited for where it is just being started again."""
        eventually(lambda: name in self.supervisor.pids, READY_WITHIN)
        return self.supervisor.pids[name]

    def signal(self, name: str, number: signal.Signals, *, whole: bool = True) -> int:
        """Sends a signal to a process, `whole`: with all that it started; returns its process id."""
        pid = self.pid(name)
        (os.killpg if whole else os.kill)(pid, number)
        return pid

    def family(self, name: str) -> list[int]:
        """The process ids of a process and all that it started."""
        pid = self.pid(name)
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]

    def log(self, name: str) -> str:
        """What a process has logged in this shift, its predecessors of the same name included."""
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def events(self, event: str, prefix: str = "") -> int:
        """How often processes whose names begin with `prefix` logged an event."""
        found = (line for name in self.commands if name.startswith(prefix) for line in self.log(name).splitlines())
        return sum(_event_of(line) == event for line in found)

    def fired(self, point: str = "", mode: str = "kill") -> int:
        """How often a fail point did something, all of them where none is named."""
        path = self.folder / FIRED
        lines = path.read_text().splitlines() if path.exists() else []
        return sum(line.split(" ")[1] == mode and line.startswith(point) for line in lines)

    # Work

    @property
    def course(self) -> str:
        """Something for codes to open."""
        if self._course is None:
            self._course = self.client.upsert_courses([{"title": "Algebra I"}])[0].id
        return self._course

    def post(self, codes: int = 1000, **fields: Any) -> Group:
        """Asks for a group by way of the client library, which tries again as it does, and notes that it was accepted."""
        given: dict[str, Any] = {"code_length": CODE_LENGTH} | fields
        group = self.client.create_group("Spring promotion", total=codes, courses=[self.course], **given)
        self._note_accepted(UUID(group.id), codes)
        return group

    def post_once(self, codes: int = 1000, seconds: float = 10.0) -> httpx.Response:
        """A bare POST, tried once; a 202 is noted as accepted."""
        body = {"label": "Spring promotion", "codeLength": CODE_LENGTH, "totalCodesCount": codes, "courses": [self.course]}
        answer = self.request("POST", "/redemptionCodes", json=body, timeout=seconds)
        if answer.status_code == httpx.codes.ACCEPTED:
            self._note_accepted(UUID(answer.json()["id"]), codes)
        return answer

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A bare request, tried once."""
        headers = {"Authorization": f"Bearer {self.plant.key}"}
        return httpx.request(method, self.url + BASE + path, headers=headers, trust_env=False, **options)

    def _note_accepted(self, group_id: UUID, codes: int) -> None:
        with self._noting:
            self.accepted[group_id] = self.plant.accepted[group_id] = codes

    def in_hand(self) -> list[Any]:
        """The chunks that a worker holds: id, and `host:pid` of the process."""
        return self.plant.rows("SELECT id, worker FROM chunks WHERE state = 'running' AND lease_until > clock_timestamp()")

    def wait_until_busy(self) -> None:
        """Returns as soon as a chunk is in hand, so that what is done next happens in the middle of work."""
        eventually(self.in_hand, READY_WITHIN)

    def unfinished(self) -> list[UUID]:
        """The groups of this shift that are still being made."""
        with self.plant.runtime.reading() as conn:
            return invariants.unfinished(conn, self.accepted)

    def wait_until_done(self, within: float = 60.0) -> None:
        """Returns once every group of this shift is in a terminal state."""
        eventually(lambda: not self._seen_unfinished(), within)
        self.done = time.monotonic()

    def _seen_unfinished(self) -> bool:
        try:
            return bool(self.unfinished())
        except DatabaseUnavailable:
            return True

    @contextmanager
    def traffic(self, codes: int = 1000, ahead: int = 3, **fields: Any) -> Iterator[None]:
        """Keeps `ahead` groups under way, so that there is always work in hand when a fault comes."""
        ended = threading.Event()

        def go_on() -> None:
            while not ended.is_set():
                with suppress(DatabaseUnavailable):
                    if len(self.unfinished()) < ahead:
                        self._post_and_note_refusals(codes, fields)
                        continue
                ended.wait(0.02)

        thread = threading.Thread(target=go_on, name="traffic", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(100)

    def _post_and_note_refusals(self, codes: int, fields: Mapping[str, Any]) -> None:
        try:
            self.post(codes, **fields)
        except ApiError as error:
            self.complaints.append(f"a POST was answered {error.status}: {error}")
        except MintageError as error:
            self.complaints.append(f"a POST was not answered: {error}")

    def failed(self) -> dict[UUID, str | None]:
        """The groups of this shift that failed, with the reasons they tell."""
        with self.plant.runtime.reading() as conn:
            return invariants.failed(conn, self.accepted)

    def resume_failed(self) -> int:
        """Resumes every group of this shift that failed; returns how many."""
        failed = self.failed()
        for group_id in failed:
            self.client.resume_group(str(group_id))
        return len(failed)


def repeatedly(shift: Shift, times: int, fault: Callable[[], object], pause: float = 0.3) -> int:
    """Brings a fault about `times` times, each while a chunk is in hand; returns how often."""
    for _ in range(times):
        shift.wait_until_busy()
        fault()
        shift.fault_ended = time.monotonic()
        time.sleep(pause)
    return times


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=2).is_success
    except httpx.TransportError:
        return False


def _event_of(line: str) -> str:
    try:
        return str(json.loads(line)["event"])
    except (ValueError, KeyError, TypeError):
        return ""
