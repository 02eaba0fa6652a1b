"""Which service a client command talks to."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from app.local.folder import CONNECTION_FILE
from mintage import Client

LEFT_BY_UP = Path("data", CONNECTION_FILE)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def with_client(command: Callable[Concatenate[Client, Parameters], Result]) -> Callable[Parameters, Result]:
    """Gives a command `--url`, `--api-key` and `--connection`, and an open `Client` as its first argument."""

    @click.option("--url", envvar="MINTAGE_URL", show_envvar=True, metavar="URL", help="Where the service is.")
    @click.option("--api-key", envvar="MINTAGE_API_KEY", show_envvar=True, metavar="KEY", help="The API key to use.")
    @click.option(
        "--connection",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help=f"A {CONNECTION_FILE} that `mintage up` wrote, for both of them; {LEFT_BY_UP} where nothing is given.",
    )
    @functools.wraps(command)
    def opened(*args: Parameters.args, **options: Parameters.kwargs) -> Result:
        with Client(*_address(options.pop("url"), options.pop("api_key"), options.pop("connection"))) as service:
            return command(service, *args, **options)

    return opened


def _address(url: object, api_key: object, file: object) -> tuple[str | None, str | None]:
    """The address and the key; a file gives both or none, so that no key is sent to a place it is not for."""
    if isinstance(file, Path):
        return read_connection(file)
    if not (url or api_key) and LEFT_BY_UP.is_file():
        return read_connection(LEFT_BY_UP)
    return (url if isinstance(url, str) else None), (api_key if isinstance(api_key, str) else None)


def read_connection(file: Path) -> tuple[str, str]:
    """The address and the API key in a connection file; raises a ClickException where it holds none."""
    try:
        held = json.loads(file.read_text("utf-8"))
        return str(held["url"]), str(held["apiKey"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{file} is not a connection file ({type(error).__name__}).") from error
