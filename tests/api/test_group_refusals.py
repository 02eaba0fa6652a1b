"""What a request for a group is refused for: every rule a row of a table, and nothing stored afterwards."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from app.domain.items import Client, Item, ItemKind
from app.runtime import Runtime
from tests.api.answers import NOBODY, count, refusal
from tests.builders import Api, a_client, a_group_body, an_item

LEFT_OUT = object()
"""Takes a field out of the request."""
NO_LENGTH_OR_TOTAL = "Generated Redemption Code Groups must have a value for code length and total codes."
NOTHING_TO_OPEN = "Please choose at least one item to give access to, or select a license."
DATE = " must be an ISO 8601 date such as 2026-12-31, or a date and time with an offset such as 2026-12-31T23:59:59Z."
LENGTH = "codeLength must be a whole number from 4 to 20."
TOTAL = "totalCodesCount must be a whole number from 1 to 10,000."
DAYS = "accessDays must be a whole number from 1 to 36,500."
USES = "maxRedemptions must be a whole number from 1 to 2,147,483,647."
PREFIX = "prefix may hold only a-z, 0-9 and hyphens, and no more than 20 of them."
ZONE = "timeZone must be the IANA name of a time zone, such as Europe/Berlin."
ALPHABET = "alphabet must be readable or alphanumeric or letters or digits."
TOO_LITTLE_CHANCE = (
    "prefix is counted in codeLength, and at least 4 random characters must remain: use a codeLength of {} or more, "
    "or a shorter prefix."
)
BOTH_ENDS = "Give either accessDays or accessExpirationDate, not both."
KINDS = [kind.value for kind in ItemKind]
NO_FIELDS = ("accesDays", "access_days", "Label", "id", "status", "uploaded", "gift", "createdCodesCount")
NO_NUMBERS: list[Any] = [True, False, 12.0, 12.5, "12", "twelve", "", [], {}, [12], 1e300]
NO_DATES: list[Any] = ["", "soon", "2026-02-30", "2026-12-31T23:59:59", "31.12.2026", 1767225599, True, [], {}]
NO_LISTS: list[Any] = ["", NOBODY, {}, {"id": NOBODY}, 1, True, ["x"], [None], [1], [[NOBODY]], [{"id": NOBODY}], [NOBODY[:-1]]]

Row = tuple[dict[str, Any], str]
"""What is changed in a valid request, and the sentence that refuses it."""


def each(field: str, message: str, *values: Any, **along: Any) -> list[Row]:
    """A row for each value of a field; `along` are other changes that belong to it."""
    return [({field: value} | along, message) for value in values]


ROWS: list[Row] = [
    *each("label", "label is required.", LEFT_OUT),
    *each("label", "label must not be null.", None),
    *each("label", "label must be text.", 5, True, [], {}, ["Spring"]),
    *each("label", "label must not be blank.", "", " ", "\t\n", "\u2003"),
    *each("label", "label must not be longer than 255 characters.", "L" * 256),
    *each("label", "label must not contain control characters.", "a\0b", "a\nb", "a\x7fb", "a\x85b"),
    *each("codeLength", NO_LENGTH_OR_TOTAL, LEFT_OUT, None),
    *each("totalCodesCount", NO_LENGTH_OR_TOTAL, LEFT_OUT, None),
    *each("totalCodesCount", NO_LENGTH_OR_TOTAL, LEFT_OUT, None, codeLength=LEFT_OUT),
    *each("codeLength", LENGTH, 3, 21, 0, -12, 2**63, *NO_NUMBERS),
    *each("totalCodesCount", TOTAL, 0, 10_001, -1, 2**63, *NO_NUMBERS),
    *each("accessDays", DAYS, 0, -1, 36_501, 2**63, *NO_NUMBERS),
    *each("maxRedemptions", USES, 0, -1, 2**31, *NO_NUMBERS, usageType="multiple"),
    *each("maxRedemptions", "maxRedemptions can be given only with usageType multiple.", 5),
    *each("usageType", "usageType must be single or multiple.", "", "Single", "once", 1, True, []),
    *each("usageType", "usageType must not be null.", None),
    *each("alphabet", ALPHABET, "", "Digits", "hex", 5, []),
    *each("alphabet", "alphabet must not be null.", None),
    *each("prefix", PREFIX, "a b", "vip_", "ä", "a\0", "abc\n", "a" * 21),
    *each("prefix", "prefix must be text.", 5, [], True),
    *each("prefix", TOO_LITTLE_CHANCE.format(8), "vip-", codeLength=7),
    *each("prefix", TOO_LITTLE_CHANCE.format(24), "a" * 20, codeLength=20),
    *each("timeZone", ZONE, "", "Berlin", "+02:00", "Europe/Berlin ", "../UTC", "UTC\0"),
    *each("timeZone", "timeZone must be the IANA name of a time zone.", None, 2, []),
    *each("expirationDate", "expirationDate" + DATE, *NO_DATES),
    *each("startDate", "startDate" + DATE, *NO_DATES),
    *each("accessExpirationDate", "accessExpirationDate" + DATE, *NO_DATES),
    *each("startDate", "startDate must be before expirationDate.", "2026-02-01", "2026-12-31", expirationDate="2026-01-31"),
    *each("accessDays", BOTH_ENDS, 1, 30, accessExpirationDate="2026-12-31"),
    *each("client", "client must be a UUID.", "", "acme", 5, [], NOBODY[:-1]),
    *each("client", f"client {NOBODY} does not exist.", NOBODY),
    *each("courses", NOTHING_TO_OPEN, LEFT_OUT, None, []),
    *(row for kind in KINDS for row in each(kind, f"{kind} must be a list of UUIDs.", *NO_LISTS)),
    *(row for kind in KINDS for row in each(kind, f"{kind} must not name more than 500 items.", [NOBODY] * 501)),
    *(row for kind in KINDS for row in each(kind, f"{kind} names {NOBODY}, which does not exist.", [NOBODY])),
    *(row for name in NO_FIELDS for row in each(name, f"{name} is not a field of this request.", 1, None)),
]


def changed(course: Item, changes: dict[str, Any]) -> dict[str, Any]:
    """A valid request with these changes."""
    body = a_group_body([course.id]) | changes
    return {name: value for name, value in body.items() if value is not LEFT_OUT}


@pytest.fixture(scope="module", autouse=True)
def nothing_is_stored(shared_runtime: Runtime) -> Any:
    """No group, chunk or item of a group is left behind by all the refusals of this module together."""
    yield
    assert [count(shared_runtime, table) for table in ("code_groups", "chunks", "group_items", "codes")] == [0] * 4


@pytest.mark.parametrize(("changes", "message"), ROWS, ids=["+".join(changes) for changes, _ in ROWS])
def test_a_broken_rule_is_told_in_one_sentence(shared_api: Api, course: Item, changes: dict[str, Any], message: str) -> None:
    assert refusal(shared_api.post("/redemptionCodes", changed(course, changes)), 422) == message


IN_ORDER: dict[str, Row] = {
    "an unknown field": ({"accesDays": 30}, "accesDays is not a field of this request."),
    "the label": ({"label": " "}, "label must not be blank."),
    "no length or total": ({"totalCodesCount": LEFT_OUT}, NO_LENGTH_OR_TOTAL),
    "a range": ({"codeLength": 3}, LENGTH),
    "both ends of access": ({"accessDays": 30, "accessExpirationDate": "2026-12-31"}, BOTH_ENDS),
    "nothing to open": ({"courses": []}, NOTHING_TO_OPEN),
    "an unknown id": ({"client": NOBODY}, f"client {NOBODY} does not exist."),
}
"""The order of checks that clients rely on; an unknown field makes all else doubtful."""
RANGES: list[Row] = [
    ({"codeLength": 21}, LENGTH),
    ({"totalCodesCount": 10_001}, TOTAL),
    ({"accessDays": 0}, DAYS),
    ({"expirationDate": "soon"}, "expirationDate" + DATE),
    ({"startDate": "soon"}, "startDate" + DATE),
    ({"timeZone": "Mars"}, ZONE),
    ({"alphabet": "hex"}, ALPHABET),
    ({"usageType": "multiple", "maxRedemptions": 0}, USES),
    ({"prefix": "a b"}, PREFIX),
    ({"prefix": "123456789"}, TOO_LITTLE_CHANCE.format(13)),
    ({"maxRedemptions": 5}, "maxRedemptions can be given only with usageType multiple."),
    ({"startDate": "2026-02-01", "expirationDate": "2026-01-31"}, "startDate must be before expirationDate."),
]


@pytest.mark.parametrize(("first", "second"), list(combinations(IN_ORDER, 2)))
def test_of_two_broken_rules_the_earlier_one_is_told(shared_api: Api, course: Item, first: str, second: str) -> None:
    changes = IN_ORDER[second][0] | IN_ORDER[first][0]
    assert refusal(shared_api.post("/redemptionCodes", changed(course, changes)), 422) == IN_ORDER[first][1]


@pytest.mark.parametrize("later", ["nothing to open", "an unknown id"])
@pytest.mark.parametrize(("changes", "message"), RANGES, ids=["+".join(changes) for changes, _ in RANGES])
def test_every_range_comes_before_what_is_opened(
    shared_api: Api, course: Item, changes: dict[str, Any], message: str, later: str
) -> None:
    assert refusal(shared_api.post("/redemptionCodes", changed(course, IN_ORDER[later][0] | changes)), 422) == message


@pytest.mark.parametrize(("changes", "message"), RANGES, ids=["+".join(changes) for changes, _ in RANGES])
def test_every_range_comes_after_length_and_total(shared_api: Api, course: Item, changes: dict[str, Any], message: str) -> None:
    missing = {"codeLength": LEFT_OUT, "totalCodesCount": None}
    assert refusal(shared_api.post("/redemptionCodes", changed(course, changes | missing)), 422) == NO_LENGTH_OR_TOTAL


def test_all_rules_broken_at_once_make_one_sentence(shared_api: Api, course: Item) -> None:
    everything: dict[str, Any] = {}
    for changes, _ in [*RANGES, *IN_ORDER.values()]:
        everything |= changes
    everything.pop("accesDays")
    assert refusal(shared_api.post("/redemptionCodes", changed(course, everything)), 422) == "label must not be blank."


@pytest.fixture(scope="module")
def acme(shared_runtime: Runtime) -> Client:
    return a_client(shared_runtime)


@pytest.mark.parametrize("owner", ["nobody", "another client"])
def test_a_license_given_with_a_client_must_belong_to_it(
    shared_runtime: Runtime, shared_api: Api, acme: Client, owner: str
) -> None:
    other = a_client(shared_runtime, "Other").id if owner == "another client" else None
    foreign = an_item(shared_runtime, ItemKind.LICENSE, "Foreign", client_id=other).id
    body = a_group_body([], client=str(acme.id), licenses=[str(foreign)])
    assert refusal(shared_api.post("/redemptionCodes", body), 422) == (
        f"licenses names {foreign}, which does not belong to client {acme.id}."
    )


def test_a_client_alone_opens_nothing(shared_api: Api, acme: Client) -> None:
    assert refusal(shared_api.post("/redemptionCodes", a_group_body([], client=str(acme.id))), 422) == NOTHING_TO_OPEN


def test_an_id_of_another_kind_does_not_exist(shared_api: Api, course: Item) -> None:
    body = a_group_body([], bundles=[str(course.id)])
    assert refusal(shared_api.post("/redemptionCodes", body), 422) == f"bundles names {course.id}, which does not exist."
