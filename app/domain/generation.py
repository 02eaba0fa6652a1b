"""Drawing codes at random."""

from __future__ import annotations

from collections.abc import Callable, Set
from functools import cache

from app.domain.alphabets import Alphabet, CodeSpace

RandomBytes = Callable[[int], bytes]
"""Returns that many bytes from a cryptographically secure source; `os.urandom` in production."""

_NOTHING: Set[str] = frozenset()


def draw_codes(space: CodeSpace, count: int, random_bytes: RandomBytes, *, exclude: Set[str] = _NOTHING) -> list[str]:
    """Draws `count` different codes of `space`, none of them in `exclude`, in ascending order.

    Every code of the space is equally likely: bytes beyond the last whole multiple of the alphabet's size are thrown away,
    not folded onto its first characters (modulo bias). The order is ascending so that two writers of overlapping batches
    take their locks in the same order. Raises ValueError when the space does not hold that many codes beside `exclude`.
    """
    if count > space.capacity - len(exclude):
        raise ValueError(f"{count} codes asked of a space of {space.capacity} with {len(exclude)} excluded")
    drawn: set[str] = set()
    while len(drawn) < count:
        drawn.update(_draw_raw(space, count - len(drawn), random_bytes))
        drawn -= exclude
    return sorted(drawn)


def _draw_raw(space: CodeSpace, count: int, random_bytes: RandomBytes) -> list[str]:
    """Draws `count` codes that may repeat."""
    table, rejected = _translation(space.alphabet)
    needed = count * space.random_length
    characters = b""
    while len(characters) < needed:
        missing = needed - len(characters)
        characters += random_bytes(missing + missing // 8 + 16).translate(table, rejected)
    text, step, prefix = characters.decode("ascii"), space.random_length, space.prefix
    return [prefix + text[start : start + step] for start in range(0, needed, step)]


@cache
def _translation(alphabet: Alphabet) -> tuple[bytes, bytes]:
    """A table for bytes.translate that maps every kept byte to a character, and the bytes to throw away."""
    characters = alphabet.characters.encode("ascii")
    kept = 256 - 256 % len(characters)
    table = bytes(characters[value % len(characters)] for value in range(256))
    return table, bytes(range(kept, 256))
