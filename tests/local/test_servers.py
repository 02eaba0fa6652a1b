"""What a running pair of servers offers and what it keeps to itself."""

from __future__ import annotations

import os
import re
import signal
import stat
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.errors import DataFolderInUse
from app.local.servers import LocalServers
from tests.local.waiting import eventually

EITHER_SERVER = pytest.mark.parametrize("name", ["postgres", "valkey"])


def ask(servers: LocalServers, question: str) -> object:
    """The first column of the first row, asked as the service."""
    with psycopg.connect(servers.database_url) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def valkey(servers: LocalServers) -> redis.Redis:
    return redis.Redis.from_url(servers.redis_url, decode_responses=True)


def passwords(servers: LocalServers) -> list[str]:
    return [path.read_text() for path in servers.folder.secrets.iterdir()]


def test_urls_have_the_promised_form(servers: LocalServers) -> None:
    """Both URLs carry a password and the loopback address; the secret key is long enough for signing."""
    assert re.fullmatch(r"postgresql://mintage:[\w-]{43}@127\.0\.0\.1:\d+/mintage", servers.database_url)
    assert re.fullmatch(r"redis://:[\w-]{43}@127\.0\.0\.1:\d+/0", servers.redis_url)
    assert len(servers.secret_key) >= 32
    assert servers.secret_key == servers.secret_key


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("max_connections", "100"),
        ("TimeZone", "UTC"),
        ("password_encryption", "scram-sha-256"),
    ],
)
def test_postgresql_is_set_up_to_keep_data(servers: LocalServers, setting: str, value: str) -> None:
    """Durability is a promise, so nothing is traded for speed."""
    assert ask(servers, f"SHOW {setting}") == value


@pytest.mark.parametrize(
    ("setting", "value"),
    [("appendonly", "yes"), ("maxmemory-policy", "noeviction"), ("save", ""), ("protected-mode", "yes")],
)
def test_valkey_is_set_up_to_keep_data(servers: LocalServers, setting: str, value: str) -> None:
    """Keys are written to the append-only file and never evicted."""
    with valkey(servers) as client:
        assert client.config_get(setting) == {setting: value}


def test_text_sorts_by_code_point_and_letters_beyond_ascii_have_cases(servers: LocalServers) -> None:
    """What PostgreSQL makes of text does not depend on the system's locales."""
    assert ask(servers, "SELECT string_agg(t, '' ORDER BY t) FROM unnest(ARRAY['b', 'B', 'a', 'é']) t") == "Babé"
    assert ask(servers, "SELECT upper('é')") == "É"


def test_the_service_is_no_superuser_but_may_create_databases(servers: LocalServers) -> None:
    """The owner of the database cannot read files of the server; the admin URL is there for what needs more."""
    assert ask(servers, "SELECT rolcreatedb AND NOT rolsuper FROM pg_roles WHERE rolname = current_user") is True
    with psycopg.connect(servers.postgres.admin_url) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)


def test_a_wrong_password_is_refused(servers: LocalServers) -> None:
    """Neither server lets in who does not know the password, nor who gives none."""
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(servers.database_url.replace(urlsplit(servers.database_url).password or "", "wrong"))
    with redis.Redis(port=servers.valkey.port, retry=Retry(NoBackoff(), 0)) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_both_listen_on_loopback_only(servers: LocalServers) -> None:
    """One TCP socket each, on 127.0.0.1, below the ports lent to outgoing connections; no Unix socket."""
    for server in (servers.postgres, servers.valkey):
        process = psutil.Process(server.pid)
        listening = {entry.laddr for entry in process.net_connections("inet") if entry.status == psutil.CONN_LISTEN}
        assert listening == {("127.0.0.1", server.port)}
        assert 20_000 <= server.port < 32_000
        assert {entry.laddr for entry in process.net_connections("unix")} <= {""}


def test_files_are_private(servers: LocalServers) -> None:
    """The folder is for its owner alone, and every file with a secret in it even if the folder were open."""
    root = servers.folder.root
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    secret = [
        path for path in root.rglob("*") if path.is_file() and any(p.encode() in path.read_bytes() for p in passwords(servers))
    ]
    assert servers.folder.valkey_config in secret
    assert len(secret) == 1 + len(passwords(servers)) >= 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_no_secret_stands_in_a_command_line_or_environment(servers: LocalServers) -> None:
    """`ps` shows nobody's password, for no process that the servers consist of."""
    pids = (servers.postgres.pid, servers.valkey.pid, servers.guard.pid)
    processes = [child for pid in pids for child in (psutil.Process(pid), *psutil.Process(pid).children())]
    shown = " ".join(f"{process.cmdline()} {process.environ()}" for process in processes)
    assert "postgres" in shown
    assert [password for password in passwords(servers) if password in shown] == []


def test_the_log_of_postgresql_holds_no_rows(servers: LocalServers) -> None:
    """A refused duplicate is logged without the value, which may be a redemption code, and without the statement."""
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE codes (code text UNIQUE)")
        connection.execute("INSERT INTO codes VALUES ('K7Q2-9XWZ')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO codes VALUES ('K7Q2-9XWZ')")
    log = servers.folder.log("postgresql")
    eventually(lambda: "duplicate key" in log.read_text())
    assert "K7Q2" not in log.read_text()
    assert "INSERT" not in log.read_text()


def test_a_second_start_is_refused(servers: LocalServers) -> None:
    """The refusal names the folder and the process that holds it, and leaves the servers alone."""
    with pytest.raises(DataFolderInUse, match=f"{servers.folder.root} is in use by process {os.getpid()}"):
        LocalServers(servers.folder.root).__enter__()
    assert ask(servers, "SELECT 1") == 1


@EITHER_SERVER
def test_a_killed_server_comes_back_on_its_port_with_its_data(servers: LocalServers, name: str) -> None:
    """What was committed, or appended, before a SIGKILL is there after it; the other server is not touched."""
    server, other = (servers.postgres, servers.valkey) if name == "postgres" else (servers.valkey, servers.postgres)
    port, bystander = server.port, other.pid
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    with valkey(servers) as client:
        client.set("kept", "1")
        server.kill()
        assert not server.running
        server.start()
        assert (server.port, other.pid) == (port, bystander)
        assert client.get("kept") == "1"
    assert ask(servers, "SELECT count(*) > 0 FROM kept") is True


@EITHER_SERVER
def test_a_frozen_server_can_be_restarted(servers: LocalServers, name: str) -> None:
    """A restart thaws what a SIGSTOP froze, so it need not wait till patience ends."""
    server = servers.postgres if name == "postgres" else servers.valkey
    before = server.pid
    os.kill(before, signal.SIGSTOP)
    server.restart()
    assert server.pid != before


@EITHER_SERVER
def test_only_a_crashed_server_is_revived(servers: LocalServers, name: str) -> None:
    """`revive` starts what ended by itself and leaves alone what was stopped on purpose."""
    server = servers.postgres if name == "postgres" else servers.valkey
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: server.crashed)
    assert servers.revive() == (server.title,)
    server.stop()
    assert servers.revive() == ()
    assert not server.running
    server.start()
