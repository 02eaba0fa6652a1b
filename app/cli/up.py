"""`mintage up`: the whole service, kept in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.interruption import interruptible
from app.cli.stack import Stack, running_stack


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Where everything is kept.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Where to listen on 127.0.0.1; else as the last time, or 8080, or a free port."
)
def up(data_dir: Path, port: int | None) -> None:
    """Run the whole service with its own PostgreSQL and Valkey, until Ctrl-C.

    DATABASE_URL, REDIS_URL, CELERY_BROKER_URL and SECRET_KEY are taken from the environment where they are set; the
    server that one of them names is then not started. What dies is started again.
    """
    with interruptible():
        click.echo("Starting.", err=True)
        with running_stack(data_dir, port, environment=os.environ) as stack:
            stack.stay(_greeting(stack))


def _greeting(stack: Stack) -> str:
    """Where things are; the key itself stays out of terminals and logs."""
    secret = "as in this environment" if os.environ.get("SECRET_KEY") else f"from {stack.folder.secrets / 'secret-key'}"
    return "\n".join(
        [
            f"Mintage is up at {stack.url}",
            f"  API          {stack.url}/docs",
            f"  API key      apiKey in {stack.folder.connection}",
            f"  Logs         {stack.folder.logs}",
            "  More work    mintage worker, as often as you like, with DATABASE_URL and REDIS_URL from that file",
            f"               (databaseUrl, redisUrl) and SECRET_KEY {secret}",
            "Ctrl-C stops it; the data stays.",
        ]
    )
