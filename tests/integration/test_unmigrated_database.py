"""A database that was never migrated is told as such, not as a driver's error."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.errors import SchemaOutdated
from app.runtime import Runtime
from app.services import access_keys
from tests.builders import Api


def test_whoever_asks_is_told_to_migrate(runtime: Runtime) -> None:
    api = Api(runtime)
    with runtime.transaction() as conn:
        conn.execute(text("DROP TABLE access_keys CASCADE"))
    with pytest.raises(SchemaOutdated, match="run: mintage migrate"), runtime.reading() as conn:
        access_keys.list_all(conn)
    answer = api.get("/courses")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
