"""Lists of groups: pages, sorts, filters, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from app.runtime import Runtime
from tests.api.answers import DOCUMENTED_KEYS, OUR_KEYS, a_finished_group, change, refusal
from tests.builders import Api, a_principal, an_accepted_group
from tests.recorder import recorded

GROUPS = 120
SORTS = ["label", "label:asc", "label:desc", "createdAt", "createdAt:asc", "createdAt:desc"]
FIRST_PAGE = [None, "", "undefined", "null"]
FOREIGN = "cursor belongs to a list with another sort; begin again without a cursor."
NO_CURSOR = "cursor is not one that this service gave out."


def label(number: int) -> str:
    """Two groups of each label, in different case: only their ids tell them apart."""
    return f"{'Spring' if number % 2 else 'SPRING'} {number * 7 % GROUPS // 2:03}"


@pytest.fixture(scope="module")
def groups(shared_runtime: Runtime) -> list[dict[str, Any]]:
    """All groups in the order they were accepted: a third of them cancelled, one completed."""
    owner = a_principal(shared_runtime)
    for number in range(GROUPS - 1):
        an_accepted_group(shared_runtime, owner, label=label(number))
    a_finished_group(shared_runtime, label=label(GROUPS - 1))
    cancelled = "UPDATE code_groups SET status = 'cancelled' WHERE id IN (SELECT id FROM code_groups ORDER BY id LIMIT 40)"
    change(shared_runtime, cancelled)
    return [*Api(shared_runtime).get("/redemptionCodes?sort=createdAt&pageSize=500").json["redemptionCodes"]]


def pages(api: Api, query: str) -> Iterator[dict[str, Any]]:
    """All pages of a list from the first to the last."""
    cursor = ""
    while True:
        page = api.get(f"/redemptionCodes?{query}&cursor={cursor}").json
        yield page
        if not page["pageInfo"]["hasMore"]:
            return
        cursor = page["pageInfo"]["cursor"]


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries]


def ordered(groups: list[dict[str, Any]], sort: str) -> list[str]:
    """What a sort promises, told by Python."""
    name, _, direction = sort.partition(":")
    return ids(sorted(groups, key=lambda group: (group[name].lower(), group["id"]), reverse=direction == "desc"))


@pytest.mark.parametrize("size", [7, 40, 119, 120, 500])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_every_group_once_in_order(shared_api: Api, groups: list[dict[str, Any]], sort: str, size: int) -> None:
    found = list(pages(shared_api, f"sort={sort}&pageSize={size}"))
    assert [entry for page in found for entry in ids(page["redemptionCodes"])] == ordered(groups, sort)
    assert [len(page["redemptionCodes"]) for page in found] == [size] * (GROUPS // size) + [GROUPS % size] * (GROUPS % size > 0)
    assert {page["pageInfo"]["total"] for page in found} == {GROUPS}
    assert [page["pageInfo"]["hasMore"] for page in found] == [True] * (len(found) - 1) + [False]
    assert found[-1]["pageInfo"]["cursor"] is None


def test_a_list_answers_fifty_groups_the_newest_first(shared_api: Api, groups: list[dict[str, Any]]) -> None:
    page = shared_api.get("/redemptionCodes").json
    assert list(page) == ["redemptionCodes", "pageInfo"]
    assert list(page["pageInfo"]) == ["total", "hasMore", "cursor"]
    assert ids(page["redemptionCodes"]) == ordered(groups, "createdAt:desc")[:50]


def test_an_entry_of_a_list_is_the_group_as_it_is_polled(shared_api: Api, groups: list[dict[str, Any]]) -> None:
    for entry in (groups[0], groups[-1]):
        assert tuple(entry) == DOCUMENTED_KEYS + OUR_KEYS
        assert shared_api.get(f"/redemptionCodes/{entry['id']}").json == entry


@pytest.mark.parametrize("cursor", FIRST_PAGE)
def test_what_clients_send_for_the_first_page_is_the_first_page(
    shared_api: Api, groups: list[dict[str, Any]], cursor: str | None
) -> None:
    query = "" if cursor is None else f"?cursor={cursor}"
    assert ids(shared_api.get(f"/redemptionCodes{query}").json["redemptionCodes"]) == ordered(groups, "createdAt:desc")[:50]


def test_groups_that_come_meanwhile_do_not_disturb_the_pages_that_follow(runtime: Runtime) -> None:
    for _ in range(6):
        an_accepted_group(runtime)
    api = Api(runtime)
    everything = ids(api.get("/redemptionCodes").json["redemptionCodes"])
    first = api.get("/redemptionCodes?pageSize=3").json
    an_accepted_group(runtime)
    second = api.get(f"/redemptionCodes?pageSize=3&cursor={first['pageInfo']['cursor']}").json
    assert ids(first["redemptionCodes"] + second["redemptionCodes"]) == everything


@pytest.mark.parametrize("cursor", ["x", "0", "%00", "%C3%A9", "e30", "W10", "nil", "Undefined", "bnVsbA==", "a" * 5000])
def test_a_cursor_that_nobody_gave_out_is_malformed(shared_api: Api, cursor: str) -> None:
    assert refusal(shared_api.get(f"/redemptionCodes?cursor={cursor}"), 400) == NO_CURSOR


@pytest.mark.parametrize("other", ["label", "label:desc", "createdAt:asc"])
def test_a_cursor_of_another_sort_is_malformed(shared_api: Api, groups: list[dict[str, Any]], other: str) -> None:
    cursor = shared_api.get("/redemptionCodes").json["pageInfo"]["cursor"]
    assert refusal(shared_api.get(f"/redemptionCodes?sort={other}&cursor={cursor}"), 400) == FOREIGN


def test_a_cursor_of_another_list_is_malformed(shared_api: Api, groups: list[dict[str, Any]]) -> None:
    """Even of one that is ordered by the same name."""
    codes = f"/redemptionCodes/{groups[-1]['id']}/codes"
    of_codes = shared_api.get(f"{codes}?pageSize=1").json["pageInfo"]["cursor"]
    of_groups = shared_api.get("/redemptionCodes?sort=createdAt").json["pageInfo"]["cursor"]
    assert refusal(shared_api.get(f"/redemptionCodes?sort=createdAt&cursor={of_codes}"), 400) == FOREIGN
    assert refusal(shared_api.get(f"{codes}?cursor={of_groups}"), 400) == FOREIGN


@pytest.mark.parametrize("size", ["0", "501", "-1", "1.5", "x", "", "1e2", "9" * 5000])
def test_a_page_size_out_of_bounds_is_refused(shared_api: Api, size: str) -> None:
    assert refusal(shared_api.get(f"/redemptionCodes?pageSize={size}"), 422) == "pageSize must be a whole number from 1 to 500."


@pytest.mark.parametrize("sort", ["id", "label:up", "title", "createdAt;desc", "LABEL"])
def test_an_unknown_sort_is_refused(shared_api: Api, sort: str) -> None:
    assert refusal(shared_api.get(f"/redemptionCodes?sort={sort}"), 422) == (
        "sort must be label or createdAt, followed by :asc or :desc if need be."
    )


@pytest.mark.parametrize("status", ["done", "pending;failed", "Pending", "pending,done"])
def test_an_unknown_status_is_refused(shared_api: Api, status: str) -> None:
    assert refusal(shared_api.get(f"/redemptionCodes?status={status}"), 422) == (
        "status must be pending or processing or completed or failed or cancelled, or several of them joined by commas."
    )


@pytest.mark.parametrize(
    ("status", "total"),
    [("pending", 79), ("cancelled", 40), ("completed", 1), ("failed", 0), ("pending,cancelled", 119), ("", GROUPS)],
)
def test_a_status_filters_the_list_and_its_total(shared_api: Api, groups: list[dict[str, Any]], status: str, total: int) -> None:
    page = shared_api.get(f"/redemptionCodes?pageSize=500&status={status}").json
    assert page["pageInfo"]["total"] == len(page["redemptionCodes"]) == total
    wanted = set(status.split(",")) if status else {group["status"] for group in groups}
    assert {entry["status"] for entry in page["redemptionCodes"]} <= wanted


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("spring", GROUPS),
        ("SPRING 00", 20),
        ("ring 059", 2),
        (" ", GROUPS),
        ("winter", 0),
        ("%", 0),
        ("_", 0),
        ("\\", 0),
        ("", GROUPS),
    ],
)
def test_a_query_matches_a_part_of_the_label_in_any_case(
    shared_api: Api, groups: list[dict[str, Any]], query: str, total: int
) -> None:
    page = shared_api.get(f"/redemptionCodes?pageSize=500&query={quote(query)}").json
    assert page["pageInfo"]["total"] == len(page["redemptionCodes"]) == total


def test_signs_that_mean_something_to_a_database_are_found_as_they_are(runtime: Runtime) -> None:
    labels = ["50% off", "500 off", "a_b", "axb", "c\\d", "cd", "'; --", "Ünï", "Uni"]
    for text in labels:
        an_accepted_group(runtime, label=text)
    api = Api(runtime)
    for query, found in (("50%", "50% off"), ("a_b", "a_b"), ("c\\d", "c\\d"), ("'; --", "'; --"), ("üNÏ", "Ünï")):
        page = api.get(f"/redemptionCodes?query={quote(query)}").json
        assert [group["label"] for group in page["redemptionCodes"]] == [found]


def test_filters_hold_on_every_page(shared_api: Api, groups: list[dict[str, Any]]) -> None:
    found = list(pages(shared_api, "query=spring&status=cancelled&sort=label&pageSize=7"))
    assert [entry for page in found for entry in ids(page["redemptionCodes"])] == ordered(groups[:40], "label")
    assert {page["pageInfo"]["total"] for page in found} == {40}


def test_a_search_for_nul_is_refused(shared_api: Api) -> None:
    assert refusal(shared_api.get("/redemptionCodes?query=%00"), 422) == "query must not contain a NUL character."


def test_unknown_query_parameters_are_ignored(shared_api: Api, groups: list[dict[str, Any]]) -> None:
    assert shared_api.get("/redemptionCodes?page=7&foo=bar&expand[]=x").json == shared_api.get("/redemptionCodes").json


def test_an_empty_list_is_a_list(runtime: Runtime) -> None:
    assert Api(runtime).get("/redemptionCodes").json == {
        "redemptionCodes": [],
        "pageInfo": {"total": 0, "hasMore": False, "cursor": None},
    }


def test_a_hundred_groups_cost_as_many_statements_as_one(shared_runtime: Runtime, groups: list[dict[str, Any]]) -> None:
    """Each time with an application of its own, which has to look the key up."""
    costs = []
    for size in (1, 100):
        api = Api(shared_runtime)
        with recorded(shared_runtime.engine) as statements:
            assert len(api.get(f"/redemptionCodes?pageSize={size}").json["redemptionCodes"]) == size
        costs.append(len(statements))
    assert costs == [4, 4], "the key, its use, the page and its total"
