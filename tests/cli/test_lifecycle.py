"""`mintage groups cancel`, `resume`, `add-codes` and `delete`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.conftest import Mintage, Served
from tests.client.fake_service import KEY, FakeService


@pytest.mark.parametrize(("options", "sent", "left"), [([], "keep", 4_000), (["--discard"], "discard", 0)])
def test_cancel_shows_what_is_left(mintage: Mintage, service: FakeService, options: list[str], sent: str, left: int) -> None:
    """The cancelled group is the result, not a failure."""
    group = service.add_group(created=4_000, status="processing")
    result = mintage("groups", "cancel", group["id"], *options)
    assert result.exit_code == 0, result.output
    assert f"\tcancelled\t{left:,}\t10,000\t" in result.stdout
    assert json.loads(service.requests[0].content) == {"codes": sent}


def test_a_group_that_cannot_be_cancelled_is_told(mintage: Mintage, service: FakeService) -> None:
    """In the service's words, with exit code 1."""
    result = mintage("groups", "cancel", service.add_group(status="completed")["id"])
    assert result.exit_code == 1
    assert result.stderr == "Error: This group is completed; only a pending or processing group can be cancelled.\n"


@pytest.mark.parametrize(
    ("command", "before", "total"),
    [
        (["resume"], {"status": "failed", "total": 10_000, "created": 4_000}, 10_000),
        (["add-codes", "--count", "500"], {"status": "completed", "total": 9_000, "created": 9_000}, 9_500),
    ],
    ids=["resume", "add-codes"],
)
def test_missing_and_added_codes_are_watched(
    mintage: Mintage, service: FakeService, command: list[str], before: dict[str, Any], total: int
) -> None:
    """Progress goes to standard error, the completed group to standard output."""
    result = mintage("groups", *command, service.add_group(**before)["id"])
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[-1] == f"Spring: {total:,} of {total:,} (100 %), completed"
    assert f"\tcompleted\t{total:,}\t{total:,}\t" in result.stdout


@pytest.mark.parametrize(("command", "status"), [(["resume"], "failed"), (["add-codes", "--count", "500"], "completed")])
def test_without_watching_they_return_at_once(mintage: Mintage, service: FakeService, command: list[str], status: str) -> None:
    """The pending group is shown; nothing is polled."""
    group = service.add_group(total=9_000, status=status)
    result = mintage("groups", *command, group["id"], "--no-watch", "--json")
    assert [shown["status"] for shown in json.loads(result.stdout)] == ["pending"]
    assert not service.sent("GET")


def test_a_resumed_group_that_fails_again_is_exit_code_1(mintage: Mintage, service: FakeService) -> None:
    """Scripts learn of it."""
    service.fate = "failed"
    result = mintage("groups", "resume", service.add_group(status="failed")["id"])
    assert result.exit_code == 1
    assert "A chunk could not be made" in result.stderr


@pytest.mark.parametrize("count", [[], ["--count", "0"]], ids=["none", "zero"])
def test_how_many_to_add_is_asked_for(mintage: Mintage, service: FakeService, count: list[str]) -> None:
    """A usage error; nothing is sent."""
    assert mintage("groups", "add-codes", "g1", *count).exit_code == 2
    assert not service.requests


def test_delete_with_yes_asks_nothing(mintage: Mintage, service: FakeService) -> None:
    """One request, one line."""
    group = service.add_group(created=4_000)
    result = mintage("groups", "delete", group["id"], "--yes")
    assert (result.exit_code, result.stdout) == (0, f"{group['id']} is deleted, with its codes.\n")
    assert [request.method for request in service.requests] == ["DELETE"]


def test_delete_without_a_terminal_needs_yes(mintage: Mintage, service: FakeService) -> None:
    """Nothing is sent, and a `y` from a pipe does not count."""
    group = service.add_group()
    result = mintage("groups", "delete", group["id"], text="y\n")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert not service.requests


def at_a_terminal(served: Served, answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command with a terminal as its standard input, at which a person types the answer."""
    person, terminal = pty.openpty()
    environment: dict[str, Any] = {**os.environ, "MINTAGE_URL": served.url, "MINTAGE_API_KEY": KEY}
    try:
        os.write(person, answer.encode())
        return subprocess.run(
            [sys.executable, "-m", "app.cli.main", *arguments],
            env=environment,
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(person)
        os.close(terminal)


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("\n", 1, 1)], ids=["y", "n", "empty"])
def test_delete_asks_at_a_terminal(served: Served, service: FakeService, answer: str, code: int, left: int) -> None:
    """The question names the group and its codes; only a yes deletes it."""
    group = service.add_group("Sp\x1b[31mring", created=4_000)
    result = at_a_terminal(served, answer, "groups", "delete", group["id"])
    assert result.returncode == code
    assert "with its 4,000 codes?" in result.stderr
    assert "\x1b[31m" not in result.stderr
    assert len(service.groups) == left


def test_a_group_with_redeemed_codes_is_told(mintage: Mintage, service: FakeService) -> None:
    """The service's sentence says what to do instead."""
    result = mintage("groups", "delete", service.add_group(redeemedCodesCount=1)["id"], "--yes")
    assert result.exit_code == 1
    assert "deactivate its codes instead" in result.stderr
