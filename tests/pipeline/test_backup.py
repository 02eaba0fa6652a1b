"""What has to be backed up: the database, the secret key, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.local.binaries import SYSTEM_POSTGRES, find_postgres
from app.local.servers import LocalServers
from mintage import GroupStatus
from tests.local.waiting import eventually
from tests.pipeline.stack import QUICK, a_stack, serving
from tests.stores import Stores, settings_for

TOTAL = 10_000


@pytest.fixture
def programs(stores: Stores) -> Path:
    """The folder with the `pg_dump` of the server's own version."""
    with psycopg.connect(stores.database_url) as conn:
        wanted = conn.info.server_version // 10_000
    on_path = shutil.which("pg_dump")
    folders = [find_postgres(), *SYSTEM_POSTGRES.glob("*/bin"), *([Path(on_path).parent] if on_path else [])]
    for folder in folders:
        if (folder / "pg_dump").exists() and major_of(folder / "pg_dump") == wanted:
            return folder
    pytest.skip(f"there is no pg_dump {wanted} here")


def major_of(program: Path) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"\d+", told)[0])


@pytest.fixture
def an_empty_redis(tmp_path: Path) -> Iterator[str]:
    with LocalServers(tmp_path / "redis", postgres=False) as servers:
        yield servers.redis_url


def test_a_dump_taken_in_the_middle_of_the_work_is_finished_where_it_is_restored(
    stores: Stores, programs: Path, an_empty_redis: str, tmp_path: Path
) -> None:
    """Another database, an empty Redis, the same secret key: API keys work, and unfinished groups are completed exactly."""
    dump, restored = tmp_path / "dump", "mintage_restored"
    with a_stack(stores, tmp_path / "first", workers=1, processes=1) as first:
        body = first.a_body(TOTAL)
        groups = [first.post(body).json()["id"] for _ in range(3)]
        eventually(lambda: first.stored_and_different()[0], 60)
        with first.runtime.transaction() as conn:
            # Chunks are done, in hand and waiting when the dump is taken, and stay so until it is.
            conn.execute(text("LOCK TABLE codes IN SHARE MODE"))
            url = make_url(first.runtime.settings.database_url.get_secret_value())
            target = f"--dbname={url.render_as_string(hide_password=False)}"
            subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", target], check=True)
            stored = conn.execute(text("SELECT count(*) FROM codes")).scalar_one()
    assert 0 < stored < 3 * TOTAL
    with psycopg.connect(stores.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(restored)))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(restored)))
        try:
            target = f"--dbname={url.set(database=restored).render_as_string(hide_password=False)}"
            subprocess.run([programs / "pg_restore", "--no-owner", target, dump], check=True)
            settings = settings_for(stores, restored, **(QUICK | {"redis_url": an_empty_redis}))
            with serving(settings, tmp_path / "second", workers=1, key=first.key) as second:
                assert second.stored_and_different() >= (stored, stored)
                final = {group.id: group for group in second.client.watch(groups, timeout=60)}
                assert [final[group_id].status for group_id in groups] == [GroupStatus.COMPLETED] * 3
                assert second.counts(list(final.values())) == dict.fromkeys(groups, (TOTAL, TOTAL))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(restored)))
