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

from app.domain.groups import Group
from app.local.binaries import SYSTEM_POSTGRES, find_postgres
from app.local.servers import LocalServers
from app.runtime import Runtime
from app.services import issuance
from app.store.queries import chunks
from mintage import GroupStatus
from tests.builders import a_key_and_principal, an_accepted_group
from tests.pipeline.stack import QUICK, serving
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


def leave_in_the_middle(runtime: Runtime, groups: list[Group]) -> None:
    """Makes the first chunk of each group, and takes the second one without making it, as a worker does that dies then."""
    for group in groups:
        with runtime.reading() as conn:
            statement = text("SELECT id FROM chunks WHERE group_id = :id ORDER BY position LIMIT 2")
            made, taken = conn.execute(statement, {"id": group.id}).scalars()
        issuance.make_chunk(runtime.issuance("w"), made)
        with runtime.transaction() as conn:
            assert chunks.claim(conn, taken, worker="w", lease_seconds=QUICK["lease_seconds"], max_attempts=5)


def test_a_dump_taken_in_the_middle_of_the_work_is_finished_where_it_is_restored(
    stores: Stores, runtime: Runtime, programs: Path, an_empty_redis: str, tmp_path: Path
) -> None:
    """Another database, an empty Redis, the same secret key: API keys work, and unfinished groups are completed exactly."""
    key, principal = a_key_and_principal(runtime)
    groups = [an_accepted_group(runtime, principal, total_codes_count=TOTAL) for _ in range(3)]
    leave_in_the_middle(runtime, groups)
    url = make_url(runtime.settings.database_url.get_secret_value())
    dump, restored = tmp_path / "dump", f"{url.database}_restored"

    def named(database: str | None) -> str:
        return f"--dbname={url.set(database=database).render_as_string(hide_password=False)}"

    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", named(url.database)], check=True)
    with psycopg.connect(stores.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(restored)))
        try:
            subprocess.run([programs / "pg_restore", "--no-owner", named(restored), dump], check=True)
            settings = settings_for(stores, restored, **(QUICK | {"redis_url": an_empty_redis}))
            with serving(settings, tmp_path / "logs", workers=1, key=key) as stack:
                final = {group.id: group for group in stack.client.watch([str(group.id) for group in groups], timeout=60)}
                assert {group.status for group in final.values()} == {GroupStatus.COMPLETED}
                assert stack.counts(list(final.values())) == {str(group.id): (TOTAL, TOTAL) for group in groups}
                assert stack.stored_and_different() == (3 * TOTAL, 3 * TOTAL)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(restored)))
