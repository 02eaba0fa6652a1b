"""`mintage groups` over HTTP against a service that is made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.groups import split
from tests.cli.conftest import Mintage, Served
from tests.client.fake_service import KEY, FakeService, refused

CREATE = ("groups", "create", "--label", "Spring", "--length", "12", "--course", "c1")


@pytest.mark.parametrize(
    ("total", "sizes"),
    [(1, [1]), (10_000, [10_000]), (10_001, [10_000, 1]), (25_000, [10_000, 10_000, 5_000]), (250_000, [10_000] * 25)],
)
def test_many_codes_are_split_into_full_groups_and_a_rest(total: int, sizes: list[int]) -> None:
    """One group keeps its label; several are numbered."""
    parts = split("Spring", total)
    assert [size for _, size in parts] == sizes
    assert [label for label, _ in parts] == (
        ["Spring"] if len(sizes) == 1 else [f"Spring ({number} of {len(sizes)})" for number in range(1, len(sizes) + 1)]
    )


def test_create_watches_until_all_codes_are_made(mintage: Mintage, service: FakeService) -> None:
    """Progress goes to standard error in plain lines, the result to standard output."""
    result = mintage(*CREATE, "--total", "10000")
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [
        "Spring: 0 of 10,000 (0 %)",
        "Spring: 4,000 of 10,000 (40 %)",
        "Spring: 8,000 of 10,000 (80 %)",
        "Spring: 10,000 of 10,000 (100 %), completed",
    ]
    assert "\tSpring\tcompleted\t10,000\t10,000\t0\t2025-06-30 12:00 UTC\n" in result.stdout


def test_a_quarter_of_a_million_becomes_25_groups(mintage: Mintage, service: FakeService) -> None:
    """All are created, and all are watched to their end."""
    service.step = 10_000
    result = mintage(*CREATE, "--total", "250000", "--json")
    groups = json.loads(result.stdout)
    assert [group["label"] for group in groups] == [f"Spring ({number} of 25)" for number in range(1, 26)]
    assert {group["status"] for group in groups} == {"completed"}
    assert sum(group["totalCodesCount"] for group in groups) == 250_000
    assert len({request.headers["Idempotency-Key"] for request in service.sent("POST")}) == 25


def test_output_without_a_terminal_has_no_control_characters(mintage: Mintage, service: FakeService) -> None:
    """Not from the display, and not from a label that somebody chose."""
    result = mintage(
        "groups", "create", "--label", "Sp\x1b[31mring\r[bold]", "--course", "c1", "--length", "9", "--total", "20000"
    )
    assert result.exit_code == 0, result.output
    assert not [letter for letter in result.output if not letter.isprintable() and letter not in "\n\t"]
    assert "[bold]" in result.output


def test_every_option_reaches_the_wire(mintage: Mintage, service: FakeService) -> None:
    """Options are named after the fields."""
    options = """
        --bundle b1 --license l1 --license l2 --learning-path p1 --client k1 --start-date 2030-01-01 --expiration-date 2030-06-30
        --access-days 9 --access-expiration-date 2031-01-01 --usage-type multiple --max-redemptions 3 --prefix xy
        --alphabet digits --custom-name MATHS --time-zone Europe/Berlin --total 5 --no-watch
    """
    assert mintage(*CREATE, *options.split()).exit_code == 0
    assert json.loads(service.requests[0].content) == {
        "label": "Spring",
        "codeLength": 12,
        "totalCodesCount": 5,
        "client": "k1",
        "expirationDate": "2030-06-30",
        "startDate": "2030-01-01",
        "accessDays": 9,
        "accessExpirationDate": "2031-01-01",
        "courses": ["c1"],
        "bundles": ["b1"],
        "licenses": ["l1", "l2"],
        "learningPaths": ["p1"],
        "customName": "MATHS",
        "usageType": "multiple",
        "maxRedemptions": 3,
        "prefix": "xy",
        "alphabet": "digits",
        "timeZone": "Europe/Berlin",
    }


def test_without_watching_it_returns_at_once(mintage: Mintage, service: FakeService) -> None:
    """The pending group is shown; nothing is polled."""
    result = mintage(*CREATE, "--total", "5", "--no-watch")
    assert "pending" in result.stdout
    assert not service.sent("GET")


def test_a_refusal_in_the_middle_tells_what_was_made(mintage: Mintage, service: FakeService) -> None:
    """The groups that exist are shown, the rest is an error."""
    mintage(*CREATE, "--total", "5", "--no-watch")
    done = [refused(422, "Not that label.")]
    original = service.handle
    service.handle = lambda request: done.pop() if len(service.groups) == 3 and done else original(request)  # type: ignore[method-assign]
    result = mintage(*CREATE, "--total", "40000")
    assert result.exit_code == 1
    assert result.stderr == "Error: 2 of 4 groups were created; then: Not that label.\n"
    assert "Spring (2 of 4)" in result.stdout


@pytest.mark.parametrize("fate", ["failed", "cancelled"])
def test_a_group_that_is_not_completed_is_exit_code_1(mintage: Mintage, service: FakeService, fate: str) -> None:
    """Scripts learn of it, people learn why."""
    service.fate = fate
    group = service.add_group()
    result = mintage("groups", "watch", group["id"])
    assert result.exit_code == 1
    assert "1 of 1 groups were not completed" in result.stderr


def test_list_filters_and_says_when_there_is_more(mintage: Mintage, service: FakeService) -> None:
    """No silent end at the limit."""
    for number in range(5):
        service.add_group(f"Spring {number}")
    result = mintage("groups", "list", "--query", "Spring", "--status", "pending", "--sort", "label:desc", "--limit", "3")
    assert len(result.stdout.splitlines()) == 1 + 3
    assert "more than 3" in result.stderr
    sent = service.requests[0].url.params
    assert (sent["query"], sent["status"], sent["sort"], sent["pageSize"]) == ("Spring", "pending", "label:desc", "3")
    assert mintage("groups", "list", "--limit", "5").stderr == ""


def test_json_is_the_wire_s(mintage: Mintage, service: FakeService) -> None:
    """Machines get every field, under its wire name."""
    group = service.add_group()
    assert json.loads(mintage("groups", "list", "--json").stdout) == [group]
    assert json.loads(mintage("groups", "show", group["id"], "--json").stdout) == group


def test_show_names_the_items(mintage: Mintage, service: FakeService) -> None:
    """People read titles, not objects."""
    group = service.add_group()
    assert "courses\tAlgebra I\n" in mintage("groups", "show", group["id"]).stdout


def test_export_to_a_file(mintage: Mintage, service: FakeService) -> None:
    """The number of codes is told."""
    group = service.add_group(created=1_000)
    result = mintage("groups", "export", group["id"], "-o", "codes.csv")
    assert (result.stdout, result.stderr) == ("", "1,000 codes written.\n")
    assert Path("codes.csv").read_bytes().startswith(b"Created Date,Code,")


def test_export_to_standard_output(mintage: Mintage, service: FakeService) -> None:
    """Nothing but the CSV goes there."""
    group = service.add_group(created=3)
    result = mintage("groups", "export", group["id"])
    assert result.stdout_bytes.count(b"code0") == 3
    assert result.stderr == "3 codes written.\n"


def test_a_reader_that_has_enough_ends_the_export_in_silence(served: Served, service: FakeService) -> None:
    """As with `| head`: no message, no stack trace."""
    argv = [sys.executable, "-m", "app.cli.main", "groups", "export", service.add_group(created=100_000)["id"]]
    environment = {**os.environ, "MINTAGE_URL": served.url, "MINTAGE_API_KEY": KEY}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_short_export_is_an_error_and_no_file(mintage: Mintage, service: FakeService) -> None:
    """A file that is there is whole."""
    service.announced = 7
    group = service.add_group(created=3)
    result = mintage("groups", "export", group["id"], "-o", "codes.csv")
    assert result.exit_code == 1
    assert "7 rows and 3 arrived" in result.stderr
    assert not Path("codes.csv").exists()


def test_a_file_that_cannot_be_written_is_told(mintage: Mintage, service: FakeService) -> None:
    """An error of the file system is an error in words."""
    result = mintage("groups", "export", service.add_group(created=3)["id"], "-o", "nowhere/codes.csv")
    assert result.exit_code == 1
    assert "nowhere/codes.csv" in result.stderr
