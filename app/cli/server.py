"""Commands that run the service's own processes."""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from typing import NoReturn

import click

from app.settings import load_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--processes", default=2, show_default=True, type=click.IntRange(1, 256), help="Server processes.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 256), help="Threads of each process.")
def serve(host: str, port: int, processes: int, threads: int) -> None:
    """Run the API."""
    load_settings()
    arguments = [
        "--bind", f"{host}:{port}", "--workers", str(processes), "--threads", str(threads), "--worker-class", "gthread",
        "--reuse-port", "--keep-alive", "30", "--graceful-timeout", "20", "--max-requests", "100000",
        "--max-requests-jitter", "10000", "--no-control-socket",
        # gunicorn puts its folder on the import path; the caller's may hold an `app` of its own.
        "--chdir", str(files("app").joinpath("..")), "app.wsgi:application",
    ]  # fmt: skip
    _become("gunicorn", *arguments)


@click.command()
@click.option("--concurrency", type=click.IntRange(1, 256), help="Chunks made at once; the number of processors by default.")
def worker(concurrency: int | None) -> None:
    """Run a worker that makes codes; start as many as you need."""
    load_settings()
    _become("worker", "make", *(["--concurrency", str(concurrency)] if concurrency else []))


@click.command()
def dispatch() -> None:
    """Run a dispatcher that hands work to the workers; a second one stands by."""
    load_settings()
    _become("worker", "dispatch")


@click.command()
@click.option("--to", "revision", default="head", show_default=True, help="The revision to go to.")
@click.option("--down", is_flag=True, help="Go back to an older revision; drops what came after it.")
def migrate(revision: str, down: bool) -> None:
    """Bring the database's schema up to date."""
    # Loaded here, because the other commands become other programs and would load it in vain.
    from app.runtime import make_runtime
    from app.store import migrate as migrations

    runtime = make_runtime(load_settings(), pool_size=1)
    if down:
        migrations.downgrade(runtime.engine, revision)
    else:
        migrations.upgrade(runtime.engine, revision)
    click.echo(f"The schema is at {revision if revision != 'head' else migrations.head_revision()}.")


def _become(module: str, *arguments: str) -> NoReturn:
    """Replaces this process by `python -m module`: signals reach the program itself, under the same process id."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606  # no shell, fixed programs
