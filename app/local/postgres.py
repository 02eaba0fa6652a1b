"""The PostgreSQL server of a data folder."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGINT

import psycopg
from psycopg import sql

from app.errors import LocalServerError
from app.local.account import Account, account_for
from app.local.binaries import find_postgres
from app.local.folder import DataFolder
from app.local.guard import Guard
from app.local.ports import LOOPBACK
from app.local.server import Server

NAME = "mintage"
"""Of the database and of its owner, who is no superuser but may create databases."""
ADMIN = "postgres"

SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # Details and statements of failed commands contain rows, and rows contain codes.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class PostgresServer(Server):
    """A cluster of its own, made at the first start: UTF-8, sorted by code point, passwords by SCRAM, pages with checksums."""

    title = "PostgreSQL"
    stop_signal = SIGINT  # a fast shutdown: sessions are ended, work is rolled back, a checkpoint is written
    # The sessions of a server that was killed need a moment to notice; till then their memory keeps the next one out.
    passing_trouble = "shared memory block"

    def __init__(
        self, folder: DataFolder, guard: Guard, *, settings: Mapping[str, str] | None = None, account: Account | None = None
    ) -> None:
        """`settings` are added to `SETTINGS`; `account` overrides the choice of `account_for`."""
        super().__init__(folder.postgres, folder.log("postgresql"), guard, account or account_for(folder.postgres))
        self._folder = folder
        self._settings = {**SETTINGS, **(settings or {})}
        self._programs = find_postgres()
        self._password = folder.secret("postgres-password")
        self._admin_password = folder.secret("postgres-admin-password")
        self._database_exists = False

    @property
    def url(self) -> str:
        """How the service connects: as the owner of the database."""
        return f"postgresql://{NAME}:{self._password}@{LOOPBACK}:{self.port}/{NAME}"

    @property
    def admin_url(self) -> str:
        """How to connect as superuser, to the database `postgres`."""
        return f"postgresql://{ADMIN}:{self._admin_password}@{LOOPBACK}:{self.port}/postgres"

    def start(self) -> None:
        """As `Server.start`; the first start makes the cluster, the role and the database.

        Raises LocalServerError if the cluster refuses the passwords in the data folder.
        """
        super().start()
        if not self._database_exists:
            self._create_database()

    def _prepare(self) -> None:
        if self.home.exists():
            self._account.give(self.home)
        else:
            self._create_cluster()

    def _command(self, port: int) -> Sequence[str]:
        settings = {**self._settings, "port": str(port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.home), *options]

    def _pid_file(self) -> Path:
        return self.home / "postmaster.pid"

    def _answers(self, pid: int, port: int) -> bool:
        # Line 1 is the process id, line 4 the port and line 8 the state; `pg_ctl --wait` looks at the same.
        try:
            lines = self._pid_file().read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and (lines[0], lines[3], lines[7].strip()) == (str(pid), str(port), "ready")

    def _create_cluster(self) -> None:
        # Under another name till it is whole, so that a start that was killed half-way is begun afresh by the next.
        unfinished = self._folder.postgres_unfinished
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password_file = self._folder.write_private(self._folder.postgres_password_file.name, self._admin_password)
        try:
            for path in (unfinished, password_file):
                self._account.give(path)
            self._run_initdb(unfinished, password_file)
        finally:
            password_file.unlink()
        unfinished.rename(self.home)

    def _run_initdb(self, target: Path, password_file: Path) -> None:
        options = ["--username", ADMIN, "--pwfile", str(password_file), "--auth", "scram-sha-256", "--data-checksums"]
        command = [str(self._programs / "initdb"), "--pgdata", str(target), "--encoding", "UTF8", *options, *self._locale()]
        status, output = self._run(command)
        if status != 0:
            raise LocalServerError(f"PostgreSQL could not make its files in {target}:\n{output.strip()}")

    def _locale(self) -> list[str]:
        _, version = self._run([str(self._programs / "postgres"), "--version"])
        major = re.search(r"\d+", version)
        # From 17 on: sorted by code point as C is, and knows the letters beyond ASCII without the system's locales.
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major and int(major.group()) >= 17 else []
        return ["--locale=C", *builtin]

    def _run(self, command: Sequence[str]) -> tuple[int, str]:
        """Runs a program to its end; returns its exit status and what it wrote."""
        process = self._spawn(command, subprocess.PIPE)
        output, _ = process.communicate()
        self._guard.forget(process.pid)
        return process.returncode, output.decode(errors="replace")

    def _create_database(self) -> None:
        try:
            with psycopg.connect(self.admin_url, autocommit=True, connect_timeout=10) as connection:
                if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [NAME]).rowcount:
                    role = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
                    connection.execute(role.format(sql.Identifier(NAME), self._password))
                if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).rowcount:
                    name = sql.Identifier(NAME)
                    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
        except psycopg.Error as error:
            raise LocalServerError(f"PostgreSQL runs, but its database cannot be reached: {error}") from error
        self._database_exists = True
