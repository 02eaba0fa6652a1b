"""API keys: their form, their checksum, their hash and what they allow."""

from __future__ import annotations

import re
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access_keys import Principal, Scope, hash_key, new_key, public_id_of
from tests.unit.sources import repeating, seeded

BASE62 = string.digits + string.ascii_letters
PUBLIC_ID, KEY = new_key(seeded(1))
SECRET = b"a secret of the tests"


@given(st.integers())
def test_a_key_names_itself_and_proves_itself(seed: int) -> None:
    public_id, key = new_key(seeded(seed))
    assert re.fullmatch(rf"mk_live_{public_id}_[0-9A-Za-z]{{49}}", key)
    assert re.fullmatch(r"[0-9A-Za-z]{16}", public_id)
    assert public_id_of(key) == public_id


@pytest.mark.parametrize("byte", [0, 255])
def test_keys_are_always_of_one_length(byte: int) -> None:
    """Even where chance gives nothing but zeros."""
    public_id, key = new_key(repeating([byte]))
    assert len(key) == len(KEY) == 74
    assert public_id_of(key) == public_id


def test_keys_differ_in_every_part_that_chance_makes() -> None:
    other_id, other = new_key(seeded(2))
    assert other_id != PUBLIC_ID
    assert other[25:68] != KEY[25:68]


@pytest.mark.parametrize("place", range(len(KEY)))
def test_a_single_wrong_character_anywhere_makes_it_no_key(place: int) -> None:
    for character in BASE62 + "_-":
        typo = KEY[:place] + character + KEY[place + 1 :]
        assert (public_id_of(typo) is None) == (typo != KEY)


@pytest.mark.parametrize("place", range(8, len(KEY) - 1))
def test_two_neighbours_in_the_wrong_order_make_it_no_key(place: int) -> None:
    swapped = KEY[:place] + KEY[place + 1] + KEY[place] + KEY[place + 2 :]
    assert (public_id_of(swapped) is None) == (swapped != KEY)


@pytest.mark.parametrize(
    "text",
    ["", "mk_live_", KEY[:-1], KEY + "0", KEY[1:], " " + KEY, KEY + "\n", KEY.upper(), KEY.replace("live", "test"),
     "Bearer " + KEY, KEY[:20] + "é" + KEY[21:], KEY[:20] + "٣" + KEY[21:]],
)  # fmt: skip
def test_other_text_is_no_key(text: str) -> None:
    assert public_id_of(text) is None


@given(st.text())
def test_any_text_is_asked_without_an_error(text: str) -> None:
    assert public_id_of(text) is None


@given(st.binary(min_size=1), st.binary(min_size=1))
def test_the_hash_depends_on_the_service_s_secret(one: bytes, other: bytes) -> None:
    assert (hash_key(KEY, one) == hash_key(KEY, other)) == (one == other)


def test_the_hash_depends_on_the_key_and_does_not_show_it() -> None:
    hashed = hash_key(KEY, SECRET)
    assert len(hashed) == 32
    assert hashed != hash_key(new_key(seeded(2))[1], SECRET)
    assert KEY.encode() not in hashed


@pytest.mark.parametrize("wanted", Scope)
@pytest.mark.parametrize("granted", Scope)
def test_a_scope_allows_itself_and_admin_allows_everything(granted: Scope, wanted: Scope) -> None:
    key = Principal(UUID(int=1), frozenset({granted}))
    assert key.may(wanted) == (granted in {wanted, Scope.ADMIN})


def test_one_of_several_scopes_is_enough() -> None:
    key = Principal(UUID(int=1), frozenset({Scope.CODES_READ}))
    assert key.may(Scope.GROUPS_READ, Scope.CODES_READ)
    assert not Principal(UUID(int=1), frozenset()).may(*Scope)
