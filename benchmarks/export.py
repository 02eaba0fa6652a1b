"""Rows a second of the CSV export, against COPY … TO STDOUT of the same columns; and the memory it takes."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from statistics import median

import psutil
import psycopg
from psycopg import sql

from app.local.servers import LocalServers
from benchmarks.figures import Figure, Measure, Result, Target
from benchmarks.stack import CODES_PER_GROUP, GROUPS, Service, a_service

SIZES = {CODES_PER_GROUP: 15, 1_000_000: 3}
"""Rows of the exported group, and rounds."""
_MEGABYTE = 1024 * 1024
_BLOCK = 256 * 1024
_COPY = sql.SQL(
    """
    COPY (
        SELECT created_at, code, expires_at, usage_type, active, redemptions_count
        FROM codes WHERE group_id = {group_id} ORDER BY id
    ) TO STDOUT (FORMAT csv, HEADER true)
    """
)
_FILL = """
    INSERT INTO codes (group_id, code)
    SELECT CAST(:id AS uuid), left(md5(CAST(:id AS text) || number), 20) FROM generate_series(1, :rows) AS number
"""


def measure(servers: LocalServers) -> Result:
    """Takes turns, for a group of the usual size and for one a hundred times that."""
    with a_service(servers, workers=0) as service:
        found = [_one_size(service, rows, rounds) for rows, rounds in SIZES.items()]
    figures = [figure for figure, _ in found] + [found[-1][1]]
    return Result("export", figures, ["the big group is filled by SQL, beyond what the API lets anybody ask for"])


def _one_size(service: Service, rows: int, rounds: int) -> tuple[Figure, Figure]:
    group_id = _a_group_of(service, rows)
    processes = service.processes("serve")
    _rounds(service, group_id, rows, 1)
    before = _resident(processes)
    pairs, peak = _watched(processes, lambda: _rounds(service, group_id, rows, rounds))
    ours, theirs = (rows / median(side) for side in zip(*pairs, strict=True))
    speed = Figure(f"CSV export of {rows:,} codes", ours, "rows/s", Target(0.5), theirs, "COPY TO STDOUT")
    memory = Figure(
        f"API process while exporting {rows:,} codes, peak",
        peak,
        "MB",
        Target(10, at_most=True),
        before,
        "before, after one export",
        Measure.DIFFERENCE,
    )
    return speed, memory


def _rounds(service: Service, group_id: str, rows: int, rounds: int) -> list[tuple[float, float]]:
    return [(_export(service, group_id, rows), _copy(service, group_id, rows)) for _ in range(rounds)]


def _a_group_of(service: Service, rows: int) -> str:
    """The id of a completed group with so many codes."""
    (group_id,) = service.create_groups(1, codes=1)
    service.run("DELETE FROM chunks WHERE group_id = CAST(:id AS uuid)", id=group_id)
    service.run(_FILL, id=group_id, rows=rows)
    service.run(
        "UPDATE code_groups SET total_codes_count = :rows, created_codes_count = :rows, status = 'completed'"
        " WHERE id = CAST(:id AS uuid)",
        id=group_id,
        rows=rows,
    )
    with psycopg.connect(service.database_url, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE codes")
    return group_id


def _export(service: Service, group_id: str, rows: int) -> float:
    """The seconds from the request to the last byte. Raises RuntimeError where rows are missing."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    begun = time.perf_counter()
    connection.request("GET", f"{GROUPS}/{group_id}/codes/export", headers={"Authorization": f"Bearer {service.key}"})
    response = connection.getresponse()
    lines = 0
    while block := response.read(_BLOCK):
        lines += block.count(b"\n")
    seconds = time.perf_counter() - begun
    connection.close()
    return _checked(seconds, lines, rows)


def _copy(service: Service, group_id: str, rows: int) -> float:
    """The seconds that the database and its driver need alone, over a connection that is open."""
    with psycopg.connect(service.database_url) as conn, conn.cursor() as cursor:
        begun, lines = time.perf_counter(), 0
        with cursor.copy(_COPY.format(group_id=sql.Literal(group_id))) as copy:
            for block in copy:
                lines += bytes(block).count(b"\n")
        seconds = time.perf_counter() - begun
    return _checked(seconds, lines, rows)


def _checked(seconds: float, lines: int, rows: int) -> float:
    if lines != rows + 1:
        raise RuntimeError(f"{lines} lines for {rows} codes and a header")
    return seconds


def _watched(
    processes: list[psutil.Process], work: Callable[[], list[tuple[float, float]]]
) -> tuple[list[tuple[float, float]], float]:
    """What `work` returns, and the most memory in MB that any of the processes had meanwhile."""
    peaks, ended = [_resident(processes)], threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            peaks.append(_resident(processes))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        return work(), max(peaks)
    finally:
        ended.set()
        watcher.join()


def _resident(processes: list[psutil.Process]) -> float:
    return max(process.memory_info().rss for process in processes) / _MEGABYTE
