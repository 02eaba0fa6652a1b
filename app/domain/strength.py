"""How full a code space is, and whether it has room for more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.domain.alphabets import MAX_CODE_LENGTH, MIN_CODE_LENGTH, MIN_RANDOM_CHARACTERS, CodeSpace
from app.errors import ValidationFailed

HEADROOM = 2
"""A space must hold at least this many times the codes issued there and asked for together."""


@dataclass(frozen=True, slots=True)
class Issued:
    """How many codes were promised in one space, finished or not."""

    space: CodeSpace
    count: int


def occupied(space: CodeSpace, issued: Iterable[Issued]) -> int:
    """How many codes of `space` are taken by what was issued, rounded up.

    Codes drawn from another space of the same length (a wider alphabet, another prefix) take room here in proportion to
    how many of that space's codes lie in this one, because every code of a space is equally likely.
    """
    taken = sum(entry.count * _share_inside(space, entry.space) for entry in issued)
    return min(space.capacity, int(taken) + (taken % 1 > 0))


def _share_inside(space: CodeSpace, other: CodeSpace) -> float:
    """The share of `other`'s codes that lie in `space`, 0 to 1."""
    if other.length != space.length:
        return 0.0
    common = len(set(space.alphabet.characters) & set(other.alphabet.characters)) / len(other.alphabet.characters)
    short, long = sorted((space, other), key=lambda candidate: len(candidate.prefix))
    if not long.prefix.startswith(short.prefix):
        return 0.0
    between = long.prefix[len(short.prefix) :]
    if not set(between) <= set(short.alphabet.characters):
        return 0.0
    fixed = len(between) if other is short else 0
    return float(common ** (space.length - len(long.prefix)) / len(other.alphabet.characters) ** fixed)


TakenIn = Callable[[CodeSpace], int]
"""Tells how many codes of a space are issued."""

SAFE_ODDS = 1e-9
"""The chance of one guess that suggested lengths stay below."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How strong codes would be, before any is made."""

    capacity: int
    issued_codes_count: int
    """Codes of the space that are taken."""
    expected_collisions: float | None
    """Draws that are expected to hit a taken code, and are drawn again; None where there are too few codes at all."""
    guess_odds: float
    """The chance that one guess hits an issued code, 0 to 1, once the codes asked for are issued too."""
    entropy_bits: float
    """Of the random part of one code."""
    sufficient: bool
    """Whether `check_room` lets it pass."""
    shortest_code_length: int | None
    """The shortest length at which it does; None if there is none."""
    suggested_code_length: int | None
    """The shortest length at which the odds of a guess are at most SAFE_ODDS; None if there is none."""


def estimate(space: CodeSpace, asked: int, taken: int, *, taken_in: TakenIn | None = None) -> Estimate:
    """What issuing `asked` codes of a space means of which `taken` codes are issued already.

    `taken_in` tells how many are issued in other spaces, for the lengths to suggest; without it, as many as here.
    """
    total = taken + asked
    fits = total <= space.capacity
    return Estimate(
        capacity=space.capacity,
        issued_codes_count=taken,
        # With t codes taken, a draw hits one of them t / (capacity - t) times on average before it finds a free one.
        expected_collisions=sum(t / (space.capacity - t) for t in range(taken, total)) if fits else None,
        guess_odds=min(1.0, total / space.capacity),
        entropy_bits=space.random_length * math.log2(len(space.alphabet.characters)),
        sufficient=space.capacity >= HEADROOM * total,
        shortest_code_length=_shortest(space, asked, taken, taken_in, HEADROOM),
        suggested_code_length=_shortest(space, asked, taken, taken_in, 1 / SAFE_ODDS),
    )


def _shortest(space: CodeSpace, asked: int, taken: int, taken_in: TakenIn | None, headroom: float) -> int | None:
    """The shortest length at which a space like this holds `headroom` times the codes issued and asked for there."""
    for length in range(max(MIN_CODE_LENGTH, len(space.prefix) + MIN_RANDOM_CHARACTERS), MAX_CODE_LENGTH + 1):
        candidate = CodeSpace(space.alphabet, length, space.prefix)
        if candidate.capacity < math.ceil(headroom * asked):
            continue
        there = taken if candidate == space or taken_in is None else taken_in(candidate)
        if candidate.capacity >= math.ceil(headroom * (there + asked)):
            return length
    return None


def check_room(space: CodeSpace, asked: int, taken: int, *, taken_in: TakenIn | None = None) -> None:
    """Refuses to issue `asked` more codes where less than HEADROOM times the total would fit.

    Raises ValidationFailed with the numbers and the shortest length that would do, if any does; `taken_in` as above.
    """
    needed = HEADROOM * (taken + asked)
    if space.capacity >= needed:
        return
    longer = _shortest(space, asked, taken, taken_in, HEADROOM)
    advice = f"a codeLength of {longer} would do" if longer else "no longer codeLength is possible with this prefix and alphabet"
    raise ValidationFailed(
        f"codeLength {space.length} leaves {space.capacity:,} possible codes in this alphabet, {taken:,} of them are issued and "
        f"{asked:,} more are asked for; at least {needed:,} are needed to keep codes hard to guess, and {advice}.",
        field="codeLength",
    )
