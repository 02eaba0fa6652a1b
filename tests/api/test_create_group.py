"""Asking for a group: the documented request, word for word, and what is answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain.items import Client, Item, ItemKind
from app.runtime import Runtime
from tests.api.answers import DOCUMENTED_KEYS, OUR_KEYS, count
from tests.builders import Api, a_client, a_group_body, an_item


@pytest.fixture(scope="module")
def client(shared_runtime: Runtime) -> Client:
    return a_client(shared_runtime)


@pytest.fixture(scope="module")
def items(shared_runtime: Runtime, client: Client) -> dict[ItemKind, Item]:
    """One item of each kind; the license is the client's."""
    return {
        kind: an_item(shared_runtime, kind, f"The {kind.singular}", client_id=client.id if kind is ItemKind.LICENSE else None)
        for kind in ItemKind
    }


@pytest.fixture
def documented(client: Client, items: dict[ItemKind, Item]) -> dict[str, Any]:
    """The documented request with every documented field but one of the two ends of access."""
    return {
        "label": "Redemption Code Label",
        "codeLength": 12,
        "totalCodesCount": 100,
        "client": str(client.id),
        "expirationDate": "2025-06-30T23:59:59.000Z",
        "courses": [str(items[ItemKind.COURSE].id)],
        "bundles": [str(items[ItemKind.BUNDLE].id)],
        "licenses": [str(items[ItemKind.LICENSE].id)],
        "learningPaths": [str(items[ItemKind.LEARNING_PATH].id)],
    }


ACCESS = [
    pytest.param({"accessDays": 30}, {"accessDays": 30, "accessExpirationDate": None}, id="accessDays"),
    pytest.param(
        {"accessExpirationDate": "2026-12-31T23:59:59.000Z"},
        {"accessDays": None, "accessExpirationDate": "2026-12-31T23:59:59.000Z"},
        id="accessExpirationDate",
    ),
]


@pytest.mark.parametrize(("access", "answered"), ACCESS)
def test_the_documented_request_is_accepted_word_for_word(
    shared_api: Api, documented: dict[str, Any], items: dict[ItemKind, Item], access: dict[str, Any], answered: dict[str, Any]
) -> None:
    response = shared_api.post("/redemptionCodes", documented | access)
    assert (response.status_code, response.content_type) == (202, "application/json")
    assert response.headers["Location"] == f"/incoming/v2/redemptionCodes/{response.json['id']}"
    assert response.headers["Retry-After"] == "1"
    body = response.json
    assert tuple(body) == DOCUMENTED_KEYS + OUR_KEYS
    assert {key: body[key] for key in DOCUMENTED_KEYS} == answered | {
        "id": str(UUID(body["id"])),
        "label": "Redemption Code Label",
        "redeemedCodesCount": 0,
        "totalCodesCount": 100,
        "expirationDate": "2025-06-30T23:59:59.000Z",
        "uploaded": False,
        "gift": False,
        "client": {"id": documented["client"], "name": "Acme Academy"},
        "courses": [{"id": documented["courses"][0], "title": "The course"}],
        "learningPaths": [{"id": documented["learningPaths"][0], "name": "The learning path"}],
        "bundles": [{"id": documented["bundles"][0], "name": "The bundle"}],
        "licenses": [{"id": documented["licenses"][0], "name": "The license"}],
    }


