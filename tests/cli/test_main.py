"""The command itself: help, exit codes, errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.cli.groups import groups
from app.cli.main import COMMANDS, main
from app.local.folder import CONNECTION_FILE
from tests.cli.conftest import Mintage, Served
from tests.client.fake_service import KEY, FakeService, refused


def test_help_lists_every_command_without_importing_any() -> None:
    """Help is there at once because nothing heavy is loaded for it."""
    script = (
        "import sys; from app.cli.main import main; main(['--help'], standalone_mode=False);"
        "print([name for name in ('httpx', 'flask', 'celery', 'sqlalchemy', 'rich') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "[]"
    assert all(f"\n  {name} " in told for name in COMMANDS)


@pytest.mark.parametrize("name", ["catalog", "demo", "groups", "up", "workers"])
def test_each_command_has_help(name: str) -> None:
    """The summary in the list and the command's own help both exist."""
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output


def test_every_command_for_groups_has_help() -> None:
    """Each tells what it does in its first sentence, which fits the list."""
    context = click.Context(groups)
    for name in groups.list_commands(context):
        command = groups.get_command(context, name)
        assert command is not None
        told = command.get_short_help_str(limit=62)
        assert told.endswith("."), name
        assert not told.endswith("..."), name


@pytest.mark.parametrize(
    "arguments", [["groups", "create"], ["nonsense"], ["groups", "list", "--limit", "0"], ["groups", "show"]]
)
def test_a_wrong_call_is_exit_code_2(mintage: Mintage, arguments: list[str]) -> None:
    """Usage errors are told apart from failures."""
    assert mintage(*arguments).exit_code == 2


def test_an_error_of_the_service_is_one_line(mintage: Mintage, service: FakeService) -> None:
    """Exit code 1 and the service's sentence on standard error; nothing on standard output."""
    service.first(refused(403, "This API key does not carry the scope."))
    result = mintage("groups", "list")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: This API key does not carry the scope.\n"


def test_what_is_not_set_is_named(mintage: Mintage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing variable is an error in words, not a stack trace."""
    monkeypatch.delenv("MINTAGE_API_KEY")
    result = mintage("groups", "list")
    assert result.exit_code == 1
    assert "MINTAGE_API_KEY" in result.stderr


def test_the_key_is_never_shown(mintage: Mintage, service: FakeService) -> None:
    """Neither help nor errors show the key of the environment."""
    service.first(refused(401, ""))
    for arguments in (["groups", "list"], ["groups", "list", "--help"]):
        assert KEY not in mintage(*arguments).output


def test_a_connection_file_stands_in_for_both(mintage: Mintage, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `mintage up` left in ./data is found where nothing else is given."""
    monkeypatch.delenv("MINTAGE_URL")
    monkeypatch.delenv("MINTAGE_API_KEY")
    Path("data").mkdir()
    Path("data", CONNECTION_FILE).write_text(f'{{"url": "{served.url}", "apiKey": "{KEY}"}}')
    assert mintage("groups", "list").exit_code == 0


def test_the_key_of_a_file_is_not_sent_to_an_address_from_elsewhere(
    mintage: Mintage, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address in the environment asks for a key in the environment."""
    monkeypatch.delenv("MINTAGE_API_KEY")
    Path("data").mkdir()
    Path("data", CONNECTION_FILE).write_text(f'{{"url": "http://127.0.0.1:1", "apiKey": "{KEY}"}}')
    assert mintage("groups", "list").exit_code == 1
    assert not service.requests


def test_a_connection_file_that_is_none_is_told(mintage: Mintage) -> None:
    """The file is named."""
    Path("broken.json").write_text("[]")
    result = mintage("groups", "list", "--connection", "broken.json")
    assert result.exit_code == 1
    assert "broken.json is not a connection file" in result.stderr


def test_ctrl_c_ends_with_130(served: Served, service: FakeService) -> None:
    """The exit code is a shell's for SIGINT, and the reader learns that the codes are made all the same."""
    service.step = 0
    group = service.add_group()
    environment = {**os.environ, "MINTAGE_URL": served.url, "MINTAGE_API_KEY": KEY}
    argv = [sys.executable, "-m", "app.cli.main", "groups", "watch", group["id"]]
    with subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "Spring: 0 of 10,000 (0 %)\n"
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "goes on" in rest
    assert "Traceback" not in rest
