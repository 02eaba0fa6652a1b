"""`mintage groups proof`, `verify` and `estimate`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.codes_file import CodesFileError, Findings, read_codes
from tests.cli.conftest import Mintage
from tests.client.fake_service import FakeService, estimate_wire

Wire = dict[str, Any]
Text = Callable[[str], str]


@pytest.fixture
def group(service: FakeService) -> Wire:
    """Completed, with its 1,000 codes."""
    return service.add_group(total=1_000, created=1_000, status="completed")


def download(mintage: Mintage, group: Wire) -> Path:
    assert mintage("groups", "export", group["id"], "-o", "codes.csv").exit_code == 0
    return Path("codes.csv")


def test_proof_shows_the_figures(mintage: Mintage, group: Wire) -> None:
    """Numbers, and the hash that anybody can work out again."""
    lines = "".join(f"code{number:06}\n" for number in range(1_000))
    result = mintage("groups", "proof", group["id"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "Proof\tFigure",
        "status\tcompleted",
        "asked\t1,000",
        "stored\t1,000",
        "unique\t1,000",
        "exported\t1,000",
        f"SHA-256\t{hashlib.sha256(lines.encode()).hexdigest()}",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"holds": False, "status": "processing"}, "the group is processing"),
        ({"holds": False, "stored": 999}, "1,000 asked, 999 stored, 1,000 unique, 1,000 exported"),
    ],
)
def test_a_proof_that_does_not_hold_is_exit_code_1(
    mintage: Mintage, service: FakeService, group: Wire, changes: Wire, told: str
) -> None:
    """The figures are shown all the same, as a table or as JSON, and the reason is told."""
    service.miscounted = changes
    for options in ([], ["--json"]):
        result = mintage("groups", "proof", group["id"], *options)
        assert result.exit_code == 1
        assert "1,000" in result.stdout or json.loads(result.stdout)["asked"] == 1_000
        assert result.stderr == f"Error: The proof does not hold: {told}.\n"


def test_proof_as_json_is_the_wire_s(mintage: Mintage, group: Wire) -> None:
    """Machines get every field, under its wire name."""
    shown = json.loads(mintage("groups", "proof", group["id"], "--json").stdout)
    assert set(shown) == {"id", "status", "asked", "stored", "unique", "exported", "sha256", "holds"}


def test_a_download_is_verified(mintage: Mintage, group: Wire) -> None:
    """Both sides are shown, and they are the same."""
    result = mintage("groups", "verify", group["id"], str(download(mintage, group)))
    assert (result.exit_code, result.stderr) == (0, "")
    header, asked, stored, rows, unique, sha256, verdict = result.stdout.splitlines()
    assert header == "Proof\tFile\tService"
    assert (asked, stored) == ("asked\t\t1,000", "stored\t\t1,000")
    assert (rows, unique) == ("rows\t1,000\t1,000", "unique\t1,000\t1,000")
    name, here, there = sha256.split("\t")
    assert (name, here) == ("SHA-256", there)
    assert verdict.startswith("PASS")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\r\n", "\n"),
        lambda text: text.replace("Created Date,Code", 'Created Date,"Code"') + "\r\n\r\n",
        lambda text: "".join([text.splitlines(keepends=True)[0], *sorted(text.splitlines(keepends=True)[1:], reverse=True)]),
        lambda text: "\r\n".join(["Code", *(f"code{number:06}" for number in range(1_000))]),
    ],
    ids=["BOM", "line feeds", "quotes and blank lines", "another order", "only the codes"],
)
def test_what_does_not_change_the_codes_does_not_matter(
    mintage: Mintage, service: FakeService, group: Wire, change: Text
) -> None:
    """Programs that open and save a CSV leave their marks; the codes are the same."""
    file = Path("codes.csv")
    rows = "".join(f"2025-06-30,{code}\r\n" for code in service.codes_of(group["id"]))
    file.write_text(change(f"Created Date,Code\r\n{rows}"), "utf-8", newline="")
    assert mintage("groups", "verify", group["id"], "codes.csv").exit_code == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("code000007", "code00000x"), "SHA-256"),
        (lambda text: text.replace("code000007", "CODE000007"), "SHA-256"),
        (
            lambda text: text.replace("code000007", "CODE000008"),
            "unique (999 in the file, 1,000 there), SHA-256",
        ),
        (
            lambda text: text.replace("code000007\r\n", ""),
            "rows (999 in the file, 1,000 there), unique (999 in the file, 1,000 there), SHA-256",
        ),
        (lambda text: text + "code000007\r\n", "rows (1,001 in the file, 1,000 there), SHA-256"),
    ],
    ids=["changed", "another case", "twice", "missing", "too many"],
)
def test_what_differs_is_named(mintage: Mintage, service: FakeService, group: Wire, change: Text, told: str) -> None:
    """Exit code 1; the table still shows both sides."""
    text = "".join(f"{code}\r\n" for code in ["Code", *service.codes_of(group["id"])])
    Path("codes.csv").write_text(change(text), newline="")
    result = mintage("groups", "verify", group["id"], "codes.csv")
    assert result.exit_code == 1
    assert result.stderr == f"Error: codes.csv is not what the service holds: {told}.\n"
    assert "SHA-256\t" in result.stdout
    assert "PASS" not in result.stdout


def test_the_same_codes_of_a_group_that_is_not_whole_do_not_pass(mintage: Mintage, service: FakeService) -> None:
    """What is there so far is no proof of what was asked for."""
    group = service.add_group(total=1_000, created=400, status="cancelled")
    result = mintage("groups", "verify", group["id"], str(download(mintage, group)))
    assert result.exit_code == 1
    assert result.stderr.endswith("is what the service holds, but the proof does not hold: the group is cancelled.\n")


def test_a_file_may_come_from_standard_input(mintage: Mintage, service: FakeService, group: Wire) -> None:
    """As from `mintage groups export ID`."""
    text = mintage("groups", "export", group["id"]).stdout_bytes.decode()
    assert mintage("groups", "verify", group["id"], "-", text=text).exit_code == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "names no column Code"),
        (b"Created Date;Code\r\n1;abc\r\n", "names no column Code"),
        (b"Code\r\nabc\r\n\xff\r\n", r"not UTF-8 text \(byte 11\)"),
        (b'Code\r\nabc\r\n"def', "not CSV, near line 2"),
        (b"Created Date,Code\r\n1,abc\r\n2,\r\n", "row 2 has no code"),
        (b"Created Date,Code\r\n1,abc\r\n2", "row 2 has no code"),
    ],
    ids=["empty", "semicolons", "latin-1", "open quote", "no code", "broken off"],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    """The error names the file and the place."""
    file = tmp_path / "codes.csv"
    file.write_bytes(content)
    with pytest.raises(CodesFileError, match=f"codes.csv.*{told}"):
        read_codes(file)


def test_nothing_is_asked_about_a_file_that_is_none(mintage: Mintage, service: FakeService) -> None:
    """One line, exit code 1, no request."""
    Path("codes.csv").write_text("nothing")
    result = mintage("groups", "verify", "g1", "codes.csv")
    assert (result.exit_code, result.stderr) == (1, "Error: codes.csv: the first row names no column Code.\n")
    assert not service.requests


def test_findings_follow_the_rule() -> None:
    """Ascending byte order puts capitals first; case makes no code different."""
    found = Findings.of(["b2", "a1", "B2", "B1"])
    assert found == Findings(4, 3, hashlib.sha256(b"B1\nB2\na1\nb2\n").hexdigest())
    assert Findings.of([]) == Findings(0, 0, hashlib.sha256().hexdigest())


def test_estimate_is_told_in_words(mintage: Mintage, service: FakeService) -> None:
    """Odds as people say them, lengths, and whether a group would be accepted."""
    options = "--length 12 --total 10000 --alphabet letters --prefix x"
    result = mintage("groups", "estimate", *options.split())
    assert json.loads(service.requests[0].content) == {
        "codeLength": 12,
        "totalCodesCount": 10_000,
        "alphabet": "letters",
        "prefix": "x",
    }
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Estimate\tFigure",
        "possible codes\t208,827,064,576",
        "of them issued\t20,000",
        "expected collisions\t0.0012",
        "odds of one guess\t1 in 6,960,000",
        "bits of entropy\t37.6",
        "accepted\tyes",
        "shortest length accepted\t5",
        "suggested length\tnone",
    ]


def test_codes_that_are_too_weak_are_told_as_well(mintage: Mintage, service: FakeService) -> None:
    """An estimate is an answer, not a failure."""
    result = mintage("groups", "estimate", "--length", "4", "--total", "10000")
    assert result.exit_code == 0
    assert "expected collisions\tnone\n" in result.stdout
    assert "accepted\tno\n" in result.stdout


def test_estimate_as_json_is_the_wire_s(mintage: Mintage) -> None:
    """Machines get every field, under its wire name."""
    assert json.loads(mintage("groups", "estimate", "--length", "9", "--total", "5", "--json").stdout) == estimate_wire()
