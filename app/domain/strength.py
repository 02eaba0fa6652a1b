"""How full a code space is, and whether it has room for more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.alphabets import MAX_CODE_LENGTH, CodeSpace
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


def check_room(space: CodeSpace, asked: int, taken: int) -> None:
    """Refuses to issue `asked` more codes where less than HEADROOM times the total would fit.

    Raises ValidationFailed with the numbers and the shortest length that would do, if any does.
    """
    needed = HEADROOM * (taken + asked)
    if space.capacity >= needed:
        return
    longer = next((length for length in range(space.length, MAX_CODE_LENGTH + 1) if _capacity_at(space, length) >= needed), None)
    advice = f"a codeLength of {longer} would do" if longer else "no longer codeLength is possible with this prefix and alphabet"
    raise ValidationFailed(
        f"codeLength {space.length} leaves {space.capacity:,} possible codes in this alphabet, {taken:,} of them are issued and "
        f"{asked:,} more are asked for; at least {needed:,} are needed to keep codes hard to guess, and {advice}.",
        field="codeLength",
    )


def _capacity_at(space: CodeSpace, length: int) -> int:
    return CodeSpace(space.alphabet, length, space.prefix).capacity
