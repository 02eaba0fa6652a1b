"""`mintage groups`, after a group was accepted: cancel, resume, add codes, delete."""

from __future__ import annotations

import sys

import click

from app.cli.connection import with_client
from app.cli.following import finish, follow, json_option, print_groups, watch_option
from app.cli.output import printable
from mintage import Client


@click.command()
@click.argument("group_id", metavar="ID")
@click.option("--discard", is_flag=True, help="Delete the codes made so far, except any that were redeemed.")
@json_option
@with_client
def cancel(service: Client, group_id: str, discard: bool, as_json: bool) -> None:
    """Stop the making of a group.

    The codes made so far stay, unless --discard is given.
    """
    print_groups([service.cancel_group(group_id, discard)], as_json)


@click.command()
@click.argument("group_id", metavar="ID")
@watch_option
@json_option
@with_client
def resume(service: Client, group_id: str, watch: bool, as_json: bool) -> None:
    """Make the missing codes of a failed or cancelled group."""
    resumed = [service.resume_group(group_id)]
    finish(follow(service, resumed) if watch else resumed, as_json)


@click.command("add-codes")
@click.argument("group_id", metavar="ID")
@click.option("--count", required=True, type=click.IntRange(min=1), help="How many more; a group holds 10,000 at most.")
@watch_option
@json_option
@with_client
def add_codes(service: Client, group_id: str, count: int, watch: bool, as_json: bool) -> None:
    """Make more codes in a completed group."""
    extended = [service.add_codes(group_id, count)]
    finish(follow(service, extended) if watch else extended, as_json)


@click.command()
@click.argument("group_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask; required where there is no terminal to ask at.")
@with_client
def delete(service: Client, group_id: str, yes: bool) -> None:
    """Delete a group with its codes, for good.

    Not possible once a code was redeemed.
    """
    if not yes:
        _confirm(service, group_id)
    service.delete_group(group_id)
    click.echo(f"{group_id} is deleted, with its codes.")


def _confirm(service: Client, group_id: str) -> None:
    """Asks the person at the terminal; raises Abort for a no, UsageError where nobody is there."""
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody is there to be asked; give --yes to delete the group without a question.")
    group = service.get_group(group_id)
    click.confirm(f"Delete {printable(group.label)} with its {group.created_codes_count:,} codes?", abort=True, err=True)


COMMANDS = (cancel, resume, add_codes, delete)
