"""What commands print: tables for people, plain lines where there is no terminal, JSON for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TextIO

import click

Cell = str | int | bool | datetime | None


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream shows to a person who can be sent control characters."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def printable(text: str) -> str:
    """The text on one line, without any character that could steer a terminal; each one becomes a replacement character."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, numbers: Sequence[str] = ()) -> None:
    """A table at a terminal, and lines of values with tabs between them elsewhere; columns in `numbers` are right-aligned."""
    texts = [[_text(cell) for cell in row] for row in rows]
    if not is_terminal(sys.stdout):
        for row in [list(columns), *texts]:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in texts:
        table.add_row(*map(Text, row))
    Console(file=sys.stdout).print(table)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case int():
            return f"{cell:,}"
        case datetime():
            return cell.strftime("%Y-%m-%d %H:%M UTC")
        case _:
            return printable(cell)
