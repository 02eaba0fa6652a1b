"""Byte sources and code spaces that property tests draw from."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, islice
from random import Random

from hypothesis import strategies as st

from app.domain.alphabets import MAX_CODE_LENGTH, MIN_CODE_LENGTH, MIN_RANDOM_CHARACTERS, Alphabet, CodeSpace
from app.domain.generation import RandomBytes

PREFIX_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"


def seeded(seed: int) -> RandomBytes:
    """A source that gives the same bytes for the same seed."""
    return Random(seed).randbytes


def repeating(values: Iterable[int]) -> RandomBytes:
    """A source that gives these bytes over and over, going on at each call where the last one stopped."""
    endless = cycle(values)
    return lambda count: bytes(islice(endless, count))


@st.composite
def code_spaces(draw: st.DrawFn) -> CodeSpace:
    """Every code space that a group may have."""
    length = draw(st.integers(MIN_CODE_LENGTH, MAX_CODE_LENGTH))
    prefix = draw(st.text(PREFIX_CHARACTERS, max_size=length - MIN_RANDOM_CHARACTERS))
    return CodeSpace(draw(st.sampled_from(Alphabet)), length, prefix)
