"""The characters of codes, and how many codes they make."""

from __future__ import annotations

import string

import pytest
from hypothesis import given

from app.domain.alphabets import Alphabet, CodeSpace
from tests.unit.sources import code_spaces

CONSONANTS = set(string.ascii_lowercase) - set("aeiouy")
CHARACTERS: dict[Alphabet, set[str]] = {
    Alphabet.READABLE: (CONSONANTS | set(string.digits)) - set("0o1li"),
    Alphabet.ALPHANUMERIC: set(string.ascii_lowercase + string.digits),
    Alphabet.LETTERS: set(string.ascii_lowercase),
    Alphabet.DIGITS: set(string.digits),
}


def test_every_alphabet_is_in_the_table() -> None:
    assert CHARACTERS.keys() == set(Alphabet)


@pytest.mark.parametrize("alphabet", Alphabet)
def test_an_alphabet_has_the_promised_characters_each_once_and_in_order(alphabet: Alphabet) -> None:
    assert set(alphabet.characters) == CHARACTERS[alphabet]
    assert alphabet.characters == "".join(sorted(set(alphabet.characters)))


@pytest.mark.parametrize("forbidden", [*"0o1li", *"aeiouy", "-"])
def test_readable_codes_hold_no_look_alike_and_no_vowel(forbidden: str) -> None:
    assert forbidden not in Alphabet.READABLE.characters


@pytest.mark.parametrize(
    ("space", "capacity"),
    [
        (CodeSpace(Alphabet.DIGITS, 4), 10_000),
        (CodeSpace(Alphabet.READABLE, 4), 27**4),
        (CodeSpace(Alphabet.LETTERS, 5), 26**5),
        (CodeSpace(Alphabet.ALPHANUMERIC, 20), 36**20),
        (CodeSpace(Alphabet.DIGITS, 8, "vip-"), 10_000),
    ],
)
def test_capacity_counts_the_codes_of_a_space(space: CodeSpace, capacity: int) -> None:
    assert space.capacity == capacity


@given(code_spaces())
def test_a_prefix_is_counted_in_the_length(space: CodeSpace) -> None:
    assert space.random_length + len(space.prefix) == space.length
    assert space.capacity == CodeSpace(space.alphabet, space.random_length).capacity
