"""One key's hundreds of groups do not keep another key's single group waiting."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from app.domain.access_keys import Principal
from app.services import groups, reconcile
from mintage import Client
from tests.builders import a_key, a_new_group, a_principal, an_item
from tests.local.waiting import eventually
from tests.pipeline.stack import Stack, a_stack
from tests.stores import Stores

CROWD = 200
CHUNKS_EACH = 5


@pytest.fixture(scope="module")
def stack(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with a_stack(stores, tmp_path_factory.mktemp("fairness"), workers=2) as running:
        yield running


def accept_a_crowd(stack: Stack, owner: Principal) -> None:
    """Hundreds of groups of one key on the work list, by one commit."""
    course, size = an_item(stack.runtime), stack.runtime.settings.chunk_size
    with stack.runtime.transaction() as conn:
        for number in range(CROWD):
            wanted = a_new_group(course, label=f"Crowd {number}", total_codes_count=size * CHUNKS_EACH)
            groups.create(conn, owner, wanted, chunk_size=size)


def window(stack: Stack) -> int:
    with stack.runtime.reading() as conn:
        return reconcile.window(conn, stack.runtime.settings)


def test_a_single_group_overtakes_another_key_s_hundreds(stack: Stack) -> None:
    """Between its acceptance and its completion only a few of the crowd's chunks are made."""
    course = stack.a_course()
    accept_a_crowd(stack, a_principal(stack.runtime))
    eventually(lambda: stack.rows("SELECT count(*) FROM chunks WHERE state = 'done'")[0][0] > CHUNKS_EACH)
    with Client(stack.url, a_key(stack.runtime)) as other:
        single = other.wait(other.create_group("Single", code_length=12, total=100, courses=[course]), timeout=60)
    (left,) = stack.rows("SELECT count(*) FROM chunks WHERE state <> 'done'")[0]
    assert left > CROWD, "the crowd was through already: nothing was overtaken"
    (delayed_by,) = stack.rows(
        """
        SELECT count(*) FROM chunks, code_groups AS single
        WHERE single.id = :id AND chunks.group_id <> single.id
          AND chunks.finished_at BETWEEN single.created_at AND single.finished_at
        """,
        id=UUID(single.id),
    )[0]
    # The window's chunks, and what the workers finish while the dispatcher wakes up.
    assert delayed_by <= window(stack) + 4
