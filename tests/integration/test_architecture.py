"""Rules of the house that a machine can keep, beside the import contracts."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.cache import keys
from app.jobs import JOBS, QUEUES, Job
from app.settings import Settings
from worker import tasks
from worker.celery_app import make_celery

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("app", "worker")
TRANSACTIONS = {"begin", "begin_nested", "begin_twophase", "commit", "rollback"}
AT_THE_EDGE = {
    ("app/store/session.py", "begin"): "the one place where transactions of the service begin",
    ("app/store/migrate.py", "commit"): "migrations are no part of the service",
    ("app/store/migrate.py", "rollback"): "migrations are no part of the service",
    ("app/services/issuance.py", "begin"): "a job of several transactions, each opened by what the runtime hands it",
    ("worker/main.py", "begin"): "begins a process",
}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def calls(path: Path) -> Iterator[str]:
    """The names of all methods that a module calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def test_only_the_edge_begins_and_ends_transactions() -> None:
    found = {(path.relative_to(ROOT).as_posix(), name) for path in sources() for name in calls(path) if name in TRANSACTIONS}
    assert found == AT_THE_EDGE.keys()


@pytest.fixture(scope="module")
def celery() -> Any:
    nowhere = {"database_url": "postgresql://", "redis_url": "redis://", "secret_key": "s" * 32}
    made = make_celery(Settings.model_validate(nowhere))
    tasks.register_all(made)
    return made


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_has_a_task_and_a_queue_that_workers_consume(celery: Any, job: Job) -> None:
    assert job.name in celery.tasks
    assert job.queue in celery.amqp.queues.consume_from


def test_workers_have_tasks_for_declared_jobs_alone(celery: Any) -> None:
    assert {name for name in celery.tasks if not name.startswith("celery.")} == {job.name for job in JOBS}
    assert set(celery.amqp.queues.consume_from) == set(QUEUES)


def test_jobs_have_names_of_their_own() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)


KEY_FUNCTIONS = [function for _, function in inspect.getmembers(keys, inspect.isfunction) if function.__module__ == keys.__name__]
SAMPLES: dict[str, Any] = {"int": 7, "str": "x", "UUID": UUID(int=7)}


def table() -> dict[str, dict[str, str]]:
    """The rows of the table of keys: a pattern and, by column, what is said of it."""
    lines = [line for line in (keys.__doc__ or "").splitlines() if line.startswith("|")]
    header, _, *rows = ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines)
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}


def rows_of(key: str) -> list[str]:
    """The patterns that a key matches: words in capitals stand for anything."""
    patterns = {pattern: re.sub(r"[A-Z]+", ".+", re.escape(pattern)) for pattern in table()}
    return [pattern for pattern, expression in patterns.items() if re.fullmatch(expression, key)]


@pytest.mark.parametrize("function", KEY_FUNCTIONS, ids=lambda function: function.__name__)
def test_every_redis_key_is_in_the_table_with_its_owner(function: Any) -> None:
    arguments = [SAMPLES[parameter.annotation] for parameter in inspect.signature(function).parameters.values()]
    (pattern,) = rows_of(function(*arguments))
    row = table()[pattern]
    assert f"keys.{function.__name__}(" in inspect.getsource(importlib.import_module(row["owner"]))
    assert row["type"]
    assert row["life time"]


def test_the_table_has_no_key_that_nobody_makes() -> None:
    made = {
        pattern
        for function in KEY_FUNCTIONS
        for pattern in rows_of(function(*(SAMPLES[each.annotation] for each in inspect.signature(function).parameters.values())))
    }
    assert made == table().keys()


def test_keys_are_made_in_one_place() -> None:
    naming = {path.relative_to(ROOT).as_posix() for path in sources() if re.search(r"""["']mintage:[a-z]""", path.read_text())}
    assert naming == {"app/cache/keys.py"}
