"""What lists can be sorted by, and the query parameters they share."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.paging import Sort
from app.domain.states import GroupStatus
from app.errors import ValidationFailed
from app.http.queries import choices, searchable

ALLOWED = ("label", "createdAt")
DEFAULT = Sort("createdAt", descending=True)


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        (None, DEFAULT),
        ("", DEFAULT),
        ("label", Sort("label")),
        ("label:", Sort("label")),
        ("label:asc", Sort("label")),
        ("label:desc", Sort("label", descending=True)),
        ("createdAt", Sort("createdAt")),
        ("createdAt:desc", Sort("createdAt", descending=True)),
    ],
)
def test_a_sort_is_a_field_and_a_direction(text: str | None, sort: Sort) -> None:
    assert Sort.parse(text, ALLOWED, DEFAULT) == sort


@pytest.mark.parametrize(
    "text", ["id", "Label", "label:up", "label:ASC", "label:asc:asc", ":asc", "label asc", " label", "-label"]
)
def test_another_sort_is_refused_with_what_is_possible(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        Sort.parse(text, ALLOWED, DEFAULT)
    assert refused.value.message == "sort must be label or createdAt, followed by :asc or :desc if need be."
    assert refused.value.field == "sort"


@given(st.sampled_from(ALLOWED), st.booleans())
def test_a_sort_is_read_as_it_is_written(name: str, descending: bool) -> None:
    sort = Sort(name, descending)
    assert Sort.parse(str(sort), ALLOWED, DEFAULT) == sort


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (None, []),
        ("", []),
        (",", []),
        ("red", [Colour.RED]),
        ("blue,red", [Colour.BLUE, Colour.RED]),
        (" red , blue ", [Colour.RED, Colour.BLUE]),
        ("red,red,", [Colour.RED]),
    ],
)
def test_choices_are_joined_by_commas(text: str | None, chosen: list[Colour]) -> None:
    assert choices(text, Colour, "colour") == chosen


@pytest.mark.parametrize("text", ["green", "Red", "red;blue", "red,green", "red\0"])
def test_another_choice_is_refused_with_what_is_possible(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        choices(text, Colour, "colour")
    assert refused.value.message == "colour must be red or blue, or several of them joined by commas."


def test_every_status_can_be_chosen() -> None:
    assert choices(",".join(GroupStatus), GroupStatus, "status") == list(GroupStatus)


@pytest.mark.parametrize(("text", "found"), [(None, None), ("", None), ("a", "a"), ("%", "%"), (" ", " ")])
def test_a_search_is_text_or_nothing(text: str | None, found: str | None) -> None:
    assert searchable(text) == found


def test_a_search_for_nul_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="NUL"):
        searchable("a\0b")
