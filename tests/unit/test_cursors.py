"""Cursors: a position, there and back; everything else is a malformed request."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.paging import Position, Sort
from app.errors import MalformedRequest
from app.http import cursors

BY_LABEL, BY_AGE = Sort("label"), Sort("createdAt", descending=True)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROW = UUID(int=7)
sorts = st.builds(Sort, st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.booleans())
big_integers = st.integers(-(2**63) + 1, 2**63 - 1)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
moments = st.datetimes(timezones=st.just(UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | names,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(names, inner, max_size=6),
    max_leaves=12,
)


def forged(*parts: Any) -> str:
    """A cursor that says whatever one likes."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


@given(sorts, names | moments | big_integers, st.uuids() | big_integers)
def test_a_position_comes_back_as_it_was(sort: Sort, value: str | datetime | int, row: UUID | int) -> None:
    cursor = cursors.encode(sort, Position(value, row))
    assert cursor is not None
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert cursors.decode(cursor, sort, type(value), type(row)) == Position(value, row)


def test_the_last_page_has_no_cursor() -> None:
    assert cursors.encode(BY_LABEL, None) is None


@pytest.mark.parametrize("cursor", [None, "", "undefined", "null"])
def test_what_clients_send_for_the_first_page_is_the_first_page(cursor: str | None) -> None:
    assert cursors.page_request(cursor, 50, BY_LABEL, str).after is None


GOOD = (str(BY_AGE), "t", NOON.isoformat(), "u", str(ROW))
FORGED = {
    "another direction": ("createdAt:asc", *GOOD[1:]),
    "another name": ("label:desc", *GOOD[1:]),
    "text for a moment": (GOOD[0], "s", "noon", *GOOD[3:]),
    "a number for a moment": (GOOD[0], "i", 5, *GOOD[3:]),
    "true for a moment": (GOOD[0], "i", True, *GOOD[3:]),
    "a moment without an offset": (GOOD[0], "t", "2026-01-01T12:00:00", *GOOD[3:]),
    "a moment that never was": (GOOD[0], "t", "2026-13-01T12:00:00Z", *GOOD[3:]),
    "null for a moment": (GOOD[0], "t", None, *GOOD[3:]),
    "an unknown kind": (GOOD[0], "x", NOON.isoformat(), *GOOD[3:]),
    "a list for a kind": (GOOD[0], [], NOON.isoformat(), *GOOD[3:]),
    "a number for an id": (*GOOD[:3], "i", 5),
    "text for an id": (*GOOD[:3], "u", "seven"),
    "null for an id": (*GOOD[:3], "u", None),
    "nothing": (),
    "too little": GOOD[:4],
    "too much": (*GOOD, 1),
}


def test_the_forgeries_below_are_all_that_is_wrong_with_them() -> None:
    assert cursors.decode(forged(*GOOD), BY_AGE, datetime) == Position(NOON, ROW)


@pytest.mark.parametrize("parts", FORGED.values(), ids=FORGED)
def test_a_forged_cursor_is_malformed(parts: tuple[Any, ...]) -> None:
    with pytest.raises(MalformedRequest):
        cursors.decode(forged(*parts), BY_AGE, datetime)


@pytest.mark.parametrize("number", [True, 5.5, "5", None, 2**63, -(2**63)])
def test_a_numbered_list_knows_only_numbers_that_the_database_knows(number: Any) -> None:
    by_number = Sort("createdAt")
    assert cursors.decode(forged(str(by_number), "i", 5, "i", 5), by_number, int, int) == Position(5, 5)
    for parts in (("i", number, "i", 5), ("i", 5, "i", number)):
        with pytest.raises(MalformedRequest):
            cursors.decode(forged(str(by_number), *parts), by_number, int, int)


@given(
    st.text(min_size=1) | st.text("ABCDEFabcdef0123456789-_=", min_size=1) | st.binary().map(lambda raw: raw.decode("latin-1"))
)
def test_garbage_is_malformed_and_nothing_else(garbage: str) -> None:
    for sort, value, row in ((BY_AGE, datetime, UUID), (BY_LABEL, str, UUID), (Sort("createdAt"), int, int)):
        if garbage not in cursors.NO_CURSOR:
            with pytest.raises(MalformedRequest):
                cursors.decode(garbage, sort, value, row)


@given(json_values)
def test_other_json_is_malformed_and_nothing_else(value: Any) -> None:
    cursor = base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()
    with pytest.raises(MalformedRequest):
        cursors.decode(cursor, BY_AGE, datetime)


@given(json_values, json_values, json_values, json_values)
def test_any_parts_are_a_position_or_malformed(value_kind: Any, value: Any, row_kind: Any, row: Any) -> None:
    cursor = forged(str(BY_LABEL), value_kind, value, row_kind, row)
    try:
        found = cursors.decode(cursor, BY_LABEL, str)
    except MalformedRequest:
        return
    assert found is not None
    assert isinstance(found.value, str)
    assert isinstance(found.row_id, UUID)


def test_a_cursor_of_another_order_says_what_to_do() -> None:
    cursor = cursors.encode(BY_AGE, Position(NOON, ROW))
    with pytest.raises(MalformedRequest, match="begin again without a cursor"):
        cursors.decode(cursor, BY_LABEL, str)
