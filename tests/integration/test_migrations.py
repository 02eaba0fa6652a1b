"""The schema's history: up, down, up again, and equal to the models at its end."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from app.runtime import Runtime, make_runtime
from app.store import migrate
from app.store.models import Base
from tests.builders import an_accepted_group

CATALOG = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, identity_generation
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    """,
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 'alembic_version'::regclass
    """,
    "storage": """
        SELECT relname, relkind, reloptions FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'alembic%'
    """,
}
"""What a schema is, as the database itself tells it: expression and partial indexes, checks and collations among it."""


def schema(runtime: Runtime) -> dict[str, set[tuple[Any, ...]]]:
    with runtime.reading() as conn:
        return {kind: {tuple(map(str, row)) for row in conn.execute(text(statement))} for kind, statement in CATALOG.items()}


def revisions() -> list[str]:
    """All revisions, the newest first."""
    return [script.revision for script in ScriptDirectory(str(migrate._SCRIPTS)).walk_revisions()]


def test_the_way_down_leaves_nothing_and_the_way_up_again_the_same(runtime: Runtime) -> None:
    before = schema(runtime)
    assert before["columns"]
    migrate.downgrade(runtime.engine, "base")
    assert schema(runtime) == {"columns": set(), "indexes": set(), "constraints": set(), "storage": set()}
    migrate.upgrade(runtime.engine)
    assert schema(runtime) == before


def test_every_step_can_be_gone_back_and_forth(runtime: Runtime) -> None:
    """Each revision twice, so that a way down that leaves something behind makes the way up fail."""
    after: dict[str, Any] = {}
    for revision in revisions():
        after[revision] = schema(runtime)
        migrate.downgrade(runtime.engine, "-1")
    for revision in reversed(revisions()):
        migrate.upgrade(runtime.engine, revision)
        assert schema(runtime) == after[revision]
        migrate.downgrade(runtime.engine, "-1")
        migrate.upgrade(runtime.engine, revision)
        assert schema(runtime) == after[revision]


def test_a_filled_database_can_be_gone_down_and_up(runtime: Runtime) -> None:
    an_accepted_group(runtime, total_codes_count=30, chunk_size=10)
    migrate.downgrade(runtime.engine, "base")
    migrate.upgrade(runtime.engine)
    an_accepted_group(runtime)


def test_models_and_migrations_make_the_same_schema(runtime: Runtime) -> None:
    """Compared in the database's own words, because Alembic compares expression indexes by name alone."""
    migrated = schema(runtime)
    migrate.downgrade(runtime.engine, "base")
    Base.metadata.create_all(runtime.engine)
    assert schema(runtime) == migrated


def test_alembic_finds_nothing_to_migrate(runtime: Runtime) -> None:
    with runtime.reading() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_history_is_one_line(runtime: Runtime) -> None:
    scripts = ScriptDirectory(str(migrate._SCRIPTS))
    assert scripts.get_heads() == [migrate.head_revision()]
    assert revisions() == sorted(revisions(), reverse=True)
    assert all(script.doc for script in scripts.walk_revisions())


@pytest.fixture
def others(runtime: Runtime) -> Iterator[list[Runtime]]:
    """Three more processes' ways to the same database."""
    runtimes = [make_runtime(runtime.settings) for _ in range(3)]
    yield runtimes
    for other in runtimes:
        other.close()


def test_processes_that_upgrade_at_once_wait_for_one_another(runtime: Runtime, others: list[Runtime]) -> None:
    """As when several containers start: one migrates, the others find it done."""
    whole = schema(runtime)
    migrate.downgrade(runtime.engine, "base")
    start = Barrier(len(others))

    def upgrade(other: Runtime) -> None:
        start.wait()
        migrate.upgrade(other.engine)

    with ThreadPoolExecutor(len(others)) as threads:
        list(threads.map(upgrade, others))
    assert schema(runtime) == whole
    with runtime.reading() as conn:
        assert migrate.is_current(conn)


def test_an_upgrade_with_nothing_to_do_changes_nothing(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    before = schema(runtime)
    migrate.upgrade(runtime.engine)
    assert schema(runtime) == before
    with runtime.reading() as conn:
        assert conn.scalar(text("SELECT id FROM code_groups")) == group.id


@pytest.mark.parametrize("statement", ["SHOW statement_timeout", "SHOW lock_timeout"])
def test_a_migration_leaves_no_connection_without_its_limits(runtime: Runtime, statement: str) -> None:
    with runtime.reading() as conn:
        limit = conn.scalar(text(statement))
    migrate.upgrade(runtime.engine)
    with runtime.reading() as conn:
        assert conn.scalar(text(statement)) == limit != "0"


def test_a_schema_of_another_revision_is_told_as_such(runtime: Runtime) -> None:
    with runtime.reading() as conn:
        assert migrate.is_current(conn)
    migrate.downgrade(runtime.engine, "-1")
    with runtime.reading() as conn:
        assert not migrate.is_current(conn)


def test_a_migration_that_fails_leaves_everything_as_it_was(runtime: Runtime) -> None:
    """Each step is a transaction: here the way up finds a table in its place."""
    migrate.downgrade(runtime.engine, "base")
    with runtime.transaction() as conn:
        conn.execute(text("CREATE TABLE group_items (mine integer)"))
    with pytest.raises(Exception, match="group_items"):
        migrate.upgrade(runtime.engine)
    with runtime.transaction() as conn:
        left = conn.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        assert set(left) - {"alembic_version"} == {"group_items"}
        conn.execute(text("DROP TABLE group_items"))
    migrate.upgrade(runtime.engine)
