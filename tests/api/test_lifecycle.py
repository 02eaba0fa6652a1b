"""Cancel, resume, add codes, delete, proof and estimate as clients speak to them."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.states import GroupStatus
from app.runtime import Runtime
from app.services import issuance
from tests.builders import Api, a_group_body, an_item


@pytest.fixture
def api(runtime: Runtime) -> Api:
    return Api(runtime)


def posted(api: Api, runtime: Runtime, **fields: Any) -> dict[str, Any]:
    return dict(api.post("/redemptionCodes", a_group_body([an_item(runtime).id], **fields)).get_json())


def make(runtime: Runtime, group_id: str) -> None:
    with runtime.reading() as conn:
        statement = text("SELECT id FROM chunks WHERE group_id = :id AND state = 'pending' ORDER BY id")
        waiting = list(conn.execute(statement, {"id": group_id}).scalars())
    for chunk_id in waiting:
        issuance.make_chunk(runtime.issuance("w"), chunk_id)


def test_a_cancelled_group_is_resumed_and_extended(api: Api, runtime: Runtime) -> None:
    group = posted(api, runtime)
    path = f"/redemptionCodes/{group['id']}"
    cancelled = api.post(f"{path}/cancel", {"codes": "keep"})
    assert (cancelled.status_code, cancelled.get_json()["status"]) == (200, "cancelled")
    resumed = api.post(f"{path}/resume")
    assert (resumed.status_code, resumed.get_json()["status"]) == (202, "pending")
    assert (resumed.headers["Location"], resumed.headers["Retry-After"]) == (f"/incoming/v2{path}", "1")
    make(runtime, group["id"])
    extended = api.post(f"{path}/addCodes", {"additionalCodesCount": 5})
    assert (extended.status_code, extended.get_json()["totalCodesCount"]) == (202, 15)
    make(runtime, group["id"])
    done = api.get(path).get_json()
    assert (done["status"], done["createdCodesCount"]) == ("completed", 15)
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    ("step", "body", "status", "message"),
    [
        ("cancel", {"codes": "burn"}, 422, "codes must be keep or discard."),
        ("cancel", {"code": "keep"}, 422, "code is not a field of this request."),
        ("resume", None, 409, "This group is pending; only a cancelled or failed group can be resumed."),
        ("addCodes", {"additionalCodesCount": 1}, 409, "This group is pending; only a completed group can be extended."),
        ("addCodes", {}, 422, "additionalCodesCount is required."),
        ("addCodes", {"additionalCodesCount": 0}, 422, "additionalCodesCount must be a whole number from 1 to 10,000."),
        (
            "addCodes",
            {"additionalCodesCount": 9991},
            422,
            "additionalCodesCount may be at most 9,990 for this group: it has 10 codes, and a group holds at most 10,000.",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    api: Api, runtime: Runtime, step: str, body: Any, status: int, message: str
) -> None:
    group = posted(api, runtime)
    answer = api.post(f"/redemptionCodes/{group['id']}/{step}", body)
    assert (answer.status_code, answer.get_json()) == (status, {"errors": [message]})
    assert api.get(f"/redemptionCodes/{group['id']}").get_json() == group


@pytest.mark.parametrize("step", ["cancel", "resume", "addCodes"])
def test_an_unknown_group_is_a_404(api: Api, step: str) -> None:
    body = {"additionalCodesCount": 1} if step == "addCodes" else {}
    answer = api.post(f"/redemptionCodes/00000000-0000-0000-0000-000000000000/{step}", body)
    assert answer.status_code == 404


def test_the_proof_can_be_done_again_from_the_export(api: Api, runtime: Runtime) -> None:
    group = posted(api, runtime, totalCodesCount=50)
    make(runtime, group["id"])
    proof = api.get(f"/redemptionCodes/{group['id']}/proof").get_json()
    rows = list(csv.DictReader(io.StringIO(api.get(f"/redemptionCodes/{group['id']}/codes/export").get_data(as_text=True))))
    codes = sorted(row["Code"] for row in rows)
    assert proof == {
        "id": group["id"],
        "status": GroupStatus.COMPLETED,
        "asked": 50,
        "stored": 50,
        "unique": 50,
        "exported": len(rows),
        "sha256": hashlib.sha256("".join(f"{code}\n" for code in codes).encode()).hexdigest(),
        "holds": True,
    }


def test_an_estimate_tells_the_strength_before_a_group_is_made(api: Api, runtime: Runtime) -> None:
    asked = {"codeLength": 4, "totalCodesCount": 2500, "alphabet": "digits"}
    empty = api.post("/redemptionCodes/estimate", asked).get_json()
    assert (empty["capacity"], empty["issuedCodesCount"], empty["guessOdds"], empty["sufficient"]) == (10_000, 0, 0.25, True)
    assert empty["expectedCollisions"] == pytest.approx(sum(n / (10_000 - n) for n in range(2500)))
    posted(api, runtime, codeLength=4, totalCodesCount=2501, alphabet="digits")
    taken = api.post("/redemptionCodes/estimate", asked).get_json()
    assert (taken["issuedCodesCount"], taken["sufficient"], taken["shortestCodeLength"]) == (2501, False, 5)
    assert taken["suggestedCodeLength"] == 13
    refused = api.post("/redemptionCodes", a_group_body([an_item(runtime).id], **asked))
    assert refused.status_code == 422
    assert "a codeLength of 5 would do" in refused.get_json()["errors"][0]