def test_a_group_is_pending_before_any_code_exists(shared_runtime: Runtime, shared_api: Api, course: Item) -> None:
    before = count(shared_runtime, "codes")
    body = shared_api.post("/redemptionCodes", a_group_body([course.id])).json
    assert {key: body[key] for key in OUR_KEYS if key != "createdAt"} == {
        "status": "pending",
        "createdCodesCount": 0,
        "progress": 0,
        "codeLength": 12,
        "alphabet": "readable",
        "prefix": None,
        "customName": None,
        "usageType": "single",
        "maxRedemptions": None,
        "startDate": None,
        "timeZone": "UTC",
        "error": None,
        "startedAt": None,
        "finishedAt": None,
    }
    assert {key: body[key] for key in ("client", "courses", "bundles", "licenses", "learningPaths")} == {
        "client": None,
        "courses": [{"id": str(course.id), "title": course.name}],
        "bundles": [],
        "licenses": [],
        "learningPaths": [],
    }
    assert abs(datetime.fromisoformat(body["createdAt"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert body["createdAt"].endswith("Z")
    assert count(shared_runtime, "codes") == before


def test_where_to_poll_is_where_the_same_group_is(shared_api: Api, course: Item) -> None:
    response = shared_api.post("/redemptionCodes", a_group_body([course.id]))
    assert shared_api.get("/" + response.headers["Location"]).json == response.json


def test_our_own_fields_are_kept(shared_api: Api, course: Item) -> None:
    fields = {
        "usageType": "multiple",
        "maxRedemptions": 3,
        "prefix": "VIP-",
        "alphabet": "digits",
        "timeZone": "Europe/Berlin",
        "startDate": "2026-01-15",
    }
    body = shared_api.post("/redemptionCodes", a_group_body([course.id], **fields)).json
    kept = fields | {"prefix": "vip-", "startDate": "2026-01-14T23:00:00.000Z"}
    assert {key: body[key] for key in kept} == kept


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({"label": "  Spring  "}, {"label": "Spring"}),
        ({"label": "L" * 255}, {"label": "L" * 255}),
        ({"label": "Frühling 🎓 <b>'; DROP TABLE"}, {"label": "Frühling 🎓 <b>'; DROP TABLE"}),
        ({"codeLength": 4, "totalCodesCount": 1}, {"codeLength": 4, "totalCodesCount": 1}),
        ({"codeLength": 20, "totalCodesCount": 10_000}, {"codeLength": 20, "totalCodesCount": 10_000}),
        ({"prefix": "abcd", "codeLength": 8}, {"prefix": "abcd"}),
        ({"prefix": ""}, {"prefix": None}),
        ({"accessDays": 1}, {"accessDays": 1}),
        ({"accessDays": 36_500}, {"accessDays": 36_500}),
        ({"usageType": "multiple", "maxRedemptions": 1}, {"maxRedemptions": 1}),
        ({"usageType": "multiple", "maxRedemptions": 2_147_483_647}, {"maxRedemptions": 2_147_483_647}),
        ({"usageType": "multiple"}, {"usageType": "multiple", "maxRedemptions": None}),
    ],
)
def test_everything_up_to_its_bounds_is_accepted(
    shared_api: Api, course: Item, changes: dict[str, Any], stored: dict[str, Any]
) -> None:
    response = shared_api.post("/redemptionCodes", a_group_body([course.id], **changes))
    assert response.status_code == 202
    assert {key: response.json[key] for key in stored} == stored


NULLABLE = (
    "client", "expirationDate", "startDate", "accessDays", "accessExpirationDate", "bundles", "licenses", "learningPaths",
    "maxRedemptions", "prefix",
)  # fmt: skip


def test_null_means_not_given(shared_api: Api, course: Item) -> None:
    body = shared_api.post("/redemptionCodes", a_group_body([course.id], **dict.fromkeys(NULLABLE))).json
    without = shared_api.post("/redemptionCodes", a_group_body([course.id])).json
    assert [body[key] for key in NULLABLE] == [without[key] for key in NULLABLE]


@pytest.mark.parametrize(
    ("day", "zone", "begins", "ends"),
    [
        ("2025-06-30", "UTC", "2025-06-30T00:00:00.000Z", "2025-06-30T23:59:59.000Z"),
        ("2026-07-15", "America/New_York", "2026-07-15T04:00:00.000Z", "2026-07-16T03:59:59.000Z"),
        ("2026-07-15", "Asia/Tokyo", "2026-07-14T15:00:00.000Z", "2026-07-15T14:59:59.000Z"),
        ("2026-10-24", "Asia/Beirut", "2026-10-23T21:00:00.000Z", "2026-10-24T21:59:59.000Z"),
    ],
)
def test_a_date_alone_lasts_through_that_day_in_the_group_s_time_zone(
    shared_api: Api, course: Item, day: str, zone: str, begins: str, ends: str
) -> None:
    dates = {"startDate": day, "expirationDate": day, "accessExpirationDate": day, "timeZone": zone}
    body = shared_api.post("/redemptionCodes", a_group_body([course.id], **dates)).json
    assert (body["startDate"], body["expirationDate"], body["accessExpirationDate"]) == (begins, ends, ends)


def test_a_moment_with_an_offset_is_answered_in_utc(shared_api: Api, course: Item) -> None:
    dates = {"expirationDate": "2026-07-15T12:00:00.5+02:00", "timeZone": "Asia/Tokyo"}
    assert shared_api.post("/redemptionCodes", a_group_body([course.id], **dates)).json["expirationDate"] == (
        "2026-07-15T10:00:00.500Z"
    )


def test_items_keep_their_order_and_are_named_once(shared_runtime: Runtime, shared_api: Api) -> None:
    one, two, three = (an_item(shared_runtime, name=name).id for name in ("c", "a", "b"))
    body = shared_api.post("/redemptionCodes", a_group_body([two, one, two, str(three).upper(), one])).json
    assert [item["id"] for item in body["courses"]] == [str(two), str(one), str(three)]


@pytest.mark.parametrize("kind", ItemKind)
def test_one_item_of_any_kind_is_enough(shared_api: Api, items: dict[ItemKind, Item], kind: ItemKind) -> None:
    body = a_group_body([]) | {kind.value: [str(items[kind].id)]}
    response = shared_api.post("/redemptionCodes", body)
    assert response.status_code == 202
    assert response.json[kind.value] == [{"id": str(items[kind].id), kind.name_field: items[kind].name}]


def test_labels_need_not_be_unique(shared_api: Api, course: Item) -> None:
    first, second = (shared_api.post("/redemptionCodes", a_group_body([course.id], label="Twins")).json for _ in range(2))
    assert first["id"] != second["id"]
    assert first["label"] == second["label"]


def test_a_license_without_a_client_is_accepted_whoever_it_belongs_to(shared_api: Api, items: dict[ItemKind, Item]) -> None:
    license_id = str(items[ItemKind.LICENSE].id)
    response = shared_api.post("/redemptionCodes", a_group_body([], licenses=[license_id]))
    assert (response.status_code, response.json["client"]) == (202, None)


def test_the_same_id_may_be_used_by_items_of_different_kinds(shared_runtime: Runtime, shared_api: Api) -> None:
    shared_id = uuid4()
    an_item(shared_runtime, ItemKind.COURSE, "Course", id=shared_id)
    an_item(shared_runtime, ItemKind.BUNDLE, "Bundle", id=shared_id)
    body = shared_api.post("/redemptionCodes", a_group_body([shared_id], bundles=[str(shared_id)])).json
    assert (body["courses"][0]["title"], body["bundles"][0]["name"]) == ("Course", "Bundle")
