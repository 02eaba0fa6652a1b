"""What happens to PostgreSQL: crashed, away, full up, locked, out of disk; and codes that are hard to find a place for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from tests.faults.plant import Plant
from tests.faults.probe import LONGEST_SILENCE, Probe
from tests.faults.scenario import Conditions, usual
from tests.faults.shift import Shift, repeatedly
from tests.local.waiting import eventually

ROOM_BYTES = 32 << 20
"""What the small disk has room for beside the codes that are there."""


def crash_postgres(shift: Shift) -> int:
    """PostgreSQL crashes in the middle of work, in two ways; the API answers 503 until it is back."""
    numbers = iter([signal.SIGQUIT, signal.SIGKILL] * 3)
    with Probe(shift) as probe, shift.traffic():
        done = repeatedly(shift, 5, lambda: crash_once(shift.plant, next(numbers), seconds=0.5), pause=2.0)
    probe.report(shift)
    return done


def stop_postgres(shift: Shift) -> int:
    """PostgreSQL is away for some seconds."""
    with Probe(shift) as probe, shift.traffic():
        done = repeatedly(shift, 2, lambda: crash_once(shift.plant, signal.SIGQUIT, seconds=4.0), pause=2.0)
    probe.report(shift)
    return done


def crash_once(plant: Plant, number: signal.Signals, *, seconds: float) -> None:
    """Has PostgreSQL crash by a signal (SIGQUIT is what `pg_ctl -m immediate` sends), and starts it again after some time."""
    postgres = plant.servers.postgres
    os.kill(postgres.pid, number)
    eventually(lambda: not postgres.running)
    time.sleep(seconds)
    postgres.start()


def freeze_postgres(shift: Shift) -> int:
    """PostgreSQL stands still, with all its processes, and goes on; nobody is told."""
    postmaster = shift.plant.servers.postgres.pid

    def freeze() -> None:
        frozen = [psutil.Process(postmaster), *psutil.Process(postmaster).children(recursive=True)]
        for process in frozen:
            process.suspend()
        time.sleep(8)
        for process in frozen:
            process.resume()

    with Probe(shift, patience=LONGEST_SILENCE) as probe, shift.traffic():
        done = repeatedly(shift, 2, freeze, pause=2.0)
    probe.report(shift, must_refuse=False)
    if max(answer.seconds for answer in probe.answers) < 4:
        shift.complaints.append("no request was ever kept waiting")
    return done


def take_all_connections(shift: Shift) -> int:
    """Somebody else holds every connection that PostgreSQL gives out, those of the service's processes included."""
    with Probe(shift) as probe, shift.traffic():
        done = repeatedly(shift, 2, partial(_take_all_connections, shift.plant), pause=1.0)
    probe.report(shift)
    return done


def _take_all_connections(plant: Plant) -> None:
    url = plant.servers.database_url
    with ExitStack() as held, psycopg.connect(plant.servers.postgres.admin_url, autocommit=True) as admin:
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            try:
                held.enter_context(psycopg.connect(url, connect_timeout=2, application_name="squatter"))
            except psycopg.OperationalError:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'mintage' AND application_name <> 'squatter'"
                )


def lock_codes(shift: Shift) -> int:
    """Somebody's maintenance holds a lock on the table of codes for longer than workers wait."""

    def lock() -> None:
        with psycopg.connect(shift.plant.servers.database_url) as conn:
            conn.execute("LOCK TABLE codes IN SHARE MODE")
            time.sleep(5)

    with shift.traffic():
        return repeatedly(shift, 2, lock, pause=1.0)


def fill_the_disk(shift: Shift) -> int:
    """The table of codes lives on a small disk, which is filled up for some seconds."""
    disk = shift.plant.servers.folder.root / "small-disk"
    filled = 0

    def fill() -> None:
        nonlocal filled
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError:
                filled += 1
        time.sleep(5)
        ballast.unlink()

    with shift.traffic():
        repeatedly(shift, 2, fill, pause=1.0)
    if "No space left" not in shift.plant.servers.folder.log("postgresql").read_text():
        shift.complaints.append("PostgreSQL never ran out of space")
    return filled


@contextmanager
def on_a_small_disk(plant: Plant, conditions: Conditions) -> Iterator[Shift]:
    """A shift while the table of codes and its indexes lie on a disk of their own, with little room beside them."""
    disk = plant.servers.folder.root / "small-disk"
    disk.mkdir()
    size = plant.rows("SELECT pg_total_relation_size('codes') AS bytes")[0].bytes + ROOM_BYTES
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(disk)], check=True)
    try:
        space = disk / "space"
        space.mkdir(mode=0o700)
        owner = plant.servers.folder.postgres.stat()
        for path in (disk, space):
            os.chown(path, owner.st_uid, owner.st_gid)
        _move_codes(plant, "small", location=space)
        with usual(plant, conditions) as shift:
            yield shift
        _move_codes(plant, "pg_default")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _move_codes(plant: Plant, tablespace: str, location: Path | None = None) -> None:
    target = sql.Identifier(tablespace)
    with psycopg.connect(plant.servers.postgres.admin_url, autocommit=True) as admin:
        if location:
            admin.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(target, str(location)))
            admin.execute(sql.SQL("GRANT CREATE ON TABLESPACE {} TO mintage").format(target))
    with psycopg.connect(plant.servers.database_url, autocommit=True) as conn:
        conn.execute(sql.SQL("ALTER TABLE codes SET TABLESPACE {}").format(target))
        indexes = conn.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'codes'").fetchall()
        for (index,) in indexes:
            conn.execute(sql.SQL("ALTER INDEX {} SET TABLESPACE {}").format(sql.Identifier(index), target))
    if not location:
        with psycopg.connect(plant.servers.postgres.admin_url, autocommit=True) as admin:
            admin.execute("DROP TABLESPACE small")


def no_small_disk() -> str | None:
    """Why no small disk can be had here."""
    if os.geteuid() != 0:
        return "mounting a small disk takes root"
    return None if shutil.which("mount") else "there is no mount command"


def fill_a_dense_space(shift: Shift) -> int:
    """Four groups race for 4,800 of the 10,000 four-digit codes while processes are killed."""
    for _ in range(4):
        shift.post(1200, code_length=4, alphabet="digits")
    eventually(lambda: shift.fired() >= 10, 120)
    shift.wait_until_done()
    return shift.fired()
