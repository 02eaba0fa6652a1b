"""The options of a group, each named as its field on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_DATE = "DATE"
_OPTIONS = (
    click.option("--length", "code_length", type=int, help="Characters of a code; required unless --custom-name is given."),
    click.option("--course", "courses", multiple=True, metavar="ID", help="A course to open; may be repeated."),
    click.option("--bundle", "bundles", multiple=True, metavar="ID", help="A bundle to open; may be repeated."),
    click.option("--license", "licenses", multiple=True, metavar="ID", help="A license to give; may be repeated."),
    click.option("--learning-path", "learning_paths", multiple=True, metavar="ID", help="May be repeated."),
    click.option("--client", metavar="ID", help="The client that the codes are for."),
    click.option("--start-date", metavar=_DATE, help="Not redeemable before."),
    click.option("--expiration-date", metavar=_DATE, help="Not redeemable after."),
    click.option("--access-days", type=int, help="Days of access from redemption on; or else the next one."),
    click.option("--access-expiration-date", metavar=_DATE, help="When access ends."),
    click.option("--usage-type", type=click.Choice(["single", "multiple"]), help="How often one code may be redeemed."),
    click.option("--max-redemptions", type=int, help="With --usage-type multiple; no limit where not given."),
    click.option("--prefix", help="What every code begins with; counts in --length."),
    click.option("--alphabet", type=click.Choice(["readable", "alphanumeric", "letters", "digits"])),
    click.option("--custom-name", metavar="NAME", help="Codes are NAME1, NAME2 and so on, instead of random ones."),
    click.option("--time-zone", metavar="ZONE", help="Where a day ends for a date alone, as Europe/Berlin; else UTC."),
)


def group_fields(command: Command) -> Command:
    """Adds every option of a group but label and total; those not given arrive as None or empty."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
