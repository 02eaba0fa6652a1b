"""Drawing codes: what is asked for, nothing twice, every code equally likely."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.generation import draw_codes
from tests.unit.sources import code_spaces, repeating, seeded

FOUR_DIGITS = CodeSpace(Alphabet.DIGITS, 4)


def rejected_bytes(alphabet: Alphabet) -> range:
    """The bytes that would make the first characters likelier than the last ones."""
    size = len(alphabet.characters)
    return range(256 // size * size, 256)


@given(code_spaces(), st.integers(0, 400), st.integers())
def test_draws_that_many_different_codes_of_the_space_in_ascending_order(space: CodeSpace, count: int, seed: int) -> None:
    codes = draw_codes(space, count, seeded(seed))
    assert len(codes) == len(set(codes)) == count
    assert codes == sorted(codes)
    for code in codes:
        assert len(code) == space.length
        assert code.startswith(space.prefix)
        assert set(code[len(space.prefix) :]) <= set(space.alphabet.characters)


@given(st.integers(), st.integers(1, 500))
def test_excluded_codes_are_not_drawn(seed: int, count: int) -> None:
    first = draw_codes(FOUR_DIGITS, count, seeded(seed))
    assert set(first).isdisjoint(draw_codes(FOUR_DIGITS, count, seeded(seed), exclude=set(first)))


def test_a_space_can_be_drawn_to_its_last_code() -> None:
    everything = draw_codes(FOUR_DIGITS, 10_000, seeded(1))
    assert everything == [f"{number:04}" for number in range(10_000)]
    assert draw_codes(FOUR_DIGITS, 1, seeded(2), exclude=set(everything[:-1])) == ["9999"]


@pytest.mark.parametrize(("count", "excluded"), [(10_001, 0), (1, 10_000), (5_001, 5_000)])
def test_more_codes_than_are_left_are_refused(count: int, excluded: int) -> None:
    exclude = {f"{number:04}" for number in range(excluded)}
    with pytest.raises(ValueError, match=f"{count} codes asked of a space of 10000 with {excluded} excluded"):
        draw_codes(FOUR_DIGITS, count, seeded(1), exclude=exclude)


def test_the_same_bytes_give_the_same_codes() -> None:
    space = CodeSpace(Alphabet.READABLE, 12)
    assert draw_codes(space, 50, seeded(7)) == draw_codes(space, 50, seeded(7))
    assert draw_codes(space, 50, seeded(7)) != draw_codes(space, 50, seeded(8))


def chi_square(alphabet: Alphabet, text: str) -> float:
    """How far the characters of a text are from being equally frequent."""
    expected = len(text) / len(alphabet.characters)
    counts = Counter(text)
    return sum((counts[character] - expected) ** 2 / expected for character in alphabet.characters)


CRITICAL = 95.0
"""Beyond the quantile of 1 - 1e-7 for the 35 degrees of freedom of the largest alphabet."""


@pytest.mark.parametrize("alphabet", Alphabet)
def test_every_character_is_equally_likely(alphabet: Alphabet) -> None:
    """600,000 characters: enough to tell the rejection of biased bytes from folding them onto the first characters."""
    codes = draw_codes(CodeSpace(alphabet, 20), 30_000, seeded(20_260_101))
    assert chi_square(alphabet, "".join(codes)) < CRITICAL


@pytest.mark.parametrize("alphabet", Alphabet)
def test_the_chi_square_above_finds_folded_bytes(alphabet: Alphabet) -> None:
    """The measure itself: bytes modulo the alphabet's size are far beyond the limit."""
    characters = alphabet.characters
    folded = "".join(characters[byte % len(characters)] for byte in seeded(20_260_101)(600_000))
    assert chi_square(alphabet, folded) > 1.5 * CRITICAL


@pytest.mark.parametrize("alphabet", Alphabet)
def test_biased_bytes_are_thrown_away(alphabet: Alphabet) -> None:
    """A stream with biased bytes among the others gives the code that it gives without them."""
    biased = rejected_bytes(alphabet)
    fair = [number * 7 % biased.start for number in range(64)]
    mixed = chain.from_iterable((biased[0], byte, biased[-1]) for byte in fair)
    space = CodeSpace(alphabet, 20)
    assert draw_codes(space, 1, repeating(mixed)) == draw_codes(space, 1, repeating(fair))


def test_every_alphabet_has_bytes_to_throw_away() -> None:
    """None divides 256; else the test above would show nothing."""
    assert all(rejected_bytes(alphabet) for alphabet in Alphabet)
