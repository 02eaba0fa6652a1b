"""Everything that a local installation keeps lies in one folder; this module names every file in it.

    DATA/
      lock               held while servers run in the folder; contains the process id of the holder
      connection.json    how to reach the service, written by `mintage up`
      secrets/           passwords and keys, one a file, made once at random
      postgres/          the database cluster
      valkey/            the configuration of Valkey and its append-only files
      logs/              one file per process

Folders are made with mode 0700 and files with secrets in them 0600.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.errors import DataFolderInUse
from app.local.process_table import is_running

CONNECTION_FILE = "connection.json"


class DataFolder:
    """One data folder; making the object touches nothing on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.postgres = self.root / "postgres"
        self.postgres_unfinished = self.root / "postgres.new"
        self.postgres_password_file = self.root / "postgres.pw"
        self.valkey = self.root / "valkey"
        self.valkey_config = self.valkey / "valkey.conf"
        self.logs = self.root / "logs"
        self.secrets = self.root / "secrets"
        self.connection = self.root / CONNECTION_FILE
        self._lock = self.root / "lock"

    def create(self) -> None:
        """Makes the folder and those inside that belong to us; what is there already keeps its mode."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.secrets, self.logs, self.valkey):
            folder.mkdir(mode=0o700, exist_ok=True)

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.logs / f"{name}.log"

    def secret(self, name: str) -> str:
        """A random secret of 43 URL-safe characters, made at the first call and the same ever after. Needs the lock."""
        path = self.secrets / name
        with suppress(FileNotFoundError):
            path.chmod(0o600)
            return path.read_text()
        value = secrets.token_urlsafe(32)
        self.write_private(f"secrets/{name}", value)
        return value

    def write_private(self, name: str, text: str) -> Path:
        """Replaces the file `name` (a path inside the folder) in one step, with mode 0600, and returns its path."""
        path = self.root / name
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink()
            raise
        return path

    @contextmanager
    def lock(self, patience: float = 15.0) -> Iterator[int]:
        """Creates the folder and holds it for this process; the value is the lock's file descriptor.

        A child that inherits the descriptor holds the lock on when this process is killed. A start that finds the holder dead
        waits up to `patience` seconds for such children to end.

        Raises DataFolderInUse, naming folder and process, if somebody else holds it.
        """
        self.create()
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(descriptor, time.monotonic() + patience)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            try:
                yield descriptor
            finally:
                os.truncate(descriptor, 0)
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._refuse_if_held(descriptor, deadline)
            else:
                os.truncate(descriptor, 0)
                return
            time.sleep(0.02)

    def _refuse_if_held(self, descriptor: int, deadline: float) -> None:
        holder = int(os.pread(descriptor, 32, 0) or 0)
        if holder and is_running(holder):
            raise DataFolderInUse(f"The data folder {self.root} is in use by process {holder}.")
        if time.monotonic() > deadline:
            raise DataFolderInUse(f"The data folder {self.root} is still held by what process {holder} left behind.")
