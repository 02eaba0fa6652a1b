"""How full a code space is, and what no longer fits."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alphabets import MAX_CODE_LENGTH, Alphabet, CodeSpace
from app.domain.generation import draw_codes
from app.domain.strength import HEADROOM, Issued, check_room, estimate, occupied
from app.errors import ValidationFailed
from tests.unit.sources import PREFIX_CHARACTERS, code_spaces, seeded

FOUR_DIGITS = CodeSpace(Alphabet.DIGITS, 4)
counts = st.integers(0, 10_000)


@st.composite
def issues(draw: st.DrawFn) -> Issued:
    return Issued(draw(code_spaces()), draw(counts))


@given(code_spaces(), st.lists(issues()))
def test_no_more_is_taken_than_was_issued_or_than_there_is(space: CodeSpace, issued: list[Issued]) -> None:
    taken = occupied(space, issued)
    assert 0 <= taken <= space.capacity
    assert taken <= math.ceil(sum(entry.count for entry in issued))


@given(code_spaces(), st.lists(counts))
def test_codes_of_the_same_space_count_exactly(space: CodeSpace, issued: list[int]) -> None:
    assert occupied(space, [Issued(space, count) for count in issued]) == min(space.capacity, sum(issued))


@given(code_spaces(), st.lists(issues()), issues())
def test_issuing_more_never_makes_room(space: CodeSpace, issued: list[Issued], more: Issued) -> None:
    assert occupied(space, [*issued, more]) >= occupied(space, issued)


@pytest.mark.parametrize(
    ("space", "other"),
    [
        (CodeSpace(Alphabet.DIGITS, 4), CodeSpace(Alphabet.DIGITS, 5)),
        (CodeSpace(Alphabet.DIGITS, 6), CodeSpace(Alphabet.LETTERS, 6)),
        (CodeSpace(Alphabet.DIGITS, 6, "a"), CodeSpace(Alphabet.DIGITS, 6, "b")),
        (CodeSpace(Alphabet.DIGITS, 8, "vip-"), CodeSpace(Alphabet.DIGITS, 8)),
        (CodeSpace(Alphabet.DIGITS, 8), CodeSpace(Alphabet.DIGITS, 8, "vip-")),
        (CodeSpace(Alphabet.DIGITS, 8, "x12"), CodeSpace(Alphabet.DIGITS, 8, "x2")),
    ],
)
def test_spaces_without_a_common_code_take_nothing_from_each_other(space: CodeSpace, other: CodeSpace) -> None:
    assert occupied(space, [Issued(other, 10_000)]) == 0


@pytest.mark.parametrize(
    ("space", "other", "issued", "taken"),
    [
        pytest.param(CodeSpace(Alphabet.DIGITS, 5, "7"), CodeSpace(Alphabet.DIGITS, 5), 1000, 100, id="prefix-in-wide"),
        pytest.param(CodeSpace(Alphabet.DIGITS, 5), CodeSpace(Alphabet.DIGITS, 5, "7"), 1000, 1000, id="wide-holds-prefix"),
        pytest.param(CodeSpace(Alphabet.ALPHANUMERIC, 5), CodeSpace(Alphabet.DIGITS, 5), 1000, 1000, id="wide-holds-narrow"),
        pytest.param(CodeSpace(Alphabet.DIGITS, 4), CodeSpace(Alphabet.ALPHANUMERIC, 4), 10_000, 60, id="narrow-in-wide"),
        pytest.param(CodeSpace(Alphabet.DIGITS, 20), CodeSpace(Alphabet.ALPHANUMERIC, 20), 10_000, 1, id="rounded-up"),
    ],
)
def test_spaces_that_overlap_share_in_proportion(space: CodeSpace, other: CodeSpace, issued: int, taken: int) -> None:
    """60: 10,000 codes, of which (10/36)^4 are digits throughout, are 59.5, rounded up."""
    assert occupied(space, [Issued(other, issued)]) == taken


@pytest.mark.parametrize(
    ("space", "other"),
    [
        (CodeSpace(Alphabet.DIGITS, 5, "7"), CodeSpace(Alphabet.DIGITS, 5)),
        (CodeSpace(Alphabet.READABLE, 4), CodeSpace(Alphabet.ALPHANUMERIC, 4)),
        (CodeSpace(Alphabet.LETTERS, 5, "a"), CodeSpace(Alphabet.ALPHANUMERIC, 5)),
    ],
)
def test_the_share_is_what_is_found_among_drawn_codes(space: CodeSpace, other: CodeSpace) -> None:
    """The formula against counting: within four standard deviations of a binomial sample."""
    drawn = draw_codes(other, 20_000, seeded(5))
    characters = set(space.alphabet.characters)
    inside = [code for code in drawn if code.startswith(space.prefix) and set(code[len(space.prefix) :]) <= characters]
    expected = occupied(space, [Issued(other, 20_000)])
    assert abs(len(inside) - expected) <= 4 * math.sqrt(expected)


@given(code_spaces(), st.integers(1, 10_000), counts)
def test_room_is_twice_what_is_issued_and_asked_for(space: CodeSpace, asked: int, taken: int) -> None:
    if space.capacity >= HEADROOM * (asked + taken):
        check_room(space, asked, taken)
    else:
        with pytest.raises(ValidationFailed) as refused:
            check_room(space, asked, taken)
        assert refused.value.field == "codeLength"


@pytest.mark.parametrize(("asked", "taken"), [(5_000, 0), (1, 4_999), (2_500, 2_500)])
def test_half_of_the_four_digit_codes_may_be_issued(asked: int, taken: int) -> None:
    check_room(FOUR_DIGITS, asked, taken)


@pytest.mark.parametrize(
    ("space", "asked", "taken", "message"),
    [
        (
            FOUR_DIGITS,
            5_001,
            0,
            "codeLength 4 leaves 10,000 possible codes in this alphabet, 0 of them are issued and 5,001 more are asked for; "
            "at least 10,002 are needed to keep codes hard to guess, and a codeLength of 5 would do.",
        ),
        (
            FOUR_DIGITS,
            10_000,
            4_900,
            "codeLength 4 leaves 10,000 possible codes in this alphabet, 4,900 of them are issued and 10,000 more are asked "
            "for; at least 29,800 are needed to keep codes hard to guess, and a codeLength of 5 would do.",
        ),
        (
            CodeSpace(Alphabet.DIGITS, 20, "0123456789abcdef"),
            10_000,
            0,
            "codeLength 20 leaves 10,000 possible codes in this alphabet, 0 of them are issued and 10,000 more are asked for; "
            "at least 20,000 are needed to keep codes hard to guess, and no longer codeLength is possible with this prefix "
            "and alphabet.",
        ),
    ],
)
def test_the_refusal_tells_the_numbers_and_the_shortest_length(space: CodeSpace, asked: int, taken: int, message: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_room(space, asked, taken)
    assert refused.value.message == message


@given(st.text(PREFIX_CHARACTERS, max_size=16), st.integers(5_001, 10_000), st.integers(0, 10**9))
def test_the_length_that_is_told_is_sufficient_and_the_shortest(prefix: str, asked: int, taken: int) -> None:
    space = CodeSpace(Alphabet.DIGITS, len(prefix) + 4, prefix)
    told = estimate(space, asked, taken).shortest_code_length
    enough = [
        length
        for length in range(space.length, MAX_CODE_LENGTH + 1)
        if CodeSpace(space.alphabet, length, space.prefix).capacity >= HEADROOM * (asked + taken)
    ]
    assert told == min(enough, default=None)


@given(code_spaces(), st.integers(1, 10_000), counts)
def test_an_estimate_says_sufficient_exactly_where_room_is_found(space: CodeSpace, asked: int, taken: int) -> None:
    taken = min(taken, space.capacity)
    told = estimate(space, asked, taken)
    try:
        check_room(space, asked, taken)
    except ValidationFailed:
        assert not told.sufficient
    else:
        assert told.sufficient
    assert 0 <= told.guess_odds <= 1
    assert told.capacity == space.capacity


def test_expected_collisions_are_those_that_happen() -> None:
    """2,500 four-digit codes drawn beside 2,500 others, twenty times over."""
    told = estimate(FOUR_DIGITS, 2_500, 2_500).expected_collisions
    random, runs = Random(3), 20
    collisions = 0
    for _ in range(runs):
        taken = set(range(2_500))
        while len(taken) < 5_000:
            drawn = random.randrange(10_000)
            collisions += drawn in taken
            taken.add(drawn)
    assert told == pytest.approx(collisions / runs, rel=0.03)
