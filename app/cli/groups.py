"""`mintage groups`: groups of codes, over HTTP."""

from __future__ import annotations

import sys
from itertools import islice
from typing import Any

import click

from app.cli import lifecycle, proof
from app.cli.connection import with_client
from app.cli.fields import group_fields
from app.cli.following import finish, follow, json_option, print_groups, watch_option
from app.cli.output import Cell, print_json, print_table
from mintage import Client, Group, GroupStatus, MintageError

LARGEST_GROUP = 10_000


@click.group()
def groups() -> None:
    """Create, watch, change, export and prove groups of codes."""


@groups.command()
@click.option("--label", required=True, help="What the group is called.")
@click.option("--total", required=True, type=click.IntRange(min=1), help="How many codes; above 10,000, in several groups.")
@group_fields
@watch_option
@json_option
@with_client
def create(service: Client, /, label: str, total: int, watch: bool, as_json: bool, **fields: Any) -> None:
    """Create codes, and watch them being made.

    More than 10,000 are split into groups of 10,000 named LABEL (1 of 25), LABEL (2 of 25) and so on.
    Dates are YYYY-MM-DD (through the end of that day) or a date-time with its offset.
    """
    created: list[Group] = []
    try:
        for part, size in split(label, total):
            created.append(service.create_group(part, total=size, **fields))
    except MintageError as error:
        if created:
            print_groups(created, as_json)
            parts = len(split(label, total))
            raise click.ClickException(f"{len(created)} of {parts} groups were created; then: {error}") from error
        raise
    finish(follow(service, created) if watch else created, as_json)


@groups.command("list")
@click.option("--query", metavar="TEXT", help="Only labels that match.")
@click.option("--status", type=click.Choice([status.value for status in GroupStatus]), help="Only groups that stand there.")
@click.option("--sort", metavar="FIELD", help="label or createdAt, with :asc or :desc.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@json_option
@with_client
def list_groups(service: Client, query: str | None, status: str | None, sort: str | None, limit: int, as_json: bool) -> None:
    """List groups."""
    found = service.groups(query, sort=sort, status=status, page_size=min(limit, 500))
    print_groups(list(islice(found, limit)), as_json)
    if next(found, None) is not None:
        click.echo(f"There are more than {limit:,}; see --limit.", err=True)


@groups.command()
@click.argument("group_id", metavar="ID")
@json_option
@with_client
def show(service: Client, group_id: str, as_json: bool) -> None:
    """Show one group."""
    group = service.get_group(group_id)
    if as_json:
        print_json(group.raw)
    else:
        print_table(("Field", "Value"), [(name, _value(value)) for name, value in group.raw.items()])


@groups.command()
@click.argument("group_ids", metavar="ID...", nargs=-1, required=True)
@json_option
@with_client
def watch(service: Client, group_ids: tuple[str, ...], as_json: bool) -> None:
    """Watch groups until they are finished.

    The exit code is 1 unless all are completed.
    """
    finish(follow(service, [service.get_group(group_id) for group_id in dict.fromkeys(group_ids)]), as_json)


@groups.command()
@click.argument("group_id", metavar="ID")
@click.option("-o", "--output", default="-", show_default=True, metavar="FILE", help="Where to; - is standard output.")
@with_client
def export(service: Client, group_id: str, output: str) -> None:
    """Write a group's codes as CSV; a file is whole or not there."""
    try:
        rows = service.export(group_id, sys.stdout.buffer if output == "-" else output)
    except BrokenPipeError:
        raise  # whoever read our output has enough; click ends without a word
    except OSError as error:
        raise click.FileError(output, hint=error.strerror) from error
    click.echo(f"{rows:,} codes written.", err=True)


def split(label: str, total: int) -> list[tuple[str, int]]:
    """The labels and sizes of the groups that hold `total` codes: full ones, and one with the rest."""
    sizes = [LARGEST_GROUP] * (total // LARGEST_GROUP)
    if rest := total % LARGEST_GROUP:
        sizes.append(rest)
    if len(sizes) == 1:
        return [(label, total)]
    return [(f"{label} ({number} of {len(sizes)})", size) for number, size in enumerate(sizes, 1)]


def _value(value: Any) -> Cell:
    """A field of the wire on one line; items by their names."""
    if isinstance(value, dict):
        return str(value.get("title") or value.get("name") or value.get("id"))
    if isinstance(value, list):
        return ", ".join(str(_value(entry)) for entry in value)
    return str(value) if isinstance(value, float) else value


for command in (*lifecycle.COMMANDS, *proof.COMMANDS):
    groups.add_command(command)
