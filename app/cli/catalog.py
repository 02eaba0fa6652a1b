"""`mintage catalog`: what codes can give access to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from app.cli.catalog_file import Catalog, CatalogFileError, parse_catalog
from app.cli.connection import with_client
from app.cli.output import print_json
from mintage import Client

_UPSERTS: dict[str, Callable[[Client, list[dict[str, Any]]], Sequence[object]]] = {
    "clients": Client.upsert_clients,
    "courses": Client.upsert_courses,
    "bundles": Client.upsert_bundles,
    "licenses": Client.upsert_licenses,
    "learningPaths": Client.upsert_learning_paths,
}


@click.group()
def catalog() -> None:
    """Load what codes can give access to."""


@catalog.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--format", "file_format", type=click.Choice(["json", "csv"]), help="Told by the name where not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
@with_client
def load(service: Client, file: Path, file_format: str | None, as_json: bool) -> None:
    """Load a catalog from FILE (- for standard input); loading it again changes nothing.

    JSON: an object with the keys courses, bundles, licenses, learningPaths, clients, each with an array of objects.
    CSV: the columns kind, id, title or name, client, isDefault, slug. Entries are known by their id; one without gets
    an id that follows from its name. Nothing is sent unless the whole file is right.
    """
    read = parse_catalog(_text(file), is_csv=(file_format or file.suffix.lstrip(".").lower()) == "csv")
    loaded = load_catalog(service, read)
    if as_json:
        print_json(loaded)
    else:
        click.echo(f"Loaded {told(loaded)}.")


def load_catalog(service: Client, entries: Catalog) -> dict[str, int]:
    """Upserts the entries, clients before the licenses that belong to them, and returns how many of each collection."""
    return {kind: len(upsert(service, entries[kind])) for kind, upsert in _UPSERTS.items() if entries.get(kind)}


def told(loaded: dict[str, int]) -> str:
    """`clients: 2, courses: 6`."""
    return ", ".join(f"{collection}: {count:,}" for collection, count in loaded.items())


def _text(file: Path) -> str:
    try:
        return (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogFileError(f"{file} is not UTF-8 text (byte {error.start:,}).") from error
