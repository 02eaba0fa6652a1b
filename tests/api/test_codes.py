"""The codes of a group as a list and as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from app.domain.groups import Group, UsageType
from app.domain.moments import END_OF_DAY, START_OF_DAY, parse_moment, parse_time_zone
from app.runtime import Runtime
from app.store.queries import codes as code_queries
from tests.api.answers import NOBODY, a_finished_group, change, refusal, stored_codes
from tests.builders import Api, an_accepted_group
from tests.recorder import recorded

CODES = 120
FIELDS = (
    "id", "code", "createdAt", "startDate", "expirationDate", "usageType", "maxRedemptions", "active", "status",
    "redemptionsCount", "redeemedBy",
)  # fmt: skip
COLUMNS = ["Created Date", "Code", "Valid Till", "Usage Type", "Active", "Status", "Redeemed By"]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
BERLIN = parse_time_zone("Europe/Berlin")


@pytest.fixture(scope="module")
def group(shared_runtime: Runtime) -> Group:
    """A finished group: codes 1 to 10 are used, 6 to 15 not active, code 1 has rules of its own, code 2 never ends."""
    group = a_finished_group(
        shared_runtime,
        total_codes_count=CODES,
        usage_type=UsageType.MULTIPLE,
        max_redemptions=5,
        starts_at=parse_moment("2026-01-15", BERLIN, date_alone=START_OF_DAY, field="startDate"),
        expires_at=parse_moment("2026-07-15", BERLIN, date_alone=END_OF_DAY, field="expirationDate"),
    )
    codes = stored_codes(shared_runtime, group.id)
    for statement, chosen in (
        ("UPDATE codes SET redemptions_count = 2 WHERE code = ANY(:codes)", codes[:10]),
        ("UPDATE codes SET active = false WHERE code = ANY(:codes)", codes[5:15]),
        ("UPDATE codes SET usage_type = 'single', expires_at = '2027-01-01Z' WHERE code = ANY(:codes)", codes[:1]),
        ("UPDATE codes SET expires_at = 'infinity' WHERE code = ANY(:codes)", codes[1:2]),
    ):
        change(shared_runtime, statement, codes=chosen)
    return group


@pytest.fixture(scope="module")
def codes(shared_runtime: Runtime, group: Group) -> list[str]:
    """Its codes in the order they were stored."""
    return stored_codes(shared_runtime, group.id)


def listed(api: Api, group: Group, query: str = "") -> dict[str, Any]:
    response = api.get(f"/redemptionCodes/{group.id}/codes?pageSize=500&{query}")
    assert response.status_code == 200
    return dict(response.json)


def test_a_code_tells_what_is_documented_in_its_order(shared_api: Api, group: Group, codes: list[str]) -> None:
    entry = listed(shared_api, group)["codes"][20]
    assert tuple(entry) == FIELDS
    assert MOMENT.fullmatch(entry.pop("createdAt"))
    assert entry.pop("id").isdigit()
    assert entry == {
        "code": codes[20],
        "startDate": "2026-01-14T23:00:00.000Z",
        "expirationDate": "2026-07-15T21:59:59.000Z",
        "usageType": "multiple",
        "maxRedemptions": 5,
        "active": True,
        "status": "unused",
        "redemptionsCount": 0,
        "redeemedBy": [],
    }


def test_a_code_s_own_rules_come_before_its_group_s(shared_api: Api, group: Group) -> None:
    own, endless, *_ = listed(shared_api, group)["codes"]
    assert (own["usageType"], own["maxRedemptions"], own["expirationDate"]) == ("single", None, "2027-01-01T00:00:00.000Z")
    assert (endless["usageType"], endless["maxRedemptions"], endless["expirationDate"]) == ("multiple", 5, None)


@pytest.mark.parametrize("size", [7, 40, 119, 120, 121, 500])
def test_pages_hold_every_code_once_as_stored(shared_api: Api, group: Group, codes: list[str], size: int) -> None:
    found: list[str] = []
    cursor: str | None = "null"
    while cursor is not None:
        page = shared_api.get(f"/redemptionCodes/{group.id}/codes?pageSize={size}&cursor={cursor}").json
        found += [entry["code"] for entry in page["codes"]]
        assert page["pageInfo"]["total"] == CODES
        assert page["pageInfo"]["hasMore"] == (page["pageInfo"]["cursor"] is not None) == (len(found) < CODES)
        cursor = page["pageInfo"]["cursor"]
    assert found == codes


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", slice(0, CODES)),
        ("status=used", slice(0, 10)),
        ("status=unused", slice(10, CODES)),
        ("status=used,unused", slice(0, CODES)),
        ("active=false", slice(5, 15)),
        ("active=true,false", slice(0, CODES)),
        ("status=used&active=false", slice(5, 10)),
        ("status=used&active=true", slice(0, 5)),
        ("status=unused&active=false", slice(10, 15)),
        ("status=&active=&query=&foo=bar", slice(0, CODES)),
    ],
)
def test_filters_choose_among_the_codes(shared_api: Api, group: Group, codes: list[str], query: str, chosen: slice) -> None:
    page = listed(shared_api, group, query)
    assert [entry["code"] for entry in page["codes"]] == codes[chosen]
    assert page["pageInfo"]["total"] == len(codes[chosen])


def test_a_query_is_the_beginning_of_a_code_in_any_case(shared_api: Api, group: Group, codes: list[str]) -> None:
    for length in (1, 3, 12):
        beginning = codes[30][:length]
        wanted = [code for code in codes if code.startswith(beginning)]
        for query in (beginning, beginning.upper()):
            page = listed(shared_api, group, f"query={query}")
            assert [entry["code"] for entry in page["codes"]] == wanted
            assert page["pageInfo"]["total"] == len(wanted)
    assert listed(shared_api, group, f"query={codes[30][1:]}")["codes"] == []


@pytest.mark.parametrize("query", ["%25", "_", "%5C", "%C3%A9", "'"])
def test_signs_that_mean_something_to_a_database_match_nothing(shared_api: Api, group: Group, query: str) -> None:
    assert listed(shared_api, group, f"query={query}")["pageInfo"]["total"] == 0


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("status=redeemed", 422, "status must be used or unused, or several of them joined by commas."),
        ("active=yes", 422, "active must be true or false, or several of them joined by commas."),
        ("query=%00", 422, "query must not contain a NUL character."),
        ("pageSize=501", 422, "pageSize must be a whole number from 1 to 500."),
        ("cursor=x", 400, "cursor is not one that this service gave out."),
    ],
)
def test_a_list_that_is_none_is_refused(shared_api: Api, group: Group, query: str, status: int, message: str) -> None:
    assert refusal(shared_api.get(f"/redemptionCodes/{group.id}/codes?{query}"), status) == message


@pytest.mark.parametrize("path", ["codes", "codes/export"])
def test_codes_of_an_unknown_group_are_not_found(shared_api: Api, path: str) -> None:
    assert refusal(shared_api.get(f"/redemptionCodes/{NOBODY}/{path}"), 404) == f"There is no redemption code group {NOBODY}."


def test_a_pending_group_has_an_empty_list(shared_runtime: Runtime, shared_api: Api) -> None:
    assert listed(shared_api, an_accepted_group(shared_runtime)) == {
        "codes": [],
        "pageInfo": {"total": 0, "hasMore": False, "cursor": None},
    }


def test_a_page_of_500_costs_as_many_statements_as_a_page_of_one(shared_runtime: Runtime, group: Group) -> None:
    costs = []
    for query in ("pageSize=1", "pageSize=500", "pageSize=500&status=unused"):
        api = Api(shared_runtime)
        with recorded(shared_runtime.engine) as statements:
            api.get(f"/redemptionCodes/{group.id}/codes?{query}")
        costs.append(len(statements))
    assert costs == [4, 4, 5], "the key, its use, the group and the page; with a filter its total"


def exported(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.get_data(as_text=True))))


def test_the_export_has_every_code_as_it_is_stored(shared_api: Api, group: Group, codes: list[str]) -> None:
    response = shared_api.get(f"/redemptionCodes/{group.id}/codes/export")
    assert (response.status_code, response.content_type) == (200, "text/csv; charset=utf-8")
    assert response.headers["X-Codes-Count"] == str(CODES)
    assert response.headers["Content-Disposition"] == f'attachment; filename="codes-{group.id}.csv"'
    header, *rows = exported(response)
    assert header == COLUMNS
    assert [row[1] for row in rows] == codes
    assert all(MOMENT.fullmatch(row[0]) for row in rows)
    usual = ["2026-07-15T21:59:59.000Z", "multiple"]
    assert [row[2:] for row in rows] == [
        ["2027-01-01T00:00:00.000Z", "single", "Yes", "Used", ""],
        ["", "multiple", "Yes", "Used", ""],
        *[[*usual, "Yes", "Used", ""]] * 3,
        *[[*usual, "No", "Used", ""]] * 5,
        *[[*usual, "No", "Unused", ""]] * 5,
        *[[*usual, "Yes", "Unused", ""]] * (CODES - 15),
    ]


def test_the_export_and_the_list_tell_the_same(shared_api: Api, group: Group) -> None:
    rows = exported(shared_api.get(f"/redemptionCodes/{group.id}/codes/export"))[1:]
    told = [
        [entry["createdAt"], entry["code"], entry["expirationDate"] or "", entry["usageType"],
         "Yes" if entry["active"] else "No", entry["status"].capitalize(), ""]
        for entry in listed(shared_api, group)["codes"]
    ]  # fmt: skip
    assert rows == told


def test_an_export_without_codes_is_its_header(shared_runtime: Runtime, shared_api: Api) -> None:
    response = shared_api.get(f"/redemptionCodes/{an_accepted_group(shared_runtime).id}/codes/export")
    assert response.headers["X-Codes-Count"] == "0"
    assert response.get_data(as_text=True) == ",".join(COLUMNS) + "\n"


def in_use(runtime: Runtime) -> int:
    """Connections that the pool has lent."""
    return int(runtime.engine.pool.checkedout())  # type: ignore[attr-defined]  # of the pool that engines have


@pytest.mark.parametrize("blocks", [0, 1, 5, None])
def test_an_export_gives_its_connection_back_wherever_it_ends(
    shared_runtime: Runtime, group: Group, blocks: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last block, after a few of them because the client is gone, and before the first one."""
    monkeypatch.setattr(code_queries, "_BLOCK_BYTES", 1)
    api = Api(shared_runtime)
    response = api.get(f"/redemptionCodes/{group.id}/codes/export", buffered=False)
    assert in_use(shared_runtime) == 1
    stream = response.iter_encoded()
    if blocks is None:
        assert b"".join(stream).count(b"\n") == CODES + 1
    else:
        for _ in range(blocks):
            next(stream)
    response.close()
    assert in_use(shared_runtime) == 0
    assert api.get(f"/redemptionCodes/{group.id}").status_code == 200


def test_an_export_of_headers_alone_gives_its_connection_back(shared_runtime: Runtime, shared_api: Api, group: Group) -> None:
    response = shared_api("HEAD", f"/redemptionCodes/{group.id}/codes/export")
    assert (response.status_code, response.headers["X-Codes-Count"], response.get_data()) == (200, str(CODES), b"")
    response.close()
    assert in_use(shared_runtime) == 0


def test_an_export_and_its_count_agree_while_codes_are_added(
    shared_runtime: Runtime, shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count and file are of one snapshot: here a code comes after the one and before the other."""
    group = a_finished_group(shared_runtime, total_codes_count=50)
    copy_out = code_queries.copy_out

    def after_a_late_code(conn: Any, group_id: UUID) -> Iterator[bytes]:
        change(shared_runtime, "INSERT INTO codes (group_id, code) VALUES (:id, 'late')", id=group_id)
        return copy_out(conn, group_id)

    monkeypatch.setattr(code_queries, "copy_out", after_a_late_code)
    response = shared_api.get(f"/redemptionCodes/{group.id}/codes/export")
    rows = exported(response)[1:]
    assert len(rows) == int(response.headers["X-Codes-Count"]) == 50
    assert "late" in stored_codes(shared_runtime, group.id)
