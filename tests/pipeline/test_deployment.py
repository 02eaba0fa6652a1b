"""The ways to run the service that the repository ships: each names only what exists, and the Procfile is really run."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from app.cli.main import main
from app.domain.access_keys import Scope
from app.factory import create_app
from app.local.ports import LOOPBACK, free_port
from app.runtime import Runtime
from app.settings import Settings
from mintage import Client
from tests.builders import a_key
from tests.local.waiting import all_gone, eventually
from tests.pipeline.stack import READY_WITHIN, a_database, a_runtime, environment_of, family_of
from tests.stores import Stores, settings_for

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
STEPS = [words for line in DOCKERFILE.replace("\\\n", " ").splitlines() if (words := shlex.split(line, comments=True))]
PROCFILE = dict(re.findall(r"^(\w+): exec (.+)$", (ROOT / "Procfile").read_text("utf-8"), re.MULTILINE))

SETTINGS = {str(field.validation_alias) for field in Settings.model_fields.values()}
OF_THE_DATABASE_IMAGE = {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"}
OF_THE_CACHE_IMAGE = {"REDISCLI_AUTH"}
OF_THE_OPERATOR = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD", "PORT"}
"""What docker-compose.yml asks of its caller beyond the service's own settings."""
SECRETS = {"SECRET_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD"}


def check_command(words: list[str]) -> None:
    """Fails unless `mintage` has that command, and the command these options; nothing is carried out."""
    assert words[0] == "mintage"
    command: click.Command = main
    rest = words[1:]
    context = click.Context(main)
    while isinstance(command, click.Group) and rest:
        found = command.get_command(context, rest.pop(0))
        assert found is not None, f"there is no `{' '.join(words)}`"
        command = found
    assert not isinstance(command, click.Group), f"`{' '.join(words)}` names no command"
    command.make_context("mintage", rest)


def variables_in(value: object) -> list[tuple[str, str]]:
    """Every `${NAME...}` in a document: the name, and what follows it up to the closing brace."""
    return re.findall(r"\$\{(\w+)([^}]*)\}", yaml.safe_dump(value, width=10_000))


@pytest.mark.parametrize("name", OURS)
def test_every_service_of_ours_runs_a_command_that_exists(name: str) -> None:
    check_command([str(word) for word in OURS[name]["command"]])


def test_compose_has_every_process_of_the_service() -> None:
    """Stores, the one-shot migration, and the same processes as the Procfile."""
    assert set(SERVICES) - set(OURS) == {"postgres", "valkey"}
    assert set(OURS) == {"migrate", *PROCFILE}
    for name, line in PROCFILE.items():
        words = shlex.split(line)
        assert words[:2] == OURS[name]["command"][:2]
        check_command([re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in words])


