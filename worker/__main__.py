"""`python -m worker make` and `python -m worker dispatch`: what `mintage worker` and `mintage dispatch` become."""

from __future__ import annotations

import sys

import click

from app.errors import ConfigurationError
from app.logs import configure_logging
from app.runtime import make_runtime
from app.settings import Settings, load_settings
from worker.celery_app import make_celery
from worker.dispatcher import run_dispatcher
from worker.main import run_worker


@click.group()
def commands() -> None:
    """The processes behind the API."""


@commands.command()
@click.option("--concurrency", type=click.IntRange(1, 256), help="Chunks made at once; the number of processors by default.")
def make(concurrency: int | None) -> None:
    """Make codes."""
    sys.exit(run_worker(_settings(), concurrency=concurrency))


@commands.command()
def dispatch() -> None:
    """Hand work to the workers."""
    settings = _settings()
    run_dispatcher(make_runtime(settings, pool_size=2), make_celery(settings, publisher=True))


def _settings() -> Settings:
    try:
        settings = load_settings()
    except ConfigurationError as error:
        raise click.ClickException(error.message) from None
    configure_logging(settings)
    return settings


commands()
