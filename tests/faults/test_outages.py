"""A database that cannot store codes at the moment is an outage, whichever way the codes go there: no attempt is charged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.errors import DatabaseUnavailable
from app.runtime import Runtime, make_runtime
from app.services import issuance
from tests.builders import an_accepted_group


@pytest.fixture
def impatient(runtime: Runtime) -> Iterator[Runtime]:
    """A runtime on the same database that waits for locks only briefly."""
    opened = make_runtime(runtime.settings.model_copy(update={"lock_timeout_ms": 100}))
    yield opened
    opened.close()


def test_copy_that_is_kept_out_is_an_outage_and_costs_no_attempt(runtime: Runtime, impatient: Runtime) -> None:
    """COPY goes past SQLAlchemy, so its errors have to be told from defects by somebody else."""
    group = an_accepted_group(runtime)
    with runtime.reading() as conn:
        chunk_id = conn.scalar(text("SELECT id FROM chunks WHERE group_id = :id"), {"id": group.id})
    assert chunk_id is not None
    with runtime.transaction() as maintenance:
        maintenance.execute(text("LOCK TABLE codes IN SHARE MODE"))
        for _ in range(2 * runtime.settings.max_attempts):
            with pytest.raises(DatabaseUnavailable):
                issuance.make_chunk(impatient.issuance("w"), chunk_id)
    with runtime.reading() as conn:
        chunk = conn.execute(text("SELECT state, attempts FROM chunks WHERE id = :id"), {"id": chunk_id}).one()
    assert (chunk.state, chunk.attempts) == ("pending", 0)
    assert issuance.make_chunk(impatient.issuance("w"), chunk_id) is not None
