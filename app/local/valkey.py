"""The Valkey (or Redis) server of a data folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGTERM

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.local.account import Account
from app.local.binaries import find_valkey
from app.local.folder import DataFolder
from app.local.guard import Guard
from app.local.ports import LOOPBACK
from app.local.server import Server

SETTINGS: Mapping[str, str] = {
    "bind": LOOPBACK,
    "protected-mode": "yes",
    "daemonize": "no",
    "pidfile": "valkey.pid",
    "save": '""',
    "appendonly": "yes",
    "maxmemory-policy": "noeviction",
    # The command line keeps the path of the configuration, by which a server left behind is known.
    "set-proc-title": "no",
}


class ValkeyServer(Server):
    """A server with a password, an append-only file, and no eviction."""

    title = "Valkey"
    stop_signal = SIGTERM

    def __init__(self, folder: DataFolder, guard: Guard, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are added to `SETTINGS`, in the words of valkey.conf."""
        super().__init__(folder.valkey, folder.log("valkey"), guard, Account())
        self.working_folder = folder.valkey  # where it puts its files
        self._folder = folder
        self._settings = {**SETTINGS, **(settings or {})}
        self._program = find_valkey()
        self._password = folder.secret("valkey-password")

    @property
    def url(self) -> str:
        """How clients connect, to database 0."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def _prepare(self) -> None:
        """Nothing: the configuration names the port and is written with the command."""

    def _command(self, port: int) -> Sequence[str]:
        settings = {**self._settings, "port": str(port), "requirepass": self._password}
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        config = self._folder.write_private(f"{self.home.name}/{self._folder.valkey_config.name}", text)
        return [str(self._program), str(config)]

    def _pid_file(self) -> Path:
        return self.home / "valkey.pid"

    def _answers(self, pid: int, port: int) -> bool:
        client = redis.Redis(
            host=LOOPBACK,
            port=port,
            password=self._password,
            socket_timeout=0.2,
            socket_connect_timeout=0.2,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            try:
                # It refuses a ping while it reads its files.
                return bool(client.ping()) and bool(client.info("server")["process_id"] == pid)
            except redis.RedisError:
                return False
