"""Who spends the processors' time: seconds by kind of process, over the service, its servers and their children."""

from __future__ import annotations

from contextlib import suppress

import psutil

from app.local.servers import LocalServers
from benchmarks.stack import Service

Reading = dict[tuple[str, int], float]
_TITLES = {
    "serve": "web",
    "bare": "web",
    "worker": "worker, the process that receives messages",
    "worker child": "worker, the processes that make codes",
    "dispatch": "dispatcher",
}


def read(service: Service, servers: LocalServers) -> Reading:
    """Seconds spent so far, by kind and process id; a process that ends before the next reading is not counted."""
    roots = {**service.supervisor.pids, "Valkey": servers.valkey.pid, "PostgreSQL": servers.postgres.pid}
    return {(kind, process.pid): _seconds(process) for name, pid in roots.items() for kind, process in _family(name, pid)}


def spent(before: Reading, after: Reading) -> dict[str, float]:
    """Seconds by kind between two readings, the greatest first."""
    sums: dict[str, float] = {}
    for (kind, pid), seconds in after.items():
        sums[kind] = sums.get(kind, 0.0) + seconds - before.get((kind, pid), 0.0)
    return dict(sorted(sums.items(), key=lambda entry: -entry[1]))


def _family(name: str, pid: int) -> list[tuple[str, psutil.Process]]:
    root = psutil.Process(pid)
    own = _TITLES.get(name, name)
    return [(own, root), *((_TITLES.get(f"{name} child", own), child) for child in root.children(recursive=True))]


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0
