"""The rules for asking for a group, in the order in which they are told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.schemas.groups import NewGroupSchema
from app.domain.alphabets import MAX_CODE_LENGTH, MIN_CODE_LENGTH, MIN_RANDOM_CHARACTERS, Alphabet, CodeSpace
from app.domain.groups import MAX_CODES, NOTHING_TO_OPEN, NewGroup, UsageType
from app.domain.items import ItemKind
from app.errors import ValidationFailed
from app.http.bodies import Parser
from tests.unit.sources import PREFIX_CHARACTERS

COURSE = UUID(int=1)
NEW_YEAR, MIDSUMMER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 21, tzinfo=UTC)


def a_wanted_group(**changes: Any) -> NewGroup:
    values: dict[str, Any] = {
        "label": "Spring",
        "total_codes_count": 10,
        "space": CodeSpace(Alphabet.READABLE, 12),
        "items": {ItemKind.COURSE: (COURSE,)},
    }
    return NewGroup(**(values | changes))


BROKEN: list[tuple[dict[str, Any], str]] = [
    (
        {"space": CodeSpace(Alphabet.READABLE, 7, "vip-")},
        "prefix is counted in codeLength, and at least 4 random characters must remain: use a codeLength of 8 or more, "
        "or a shorter prefix.",
    ),
    ({"max_redemptions": 5}, "maxRedemptions can be given only with usageType multiple."),
    ({"starts_at": MIDSUMMER, "expires_at": NEW_YEAR}, "startDate must be before expirationDate."),
    (
        {"access_days": 30, "access_expires_at": MIDSUMMER},
        "Give either accessDays or accessExpirationDate, not both.",
    ),
    ({"items": dict.fromkeys(ItemKind, ())}, NOTHING_TO_OPEN),
]
"""In the order in which they are told."""


@pytest.mark.parametrize("first", range(len(BROKEN)))
def test_of_all_broken_rules_the_first_is_told(first: int) -> None:
    changes: dict[str, Any] = {}
    for change, _ in BROKEN[first:]:
        changes |= change
    with pytest.raises(ValidationFailed) as refused:
        a_wanted_group(**changes).check()
    assert refused.value.message == BROKEN[first][1]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"space": CodeSpace(Alphabet.READABLE, 8, "vip-")},
        {"usage_type": UsageType.MULTIPLE, "max_redemptions": 5},
        {"usage_type": UsageType.MULTIPLE},
        {"starts_at": NEW_YEAR, "expires_at": MIDSUMMER},
        {"starts_at": MIDSUMMER},
        {"expires_at": NEW_YEAR},
        {"access_days": 1},
        {"access_expires_at": NEW_YEAR},
        *({"items": {kind: (COURSE,)}} for kind in ItemKind),
    ],
)
def test_what_breaks_no_rule_passes(changes: dict[str, Any]) -> None:
    a_wanted_group(**changes).check()


def test_a_start_at_the_very_end_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="before"):
        a_wanted_group(starts_at=NEW_YEAR, expires_at=NEW_YEAR).check()


json_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | json_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(json_text, inner, max_size=4),
    max_leaves=8,
)
identifiers = st.lists(st.uuids().map(str), max_size=5)
moments = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat(timespec="milliseconds"))
VALID_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "client": st.none() | st.uuids().map(str),
    "expirationDate": st.none() | st.dates().map(str) | moments,
    "startDate": st.none() | st.dates().map(str) | moments,
    "accessDays": st.none() | st.integers(1, 36_500),
    "accessExpirationDate": st.none() | st.dates().map(str) | moments,
    "bundles": st.none() | identifiers,
    "licenses": st.none() | identifiers,
    "learningPaths": st.none() | identifiers,
    "usageType": st.sampled_from(["single", "multiple"]),
    "maxRedemptions": st.none() | st.integers(1, 2_147_483_647),
    "prefix": st.none() | st.text(PREFIX_CHARACTERS + "ABC", max_size=16),
    "alphabet": st.sampled_from(["readable", "alphanumeric", "letters", "digits"]),
    "timeZone": st.sampled_from(["UTC", "Asia/Tokyo"]),
}
valid_bodies = st.fixed_dictionaries(
    {
        "label": st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=255).filter(str.strip),
        "codeLength": st.integers(MIN_CODE_LENGTH, MAX_CODE_LENGTH),
        "totalCodesCount": st.integers(1, MAX_CODES),
        "courses": identifiers,
    },
    optional=VALID_FIELDS,
)
FIELDS = {"label", "codeLength", "totalCodesCount", "courses", *VALID_FIELDS}


def load(body: Any) -> NewGroup:
    loaded: NewGroup = Parser().load_json_body(NewGroupSchema(), body)
    return loaded


def test_every_field_of_a_request_is_made_up_here() -> None:
    assert {field.data_key for field in NewGroupSchema().load_fields.values()} == FIELDS


@given(valid_bodies)
def test_every_valid_request_is_read_as_it_was_meant(body: dict[str, Any]) -> None:
    group = load(body)
    assert group.label == body["label"].strip()
    assert group.total_codes_count == body["totalCodesCount"]
    prefix = body.get("prefix") or ""
    assert group.space == CodeSpace(Alphabet(body.get("alphabet", "readable")), body["codeLength"], prefix.lower())
    for kind in ItemKind:
        assert group.items[kind] == tuple(dict.fromkeys(map(UUID, body.get(kind.value) or ())))
    assert group.usage_type == body.get("usageType", "single")
    assert (group.access_days, group.max_redemptions) == (body.get("accessDays"), body.get("maxRedemptions"))
    assert (group.expires_at is None) == (body.get("expirationDate") is None)


@given(valid_bodies)
def test_what_passes_the_rules_keeps_its_promises(body: dict[str, Any]) -> None:
    try:
        (group := load(body)).check()
    except ValidationFailed:
        return
    assert group.space.random_length >= MIN_RANDOM_CHARACTERS
    assert any(group.items.values())
    assert group.access_days is None or group.access_expires_at is None


@given(valid_bodies, st.sampled_from(sorted(FIELDS)), json_values)
def test_any_value_in_any_field_is_read_or_refused_by_the_field_s_name(body: dict[str, Any], field: str, value: Any) -> None:
    try:
        load(body | {field: value})
    except ValidationFailed as refused:
        told = refused
    else:
        return
    assert told.field == field
    assert told.message.endswith(".")
    assert told.message.startswith((f"{field} ", "Generated Redemption Code Groups must"))


@given(json_values)
def test_any_body_is_read_or_refused_with_one_sentence(body: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        load(body)
    assert refused.value.message.endswith(".")


@given(valid_bodies, st.text(st.characters(exclude_categories=["Cs"])).filter(lambda name: name not in FIELDS), json_values)
def test_an_unknown_field_is_refused_by_name_before_anything_else(body: dict[str, Any], name: str, value: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        load({**body, "label": "", name: value})
    assert refused.value.field == name
    assert "is not a field of this request." in refused.value.message
