"""The memory of the service's processes under load, against processes that only import the same code."""

from __future__ import annotations

import subprocess
import sys

import psutil

from app.local.servers import LocalServers
from benchmarks.figures import Figure, Measure, Result, Target
from benchmarks.stack import Service, a_service

GROUPS = 100
_MEGABYTE = 1024 * 1024
_IMPORTS = {"serve": "import gunicorn.app.wsgiapp, gunicorn.workers.gthread, app.factory", "worker": "import worker.main"}
_TITLES = {"serve": "API process", "worker": "worker process"}


def measure(servers: LocalServers) -> Result:
    """Looks before, after a hundred groups, and after a hundred more; the largest process of each kind counts."""
    with a_service(servers) as service:
        looks = [_look(service)]
        for _ in range(2):
            service.wait_until_completed(service.create_groups(GROUPS))
            looks.append(_look(service))
        alone = {name: _with_imports_only(code, service) for name, code in _IMPORTS.items()}
    figures = [figure for name in _IMPORTS for figure in _figures(name, looks, alone[name])]
    return Result("memory", figures, details={"residentMegabytes": looks, "importsOnlyMegabytes": alone})


def _figures(name: str, looks: list[dict[str, float]], alone: float) -> list[Figure]:
    title, (_, middle, end) = _TITLES[name], (look[name] for look in looks)
    return [
        Figure(f"{title} after {2 * GROUPS} groups", end, "MB", Target(60, at_most=True), alone, "imports", Measure.DIFFERENCE),
        Figure(
            f"{title}, the second {GROUPS} groups", end, "MB", Target(3, at_most=True), middle, "the first", Measure.DIFFERENCE
        ),
    ]


def _look(service: Service) -> dict[str, float]:
    return {name: max(process.memory_info().rss for process in service.processes(name)) / _MEGABYTE for name in _IMPORTS}


def _with_imports_only(code: str, service: Service) -> float:
    """What a process holds that has imported the same modules and done nothing."""
    waits = [sys.executable, "-c", f"{code}\nprint(flush=True)\ninput()"]
    with subprocess.Popen(waits, env=service.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        resident: int = psutil.Process(process.pid).memory_info().rss
        process.communicate(b"\n")
    return resident / _MEGABYTE
