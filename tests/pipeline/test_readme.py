"""The README's commands, run as a reader would: pasted into a shell, against the service that they start."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local.ports import LOOPBACK, free_port
from app.settings import Settings
from tests.local.waiting import eventually
from tests.pipeline.stack import MINTAGE

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
OF_THE_SERVICE = {str(field.validation_alias) for field in Settings.model_fields.values()} | {"MINTAGE_URL", "MINTAGE_API_KEY"}


def block(marker: str) -> str:
    """The code block below a marker that readers do not see."""
    found = re.search(rf"<!-- {re.escape(marker)} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found is not None, marker
    return found[1]


def plain_environment() -> dict[str, str]:
    """The present environment without anything that the service or a client would take from it; this Python comes first."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_THE_SERVICE}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which `mintage up` keeps a service in `./data`, as `./run up` does."""
    folder = tmp_path_factory.mktemp("reader")
    connection = folder / "data" / "connection.json"
    command = [*MINTAGE, "up", "--port", str(free_port())]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, env=plain_environment(), stdout=log, stderr=log) as process,
    ):
        try:
            eventually(lambda: connection.exists() or process.poll() is not None, 60)
            assert process.poll() is None, (folder / "log").read_text()
            yield folder
        finally:
            process.terminate()
    assert process.returncode == 0


def codes_in(file: Path) -> list[str]:
    with file.open(newline="", encoding="utf-8") as lines:
        return [row["Code"] for row in csv.DictReader(lines)]


@needs_curl
def test_the_walk_with_curl_works_as_it_is_pasted(folder: Path) -> None:
    """Every line succeeds; at the end there is a file of 10,000 different codes, and the service's proof holds."""
    pasted = subprocess.run(
        ["bash"], input="set -euo pipefail\n" + block("tested: curl"), cwd=folder, env=plain_environment(), capture_output=True,
        text=True, timeout=90, check=False,
    )  # fmt: skip
    assert pasted.returncode == 0, pasted.stderr
    assert pasted.stderr == ""
    codes = codes_in(folder / "spring.csv")
    assert len(set(codes)) == len(codes) == 10_000
    *shown, proof = pasted.stdout.splitlines()
    assert shown[0] == "completed"
    assert shown[2].split(",")[1] == codes[0]
    numbers = json.loads(proof)
    assert numbers["holds"] is True
    assert {numbers[name] for name in ("asked", "stored", "unique", "exported")} == {10_000}


def run_python(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a program that finds the service as the client library does."""
    connection = json.loads((folder / "data" / "connection.json").read_text())
    environment = plain_environment() | {"MINTAGE_URL": connection["url"], "MINTAGE_API_KEY": connection["apiKey"]}
    (folder / "spring.csv").unlink(missing_ok=True)
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=90, check=False
    )


def test_the_lines_of_python_work(folder: Path) -> None:
    ran = run_python(block("tested: python"), folder)
    assert ran.returncode == 0, ran.stderr
    codes = codes_in(folder / "spring.csv")
    assert ran.stdout.splitlines()[-1] == f"10,000 codes in spring.csv, the first one {codes[0]}"


def test_the_demo_prints_what_the_readme_shows(tmp_path: Path) -> None:
    """Line by line, apart from the folder and the two figures that depend on the machine."""
    command = [*MINTAGE, "demo", "--exit", "--port", str(free_port())]
    ran = subprocess.run(command, cwd=tmp_path, env=plain_environment(), capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    shown = block("transcript: demo").splitlines()[1:]
    assert [masked(line) for line in ran.stdout.splitlines()] == [masked(line) for line in shown]
    assert len(set(codes_in(tmp_path / "codes.csv"))) == 10_000
    assert LOOPBACK not in ran.stdout


def masked(line: str) -> str:
    """A line without the folder of a file, the width of columns, and figures of speed."""
    line = re.sub(r"^Wrote .*/", "Wrote ", line)
    line = re.sub(r"\t| {2,}", "  ", line).strip()
    if line.startswith(("seconds", "codes per second")):
        line = re.sub(r"(?<=\s)[\d.,]+$", "#", line)
    return re.sub(r"\s+", " ", line)


def blocks_of(page: str, language: str) -> list[str]:
    """All code blocks of a page in one language."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(found) > 5
    return found


@needs_curl
def test_the_guide_to_the_api_works_as_it_is_pasted(folder: Path) -> None:
    """All of its blocks, one after the other; the file's checksum is the one in the service's proof."""
    pasted = subprocess.run(
        ["bash"], input="set -euo pipefail\n" + "\n".join(f"{code}\necho" for code in blocks_of("api.md", "bash")), cwd=folder,
        env=plain_environment(), capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert pasted.returncode == 0, pasted.stderr
    assert pasted.stderr == ""
    assert "Something went wrong" not in pasted.stdout
    (told,) = re.findall(r'"sha256":"([0-9a-f]{64})"', pasted.stdout)
    assert f"{told}  -\n" in pasted.stdout
    assert "event: progress" in pasted.stdout
    first, second = re.findall(r"^[0-9a-f-]{36}$", pasted.stdout, re.MULTILINE)
    assert first == second


def test_the_guide_to_the_client_works_as_it_is_pasted(folder: Path) -> None:
    """All of its blocks as one program, and the refusals are worded as the page has them."""
    ran = run_python("\n".join(blocks_of("client.md", "python")), folder)
    assert ran.returncode == 0, ran.stderr
    assert "This group is completed; only a pending or processing group can be cancelled." in ran.stdout
    assert "codeLength 4 leaves 10,000 possible codes" in ran.stdout
    assert len(codes_in(folder / "spring.csv")) == 2_500
