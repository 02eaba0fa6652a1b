"""Groups on their way: followed to their end, and shown as they stand."""

from __future__ import annotations

from collections.abc import Sequence

import click

from app.cli.output import Cell, print_json, print_table
from app.cli.progress import progress_display
from mintage import Client, Group, GroupStatus

_COLUMNS = ("ID", "Label", "Status", "Codes", "Of", "Redeemed", "Created")
_NUMBERS = ("Codes", "Of", "Redeemed")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, as the service sent it.")
watch_option = click.option(
    "--watch/--no-watch", default=True, help="Stay until all codes are made (the default), or return at once."
)


def follow(service: Client, groups: Sequence[Group]) -> list[Group]:
    """The groups in their final state, shown on the way there."""
    states = {group.id: group for group in groups}
    try:
        with progress_display(groups) as display:
            for group in service.watch(groups):
                states[group.id] = group
                display.show(group)
    except KeyboardInterrupt:
        click.echo("No longer watching; the service goes on making the codes.", err=True)
        raise
    return list(states.values())


def finish(groups: Sequence[Group], as_json: bool) -> None:
    """Prints the groups; raises a ClickException where one of them failed or was cancelled."""
    print_groups(groups, as_json)
    lost = [group for group in groups if group.status in (GroupStatus.FAILED, GroupStatus.CANCELLED)]
    if lost:
        reasons = "; ".join(f"{group.label}: {group.error or group.status}" for group in lost[:3])
        raise click.ClickException(f"{len(lost)} of {len(groups)} groups were not completed ({reasons}).")


def print_groups(groups: Sequence[Group], as_json: bool) -> None:
    """One line for each group, or a JSON array of them."""
    if as_json:
        print_json([group.raw for group in groups])
    else:
        print_table(_COLUMNS, map(_row, groups), numbers=_NUMBERS)


def _row(group: Group) -> tuple[Cell, ...]:
    return (
        group.id,
        group.label,
        group.status.value,
        group.created_codes_count,
        group.total_codes_count,
        group.redeemed_codes_count,
        group.created_at,
    )