def test_whatever_needs_the_schema_waits_for_the_migration() -> None:
    """And the migration runs once, after the database is there."""
    for name in set(OURS) - {"migrate"}:
        assert OURS[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert OURS["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert OURS["migrate"]["restart"] == "no"


def test_every_service_that_stays_is_watched_and_started_again() -> None:
    for name in set(SERVICES) - {"migrate"}:
        assert SERVICES[name]["restart"] == "unless-stopped", name
        assert SERVICES[name]["healthcheck"]["test"], name
        assert SERVICES[name]["stop_grace_period"], name


def test_only_loopback_is_published_and_workers_can_be_many() -> None:
    """`--scale worker=4` needs a service without a name and a host port of its own."""
    for name, service in SERVICES.items():
        assert "container_name" not in service, name
        assert "network_mode" not in service, name
        for port in service.get("ports", ()):
            assert str(port).startswith(f"{LOOPBACK}:"), name
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]


def test_every_variable_of_compose_is_a_setting_or_an_image_s_own() -> None:
    for service in OURS.values():
        assert set(service["environment"]) <= SETTINGS
    assert set(SERVICES["postgres"]["environment"]) == OF_THE_DATABASE_IMAGE
    assert set(SERVICES["valkey"]["environment"]) == OF_THE_CACHE_IMAGE
    assert {name for name, _ in variables_in(COMPOSE)} <= SETTINGS | OF_THE_OPERATOR


def test_no_secret_has_a_default() -> None:
    """Compose refuses to start without them, and says what is missing."""
    asked = variables_in(COMPOSE)
    assert {name for name, _ in asked} >= SECRETS
    for name, rest in asked:
        if name in SECRETS:
            assert re.fullmatch(r":\?\w.+", rest), name


def test_valkey_evicts_nothing_and_keeps_its_messages() -> None:
    command = SERVICES["valkey"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--appendonly"] == "yes"
    assert "--requirepass" in options


def ask(service: str, environment: Mapping[str, str]) -> int:
    """The exit code of a service's health check, run here."""
    program, *arguments = OURS[service]["healthcheck"]["test"][1:]
    assert program == "python"
    return subprocess.run([sys.executable, *arguments], env=dict(environment), check=False).returncode


def test_the_image_is_made_from_the_lock_file_by_nobody_in_particular() -> None:
    """Packages by hash, a user that is not root, a command and a health check that exist, and no secret on the way."""
    instructions = [(words[0], words[1:]) for words in STEPS]
    pip = " ".join(word for name, words in instructions if name == "RUN" for word in words)
    assert "pip install --require-hashes -r requirements.lock" in pip
    assert "pip install --no-deps --no-build-isolation ." in pip
    (user,) = (words[0] for name, words in instructions if name == "USER")
    assert user.partition(":")[0] not in {"0", "root"}
    assert instructions[-1][0] == "CMD"
    check_command([word.strip("[],") for word in instructions[-1][1]])
    assert not [words for name, words in instructions if name in {"ADD", "ARG"}]
    environment = " ".join(word for name, words in instructions if name == "ENV" for word in words)
    assert not re.search(r"SECRET|PASSWORD|TOKEN|_URL", environment)


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    """The list of what is let in has no holes, and lets in nothing else."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    copied = [source for words in STEPS if words[0] == "COPY" and "--from=build" not in words for source in words[1:-1]]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / source).exists() for source in copied)
    assert not any(fnmatch(name, pattern) for pattern in allowed for name in (".env", "data", ".git"))


def test_the_address_that_health_checks_ask_exists(runtime: Runtime) -> None:
    paths = set(re.findall(r"http://127\.0\.0\.1:8000(/\w+)", DOCKERFILE + yaml.safe_dump(COMPOSE)))
    assert paths == {"/healthz"}
    assert create_app(runtime).test_client().get("/healthz").status_code == 200


def test_health_checks_miss_processes_that_are_not_there(runtime: Runtime) -> None:
    """A database that nobody works on makes worker and dispatcher unhealthy."""
    runtime.close()
    environment = environment_of(runtime.settings)
    assert ask("worker", environment) == 1
    assert ask("dispatcher", environment) == 1


@contextmanager
def honcho(settings: Settings, port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The Procfile's processes, told by honcho's own environment file; killed at the end if they are still there."""
    given, usual = environment_of(settings), dict(os.environ)
    variables = {name: value for name, value in given.items() if usual.get(name) != value}
    file = folder / "environment"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()), "utf-8")
    usual["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{usual['PATH']}"
    command = [sys.executable, "-m", "honcho", "start", "--procfile", "Procfile", "--env", str(file), "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=usual, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        for pid in family_of(process.pid) if process.poll() is None else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def test_the_procfile_runs_the_whole_service_and_ends_without_a_trace(stores: Stores, tmp_path: Path) -> None:
    """Ready, 10,000 codes over HTTP, healthy by Compose's own checks; after SIGTERM no process is left."""
    with a_database(stores) as database, a_runtime(settings_for(stores, database)) as runtime:
        key, port = a_key(runtime, *Scope), free_port()
        with honcho(runtime.settings, port, tmp_path) as process, Client(f"http://{LOOPBACK}:{port}", key) as client:
            eventually(client.ready, READY_WITHIN)
            course = client.upsert_courses([{"title": "Algebra I"}])[0]
            group = client.create_group("Spring promotion", code_length=12, total=10_000, courses=[course])
            assert client.wait(group, timeout=60).created_codes_count == 10_000
            with runtime.reading() as conn:
                counted = conn.exec_driver_sql("SELECT count(*), count(DISTINCT lower(code)) FROM codes").one()
            assert tuple(counted) == (10_000, 10_000)
            assert ask("worker", environment_of(runtime.settings)) == 0
            assert ask("dispatcher", environment_of(runtime.settings)) == 0
            family = family_of(process.pid)
            assert len(family) > len(PROCFILE)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 128 + signal.SIGTERM
            eventually(lambda: all_gone(family))
