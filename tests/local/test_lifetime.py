"""Starting, stopping and dying: what stays, what goes."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from app.errors import DataFolderInUse, LocalServerError
from app.local import account, server
from app.local.account import Account
from app.local.folder import DataFolder
from app.local.guard import Guard
from app.local.ports import free_port
from app.local.postgres import PostgresServer
from app.local.servers import LocalServers
from tests.local.host import Host
from tests.local.waiting import all_gone, eventually


@pytest.fixture
def new_dir(tmp_path: Path) -> Path:
    """Not there yet."""
    return tmp_path / "a folder with blanks" / "data"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Was used before; the tests use it one after the other, as a user would, and leave no server behind."""
    folder = tmp_path_factory.mktemp("used before") / "data"
    with LocalServers(folder):
        return folder


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A folder that other users may pass through, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name) / "data"


def test_data_passwords_and_key_outlive_a_stop(new_dir: Path) -> None:
    """A stop ends every process; the next start finds data and secrets as they were."""
    with LocalServers(new_dir) as servers:
        pids = [servers.postgres.pid, servers.valkey.pid, servers.guard.pid]
        key, port = servers.secret_key, str(servers.postgres.port)
        url = servers.database_url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        with redis.Redis.from_url(servers.redis_url) as client:
            client.set("kept", 42)
    assert all_gone(pids)
    with LocalServers(new_dir) as servers:
        assert servers.secret_key == key
        assert servers.database_url == url.replace(port, str(servers.postgres.port))
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.get("kept") == b"42"


def test_nothing_outlives_a_killed_supervising_process(data_dir: Path) -> None:
    """SIGKILL of the supervising process ends the servers too, and the next start just works, without waiting for a deadline."""
    with Host(data_dir) as host:
        with pytest.raises(DataFolderInUse, match=f"process {host.pid}"):
            LocalServers(data_dir).__enter__()
        host.kill()
        with LocalServers(data_dir) as servers:
            assert all_gone(host.pids)
            assert servers.postgres.running
    assert "is gone; ending" in DataFolder(data_dir).log("guard").read_text()


def test_a_whole_tree_goes_with_the_supervising_process(data_dir: Path) -> None:
    """A grandchild that ignores SIGTERM is gone within seconds of the SIGKILL, and the servers after it."""
    with Host(data_dir, "with children") as host:
        assert len(host.started["family"]) == 2
        host.kill()
        eventually(lambda: all_gone(host.pids))


def test_servers_without_guardian_are_ended_by_the_next_start(data_dir: Path) -> None:
    """If the guardian is killed as well, the servers stay behind, till the next start finds them by their pid files."""
    with Host(data_dir) as host:
        os.kill(host.started["guardian"][0], signal.SIGKILL)
        host.kill()
        assert not all_gone(host.started["postgres"][:1])
        with LocalServers(data_dir):
            assert all_gone(host.pids)


def test_stale_pid_files_of_strangers_do_not_matter(data_dir: Path) -> None:
    """A pid file whose number belongs to some other process by now neither keeps a server from starting nor hurts the other."""
    with LocalServers(data_dir) as servers:
        files = (servers.folder.postgres / "postmaster.pid", servers.folder.valkey / "valkey.pid")
        text = {file: file.read_text().partition("\n")[2] for file in files}
    for file in files:
        file.write_text(f"{os.getppid()}\n{text[file]}")
    with LocalServers(data_dir) as servers:
        assert servers.postgres.running
        assert servers.valkey.running


def test_a_first_start_that_was_cut_off_is_begun_afresh(new_dir: Path) -> None:
    """Half a cluster from a start that was killed does not stay in the way; neither does a cluster without its database."""
    folder = DataFolder(new_dir)
    folder.create()
    folder.postgres_unfinished.mkdir()
    (folder.postgres_unfinished / "PG_VERSION").write_text("18\n")
    with LocalServers(new_dir, valkey=False) as servers, psycopg.connect(servers.postgres.admin_url, autocommit=True) as admin:
        admin.execute("DROP DATABASE mintage")
    with LocalServers(new_dir, valkey=False) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not folder.postgres_unfinished.exists()
    assert not folder.postgres_password_file.exists()


def test_a_port_taken_in_the_meantime_is_given_up_for_another(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the choice of a port and its use somebody may take it; then the next one is tried."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        choices = iter([taken, taken])
        monkeypatch.setattr(server, "free_port", lambda: next(choices, None) or free_port())
        with LocalServers(data_dir) as servers:
            assert taken not in (servers.postgres.port, servers.valkey.port)
        assert next(choices, None) is None


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(data_dir: Path) -> None:
    """The error ends with the server's own words; the other server is stopped and the folder is free again."""
    with pytest.raises(LocalServerError, match=r"PostgreSQL did not start(.|\n)*no_such_setting"):
        LocalServers(data_dir, postgres_settings={"no_such_setting": "1"}).__enter__()
    with pytest.raises(LocalServerError, match=r"Valkey did not start(.|\n)*no-such-setting"):
        LocalServers(data_dir, valkey_settings={"no-such-setting": "1"}).__enter__()
    with LocalServers(data_dir, postgres=False) as servers:
        assert servers.valkey.running


def test_one_server_alone(new_dir: Path) -> None:
    """Where the user brings a database of their own, no PostgreSQL is started, and asking for its URL is an error."""
    with LocalServers(new_dir, postgres=False, valkey_settings={"databases": "64"}) as servers:
        with redis.Redis.from_url(servers.redis_url, db=63) as client:
            assert client.ping()
        with pytest.raises(LocalServerError, match="PostgreSQL is not among"):
            _ = servers.database_url
        assert not servers.folder.postgres.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to choose another user")
def test_root_without_namespaces_runs_postgresql_as_nobody(open_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where user namespaces are refused the cluster belongs to `nobody`, even one that root made before."""
    with LocalServers(open_dir, valkey=False):
        pass
    monkeypatch.setattr(account, "_namespace", lambda: None)
    with LocalServers(open_dir, valkey=False) as servers:
        if servers.folder.postgres.stat().st_uid == 0:
            pytest.fail("the cluster was not handed over")
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to choose another user")
def test_a_folder_that_nobody_may_enter_is_refused_before_anything_changes(new_dir: Path) -> None:
    """Under a private parent folder `nobody` cannot work: the error names that folder, and no file changes hands."""
    folder = DataFolder(new_dir)
    folder.create()
    folder.root.parent.chmod(0o700)
    guard = Guard(folder.log("guard"))
    try:
        postgres = PostgresServer(folder, guard, account=Account(user=65534, group=65534))
        with pytest.raises(LocalServerError, match="may not enter"):
            postgres.start()
    finally:
        guard.close()
    assert not folder.postgres.exists()
    assert {path.stat().st_uid for path in folder.root.rglob("*")} == {0}
