"""Reading the codes of a CSV that was downloaded: counted and hashed the way the service does it."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click

from app.errors import MintageError

COLUMN = "Code"


class CodesFileError(MintageError):
    """The file of codes could not be read."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a file of codes holds."""

    rows: int
    unique: int
    """Different codes among them, whatever their case."""
    sha256: str
    """Over the codes in ascending byte order, each followed by a line feed; hexadecimal."""

    @classmethod
    def of(cls, codes: Iterable[str]) -> Self:
        """Counts and hashes the codes, in whatever order they come."""
        held = sorted(code.encode() for code in codes)
        digest = hashlib.sha256(b"".join(code + b"\n" for code in held))
        return cls(len(held), len({code.lower() for code in held}), digest.hexdigest())


def read_codes(file: Path) -> list[str]:
    """The column `Code` of a CSV in UTF-8, with or without a byte order mark, row by row; `-` is standard input.

    Raises CodesFileError for a file that is none, or that breaks off: a column or a code that is missing.
    """
    with click.open_file(str(file), "rb") as stream:
        content = stream.read()
    try:
        return _codes(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CodesFileError(f"{file} is not UTF-8 text (byte {error.start:,}).") from error
    except _Unreadable as error:
        raise CodesFileError(f"{file}: {error}") from error


class _Unreadable(ValueError):
    """What is wrong, as a sentence."""


def _codes(text: str) -> list[str]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if COLUMN not in (rows.fieldnames or ()):
            raise _Unreadable(f"the first row names no column {COLUMN}.")
        codes = [row[COLUMN] for row in rows]
    except csv.Error as error:
        raise _Unreadable(f"it is not CSV, near line {rows.line_num:,} ({error}).") from error
    missing = next((number for number, code in enumerate(codes, 1) if not code), None)
    if missing is not None:
        raise _Unreadable(f"row {missing:,} has no code.")
    return codes
