"""The `mintage` command. Subcommands are imported when they are called, so that help and client commands start at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import click

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it: 128 and the number of the signal."""


class _Lazy(NamedTuple):
    target: str
    summary: str


COMMANDS = {
    "catalog": _Lazy("app.cli.catalog:catalog", "Load courses, bundles, licenses, learning paths and clients."),
    "demo": _Lazy("app.cli.demo:demo", "Set up everything, make 10,000 codes over HTTP and prove the result."),
    "dispatch": _Lazy("app.cli.server:dispatch", "Run the dispatcher, which sends stored work to the queue."),
    "groups": _Lazy("app.cli.groups:groups", "Create, watch, change, export and prove groups of codes."),
    "keys": _Lazy("app.cli.keys:keys", "Create, list and revoke API keys."),
    "migrate": _Lazy("app.cli.server:migrate", "Bring the database to this version's schema."),
    "serve": _Lazy("app.cli.server:serve", "Run the HTTP service."),
    "up": _Lazy("app.cli.up:up", "Run the whole service with its own servers, kept in a data folder."),
    "worker": _Lazy("app.cli.server:worker", "Run a worker, which makes codes; start as many as you like."),
    "workers": _Lazy("app.cli.workers:workers", "Show the workers that are there."),
}


class LazyGroup(click.Group):
    """Commands by the module that holds them, and the place where an error becomes one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the alphabet."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command; None for a name that is not one."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name].target} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in sorted(COMMANDS)])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; every MintageError of the service or the client library is one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interruption:
            raise click.exceptions.Exit(getattr(interruption, "exit_code", INTERRUPTED)) from None
        except Exception as error:
            if not isinstance(error, _expected_errors()):
                raise
            raise click.ClickException(" ".join(str(error).splitlines())) from error


def _expected_errors() -> tuple[type[Exception], ...]:
    """Imported once something failed: the client library brings an HTTP stack that help texts can do without."""
    from app.errors import MintageError as ServiceError
    from mintage.errors import MintageError as ClientError

    return (ServiceError, ClientError)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mintage", prog_name="mintage")
def main() -> None:
    """Redemption codes in bulk, looked after for life.

    Client commands (groups, catalog) find the service in MINTAGE_URL and MINTAGE_API_KEY, or in ./data/connection.json,
    which `mintage up` writes.
    """


if __name__ == "__main__":
    main(prog_name="mintage")
