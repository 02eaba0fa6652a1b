"""Fail points: nothing at all unless two variables say otherwise, and then exactly what they say, counted."""

from __future__ import annotations

import dis
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app import failpoints
from app.errors import ConfigurationError
from app.failpoints import CLAIMED, LOG_VARIABLE, POINTS, RESERVED, STORED, VARIABLE, FailpointReached, arm, parse, reach

ROOT = Path(__file__).parents[2]
REACH_ALL = "from app.failpoints import POINTS, reach\nfor point in POINTS: reach(point, 7)\nprint('alive')"


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm(None)


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in (VARIABLE, LOG_VARIABLE)}
    return subprocess.run([sys.executable, "-c", code], env=environment | variables, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("variables", [[], [VARIABLE], [LOG_VARIABLE]], ids=["neither", "orders alone", "log alone"])
def test_without_both_variables_nothing_happens(variables: list[str], tmp_path: Path) -> None:
    given = {VARIABLE: ",".join(f"{point}=kill" for point in POINTS), LOG_VARIABLE: str(tmp_path / "log")}
    done = run(REACH_ALL, **{name: given[name] for name in variables})
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")
    assert not (tmp_path / "log").exists()


def test_an_unarmed_point_reads_one_global_and_calls_nothing() -> None:
    """What production pays: up to the first conditional jump there is one global and one comparison with None."""
    before: list[str] = []
    for instruction in dis.get_instructions(failpoints.reach):
        if "JUMP" in instruction.opname:
            break
        before.append(instruction.opname)
    assert sum(name == "LOAD_GLOBAL" for name in before) <= 1
    assert not any("CALL" in name for name in before)


@pytest.mark.parametrize("name", ["run", "Procfile", "Dockerfile", "docker-compose.yml"])
def test_nothing_that_is_shipped_arms_them(name: str) -> None:
    shipped = ROOT / name
    assert not shipped.exists() or VARIABLE not in shipped.read_text("utf-8")


def test_kill_ends_the_process_at_the_point_and_is_counted_before(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run(REACH_ALL, **{VARIABLE: f"{RESERVED}=kill", LOG_VARIABLE: str(log)})
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == ""
    point, mode, _, subject = log.read_text().split()
    assert (point, mode, subject) == (RESERVED, "kill", "7")


def fired(orders: str, log: Path, times: int = 1, subject: object = 1) -> int:
    """Arms, reaches every point so many times, and returns how many lines that left."""
    arm(parse(orders, log))
    for _ in range(times):
        for point in POINTS:
            with suppress(FailpointReached):
                reach(point, subject)
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.mark.parametrize(
    ("orders", "subject", "hits"),
    [
        ("", 1, 0),
        (f"{CLAIMED}=raise", 1, 10),
        (f"{CLAIMED}=raise:3", 1, 3),
        (f"{CLAIMED}=raise:0.0", 1, 0),
        (f"{CLAIMED}=raise:1.0", 1, 10),
        (f"{CLAIMED}=raise:1.0:4", 1, 4),
        (f"{CLAIMED}=sleep:0", 1, 10),
        (f"{CLAIMED}=sleep:0:2", 1, 2),
        (f"{CLAIMED}[1]=raise", 1, 10),
        (f"{CLAIMED}[1]=raise", 2, 0),
        (f"{CLAIMED}=raise, {STORED}=sleep:0.001", 1, 20),
    ],
)
def test_orders_say_where_what_and_how_often(orders: str, subject: int, hits: int, tmp_path: Path) -> None:
    assert fired(orders, tmp_path / "log", times=10, subject=subject) == hits


def test_a_count_is_over_all_processes_of_one_log(tmp_path: Path) -> None:
    """A process that is killed cannot remember that it was, so the file does."""
    variables = {VARIABLE: f"{RESERVED}=kill:2", LOG_VARIABLE: str(tmp_path / "log")}
    assert [run(REACH_ALL, **variables).returncode for _ in range(4)] == [-signal.SIGKILL, -signal.SIGKILL, 0, 0]


def test_a_probability_is_one(tmp_path: Path) -> None:
    """Between 350 and 650 of 1,000 at one half: outside with a probability below 1e-20."""
    assert 350 < fired(f"{CLAIMED}=sleep:0:0.5", tmp_path / "log", times=1000) < 650


@pytest.mark.parametrize("orders", ["chunk.claimed", "chunk.claimed=explode", "chunk.claimed=kill:often", "chunk.claimed=kill:"])
def test_an_order_that_cannot_be_read_is_refused_by_its_words(orders: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not POINT=kill"):
        parse(orders, tmp_path / "log")


def test_a_point_that_does_not_exist_is_refused_rather_than_never_reached(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"chunk\.stolen; the fail points are"):
        arm(parse("chunk.stolen=kill", tmp_path / "log"))
