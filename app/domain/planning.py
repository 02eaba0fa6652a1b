"""Dividing a group into chunks."""

from __future__ import annotations


def plan_chunks(codes: int, chunk_size: int) -> list[int]:
    """The sizes of the fewest chunks of at most `chunk_size` that hold `codes` codes, as even as they can be.

    Even sizes let several workers finish together. Returns [] for no codes; raises ValueError for impossible arguments.
    """
    if codes < 0 or chunk_size < 1:
        raise ValueError(f"cannot divide {codes} codes into chunks of {chunk_size}")
    chunks = -(-codes // chunk_size)
    return [codes // chunks + (index < codes % chunks) for index in range(chunks)]
