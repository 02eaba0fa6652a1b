"""The two embedded servers of a data folder, together."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from app.errors import LocalServerError
from app.local.folder import DataFolder
from app.local.guard import Guard
from app.local.postgres import PostgresServer
from app.local.server import Server
from app.local.valkey import ValkeyServer

_log = logging.getLogger(__name__)
_S = TypeVar("_S", bound=Server)


class LocalServers:
    """PostgreSQL and Valkey with their data in one folder, on loopback ports, as a context manager.

    Entering takes the folder (made with mode 0700 if need be), starts both and waits till they answer; leaving stops them. Data,
    passwords and the secret key stay for the next time; the ports may differ then. If this process is killed, a guardian process
    stops the servers and only then is the folder free; the next start waits for that.

    Entering raises DataFolderInUse if another process uses the folder, LocalServerError if a server is missing or does not start.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        postgres: bool = True,
        valkey: bool = True,
        postgres_settings: Mapping[str, str] | None = None,
        valkey_settings: Mapping[str, str] | None = None,
    ) -> None:
        """The two mappings change or add server settings, in the words of postgresql.conf and valkey.conf."""
        self.folder = DataFolder(data_dir)
        self._with_postgres = postgres
        self._with_valkey = valkey
        self._postgres_settings = postgres_settings
        self._valkey_settings = valkey_settings
        self._postgres: PostgresServer | None = None
        self._valkey: ValkeyServer | None = None
        self._guard: Guard | None = None
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            lock = stack.enter_context(self.folder.lock())
            self._guard = Guard(self.folder.log("guard"), keep_open=[lock])
            stack.callback(self._guard.close)
            if self._with_valkey:
                self._valkey = ValkeyServer(self.folder, self._guard, settings=self._valkey_settings)
                _start(self._valkey, stack)
            if self._with_postgres:
                self._postgres = PostgresServer(self.folder, self._guard, settings=self._postgres_settings)
                _start(self._postgres, stack)
            self._running = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._running.close()

    @property
    def postgres(self) -> PostgresServer:
        """The handle of PostgreSQL. Raises LocalServerError if it was not asked for or not entered yet."""
        return _given(self._postgres, "PostgreSQL")

    @property
    def valkey(self) -> ValkeyServer:
        """The handle of Valkey. Raises LocalServerError if it was not asked for or not entered yet."""
        return _given(self._valkey, "Valkey")

    @property
    def guard(self) -> Guard:
        """What ends children if this process is killed; to be shared with a `processes.Supervisor`."""
        if self._guard is None:
            raise LocalServerError("The local servers have not been started.")
        return self._guard

    @property
    def database_url(self) -> str:
        """`postgresql://mintage:PASSWORD@127.0.0.1:PORT/mintage`."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """`redis://:PASSWORD@127.0.0.1:PORT/0`."""
        return self.valkey.url

    @property
    def secret_key(self) -> str:
        """The installation's SECRET_KEY, 43 random characters kept with the data. Needs the folder to be entered."""
        return self.folder.secret("secret-key")

    def revive(self) -> tuple[str, ...]:
        """Starts again, on its port, each server that has crashed, and the guardian; returns the titles of those servers.

        Servers that were stopped or killed through their handles stay as they are. Raises LocalServerError if a start fails.
        """
        self.guard.ensure()
        crashed = [server for server in (self._valkey, self._postgres) if server is not None and server.crashed]
        for server in crashed:
            _log.warning("local.server_crashed", extra={"server": server.title})
            server.start()
        return tuple(server.title for server in crashed)


def _start(server: Server, stack: ExitStack) -> None:
    stack.callback(server.stop)
    server.start()


def _given(server: _S | None, title: str) -> _S:
    if server is None:
        raise LocalServerError(f"{title} is not among the servers that were started.")
    return server
