"""`mintage workers`: who makes the codes; asks the database, because that is where workers report themselves."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from app.cli.output import Cell, print_json, print_table
from app.domain.moments import format_moment
from app.runtime import make_runtime
from app.services import presence
from app.services.presence import Presence
from app.settings import load_settings

NOBODY = "No worker is there, so no codes are made; start one with: mintage worker"

_COLUMNS = ("Host", "PID", "Queues", "Concurrency", "Chunks done", "Started", "Last seen", "State")
_NUMBERS = ("PID", "Concurrency", "Chunks done")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def workers(as_json: bool) -> None:
    """Show the workers that reported themselves; one that fell silent without signing off is gone."""
    with closing(make_runtime(load_settings(), pool_size=1)) as runtime, runtime.reading() as conn:
        found = presence.list_workers(conn, runtime.settings)
    if as_json:
        print_json([_shown(worker) for worker in found])
    elif found:
        print_table(_COLUMNS, map(_row, found), numbers=_NUMBERS)
    if all(worker.gone for worker in found):
        click.echo(NOBODY, err=True)


def _row(found: Presence) -> tuple[Cell, ...]:
    seen, worker = found.seen, found.seen.worker
    state = "gone" if found.gone else "there"
    queues = ", ".join(worker.queues)
    ago = _ago(seen.silent_seconds)
    return worker.host, str(worker.pid), queues, worker.concurrency, worker.chunks_done, seen.started_at, ago, state


def _ago(seconds: float) -> str:
    """`4 s ago`, `12 min ago`, `3 h ago`; rounded down."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def _shown(found: Presence) -> dict[str, Any]:
    seen, worker = found.seen, found.seen.worker
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "queues": list(worker.queues),
        "concurrency": worker.concurrency,
        "chunksDone": worker.chunks_done,
        "startedAt": format_moment(seen.started_at),
        "lastSeenAt": format_moment(seen.seen_at),
        "silentSeconds": round(seen.silent_seconds, 3),
        "gone": found.gone,
    }
