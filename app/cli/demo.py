"""`mintage demo`: everything at once, and a proof."""

from __future__ import annotations

import csv
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import click

from app.cli.catalog import load_catalog, told
from app.cli.catalog_file import Catalog, parse_catalog
from app.cli.interruption import ignore_further_signals, interruptible
from app.cli.output import print_table
from app.cli.progress import progress_display
from app.cli.stack import Stack, running_stack
from mintage import Client, Group

ASKED = 10_000
CODE_LENGTH = 12
CSV_FILE = Path("codes.csv")


@dataclass(frozen=True)
class Proof:
    """What was asked for and what is there, each counted at its own place; `seconds` from the POST to completed."""

    asked: int
    stored: frozenset[str]
    """The codes, in lower case, that a walk over all pages of the API returned."""
    stored_count: int
    exported: tuple[str, ...]
    """The codes of the file on disk, in lower case, row by row."""
    seconds: float

    @property
    def passes(self) -> bool:
        """Whether all counts are the one asked for, and the file holds the very codes that are stored."""
        counts = {self.stored_count, len(self.exported), len(set(self.exported))}
        return counts == {self.asked} and self.stored == set(self.exported)


@click.command()
@click.option("--exit", "leave", is_flag=True, help="Stop after the proof, with exit code 1 if it fails.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Keep everything there, instead of nowhere.")
@click.option("--port", type=click.IntRange(1, 65535), help="Where to listen on 127.0.0.1.")
@click.pass_context
def demo(ctx: click.Context, leave: bool, data_dir: Path | None, port: int | None) -> None:
    """Start everything, make 10,000 codes over HTTP, write codes.csv and prove the result; then stay up until Ctrl-C."""
    with interruptible(), _folder(data_dir) as folder:
        click.echo("Starting PostgreSQL, Valkey, the API, a worker and the dispatcher.")
        with running_stack(folder, port, environment=os.environ) as stack:
            proof = run(stack)
            _print(proof)
            if not leave:
                stack.stay(f"The service is up at {stack.url}/docs, its API key in {stack.folder.connection}. Ctrl-C stops it.")
    ctx.exit(0 if proof.passes else 1)


def run(stack: Stack) -> Proof:
    """Loads the sample catalog, makes the codes, exports them, and counts."""
    with Client(stack.url, stack.api_key) as service:
        entries = sample_catalog()
        loaded = load_catalog(service, entries)
        click.echo(f"Loaded a sample catalog ({told(loaded)}).")
        group, seconds = _make(service, [course["id"] for course in entries["courses"][:2]])
        service.export(group, CSV_FILE)
        click.echo(f"Wrote {CSV_FILE.resolve()}")
        return count(service, group, CSV_FILE, seconds)


def sample_catalog() -> Catalog:
    """A handful of entries of each kind, under the same ids each time."""
    return parse_catalog(files("app.cli").joinpath("sample_catalog.json").read_text("utf-8"), is_csv=False)


def count(service: Client, group: Group, file: Path, seconds: float) -> Proof:
    """Counts what the API lists and what the file holds; trusts no figure that the service gives about itself."""
    stored = [code.code.lower() for code in service.codes(group)]
    with file.open(newline="", encoding="utf-8-sig") as lines:
        exported = tuple(row["Code"].lower() for row in csv.DictReader(lines))
    return Proof(ASKED, frozenset(stored), len(stored), exported, seconds)


def _make(service: Client, courses: list[str]) -> tuple[Group, float]:
    click.echo(f"Asking for {ASKED:,} codes over HTTP.")
    started = time.perf_counter()
    group = service.create_group("Spring promotion", code_length=CODE_LENGTH, total=ASKED, courses=courses, access_days=90)
    with progress_display([group]) as display:
        group = service.wait(group, on_progress=display.show)
        return group, time.perf_counter() - started


def _print(proof: Proof) -> None:
    rows = [
        ("asked", f"{proof.asked:,}"),
        ("stored", f"{proof.stored_count:,}"),
        ("unique", f"{len(set(proof.exported)):,}"),
        ("exported", f"{len(proof.exported):,}"),
        ("seconds from POST to completed", f"{proof.seconds:.2f}"),
        ("codes per second", f"{proof.asked / proof.seconds:,.0f}"),
    ]
    print_table(("Proof", "Figure"), rows, numbers=("Figure",))
    click.echo("PASS: every code asked for is stored, unique and in the file." if proof.passes else "FAIL: the figures differ.")


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """The folder to keep, or a temporary one that is removed at the end."""
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="mintage-", ignore_cleanup_errors=True) as temporary:
        try:
            yield Path(temporary)
        finally:
            ignore_further_signals()
