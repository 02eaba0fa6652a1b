"""Dividing a group into chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.planning import plan_chunks


@given(st.integers(0, 20_000), st.integers(1, 4_000))
def test_chunks_hold_all_codes_in_as_few_and_as_even_parts_as_can_be(codes: int, chunk_size: int) -> None:
    chunks = plan_chunks(codes, chunk_size)
    assert sum(chunks) == codes
    assert len(chunks) == (codes + chunk_size - 1) // chunk_size
    assert all(1 <= chunk <= chunk_size for chunk in chunks)
    assert max(chunks, default=0) - min(chunks, default=0) <= 1


@pytest.mark.parametrize(
    ("codes", "chunk_size", "chunks"),
    [
        (0, 2000, []),
        (1, 2000, [1]),
        (2000, 2000, [2000]),
        (2001, 2000, [1001, 1000]),
        (10_000, 2000, [2000] * 5),
        (10_000, 4000, [3334, 3333, 3333]),
        (3, 1, [1, 1, 1]),
    ],
)
def test_plans(codes: int, chunk_size: int, chunks: list[int]) -> None:
    assert plan_chunks(codes, chunk_size) == chunks


@pytest.mark.parametrize(("codes", "chunk_size"), [(-1, 10), (10, 0), (10, -5)])
def test_impossible_plans_are_refused(codes: int, chunk_size: int) -> None:
    with pytest.raises(ValueError, match="cannot divide"):
        plan_chunks(codes, chunk_size)
