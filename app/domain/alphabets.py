"""The characters codes are made of, and the spaces they span."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MIN_CODE_LENGTH = 4
MAX_CODE_LENGTH = 20
MIN_RANDOM_CHARACTERS = 4


class Alphabet(StrEnum):
    """Which characters the random part of a code is drawn from; always lower case, never the hyphen."""

    READABLE = "readable"
    """No look-alikes (0 o 1 l i) and no vowels, y among them, so that no word can appear."""
    ALPHANUMERIC = "alphanumeric"
    """All letters and all digits."""
    LETTERS = "letters"
    """a to z."""
    DIGITS = "digits"
    """0 to 9."""

    @property
    def characters(self) -> str:
        """The distinct characters in ascending order."""
        return _CHARACTERS[self]


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_CHARACTERS = {
    Alphabet.READABLE: "23456789bcdfghjkmnpqrstvwxz",
    Alphabet.ALPHANUMERIC: _DIGITS + _LETTERS,
    Alphabet.LETTERS: _LETTERS,
    Alphabet.DIGITS: _DIGITS,
}


@dataclass(frozen=True, slots=True)
class CodeSpace:
    """All codes of one length that begin with one prefix and go on in one alphabet."""

    alphabet: Alphabet
    length: int
    """Characters of the whole code, the prefix counted in."""
    prefix: str = ""
    """Lower case, shorter than `length`."""

    @property
    def random_length(self) -> int:
        """How many characters are left to chance."""
        return self.length - len(self.prefix)

    @property
    def capacity(self) -> int:
        """How many different codes there are in this space."""
        return int(len(self.alphabet.characters) ** self.random_length)
