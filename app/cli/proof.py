"""`mintage groups`, what can be shown of codes: the proof of a group, a file against it, and strength beforehand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import click

from app.cli.codes_file import Findings, read_codes
from app.cli.connection import with_client
from app.cli.following import json_option
from app.cli.output import Cell, print_json, print_table
from mintage import Client, Estimate, GroupStatus, Proof
from mintage.models import AlphabetName


@click.command()
@click.argument("group_id", metavar="ID")
@json_option
@with_client
def proof(service: Client, group_id: str, as_json: bool) -> None:
    """Have a group's codes counted and hashed.

    The proof holds for a completed group of which as many codes are stored, unique and exported as were asked for; where
    it does not, the exit code is 1. The SHA-256 is over the codes in ascending byte order, each followed by a line feed.
    """
    proven = service.prove(group_id)
    if as_json:
        print_json(proven.raw)
    else:
        print_table(("Proof", "Figure"), [("status", proven.status.value), *_figures(proven), ("SHA-256", proven.sha256)])
    if not proven.holds:
        raise click.ClickException(f"The proof does not hold: {_shortcoming(proven)}.")


@click.command()
@click.argument("group_id", metavar="ID")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@with_client
def verify(service: Client, group_id: str, file: Path) -> None:
    """Check a downloaded CSV against the service's proof.

    Rows, different codes (whatever their case) and SHA-256 are worked out here, from the column Code of FILE (- for
    standard input) alone; the order of the rows does not matter. The exit code is 1 unless FILE is the whole group.
    """
    found = Findings.of(read_codes(file))
    proven = service.prove(group_id)
    print_table(("Proof", "File", "Service"), _both_sides(found, proven), numbers=("File", "Service"))
    if differing := _differences(found, proven):
        raise click.ClickException(f"{file} is not what the service holds: {', '.join(differing)}.")
    if not proven.holds:
        raise click.ClickException(f"{file} is what the service holds, but the proof does not hold: {_shortcoming(proven)}.")
    click.echo("PASS: every code asked for is stored, unique and in the file.")


@click.command()
@click.option("--length", "code_length", required=True, type=int, help="Characters of a code.")
@click.option("--total", required=True, type=int, help="How many codes.")
@click.option("--alphabet", type=click.Choice(["readable", "alphanumeric", "letters", "digits"]), help="Else readable.")
@click.option("--prefix", help="What every code begins with; counts in --length.")
@json_option
@with_client
def estimate(
    service: Client, code_length: int, total: int, alphabet: AlphabetName | None, prefix: str | None, as_json: bool
) -> None:
    """Tell how strong codes would be, before any is made."""
    told = service.estimate(code_length, total, alphabet, prefix)
    if as_json:
        print_json(told.raw)
    else:
        print_table(("Estimate", "Figure"), _strength(told))


def _figures(proven: Proof) -> list[tuple[str, int]]:
    return [("asked", proven.asked), ("stored", proven.stored), ("unique", proven.unique), ("exported", proven.exported)]


def _both_sides(found: Findings, proven: Proof) -> list[tuple[Cell, ...]]:
    return [
        ("asked", None, proven.asked),
        ("stored", None, proven.stored),
        ("rows", found.rows, proven.exported),
        ("unique", found.unique, proven.unique),
        ("SHA-256", found.sha256, proven.sha256),
    ]


def _differences(found: Findings, proven: Proof) -> list[str]:
    """What is another in the file than at the service."""
    differing = [
        f"{name} ({here:,} in the file, {there:,} there)"
        for name, here, there in (("rows", found.rows, proven.exported), ("unique", found.unique, proven.unique))
        if here != there
    ]
    return differing if found.sha256 == proven.sha256 else [*differing, "SHA-256"]


def _shortcoming(proven: Proof) -> str:
    """Why a proof does not hold."""
    if proven.status is not GroupStatus.COMPLETED:
        return f"the group is {proven.status}"
    return ", ".join(f"{number:,} {name}" for name, number in _figures(proven))


def _strength(told: Estimate) -> list[tuple[str, Cell]]:
    none = "none"
    return [
        ("possible codes", told.capacity),
        ("of them issued", told.issued_codes_count),
        ("expected collisions", none if told.expected_collisions is None else f"{told.expected_collisions:.3g}"),
        ("odds of one guess", _odds(told.guess_odds)),
        ("bits of entropy", f"{told.entropy_bits:.1f}"),
        ("accepted", told.sufficient),
        ("shortest length accepted", told.shortest_code_length or none),
        ("suggested length", told.suggested_code_length or none),
    ]


def _odds(chance: float) -> str:
    """`1 in 3,280,000,000`, to three digits."""
    return f"1 in {int(Decimal(f'{1 / chance:.3g}')):,}" if chance else "none"


COMMANDS = (proof, verify, estimate)
