"""Requests that are carried out once, however often they are sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.access_keys import Scope
from app.domain.idempotency import Once
from app.runtime import Runtime
from app.services import idempotency, reconcile
from tests.builders import Api, a_group_body, a_key, a_key_and_principal, an_item


@pytest.fixture
def api(runtime: Runtime) -> Api:
    return Api(runtime)


def count(runtime: Runtime, table: str = "code_groups") -> int:
    with runtime.reading() as conn:
        return int(conn.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def keyed(key: str = "k1") -> dict[str, str]:
    return {"Idempotency-Key": key}


def test_the_same_key_with_the_same_request_answers_the_same_and_creates_once(api: Api, runtime: Runtime) -> None:
    body = a_group_body([an_item(runtime).id])
    first = api.post("/redemptionCodes", body, headers=keyed())
    again = api.post("/redemptionCodes", dict(reversed(body.items())), headers=keyed())
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.get_json() == first.get_json()
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert count(runtime) == 1


def test_another_request_under_the_same_key_is_refused(api: Api, runtime: Runtime) -> None:
    body = a_group_body([an_item(runtime).id])
    api.post("/redemptionCodes", body, headers=keyed())
    other = api.post("/redemptionCodes", body | {"label": "Other"}, headers=keyed())
    assert (other.status_code, other.get_json()) == (
        422,
        {"errors": ["This Idempotency-Key was used before with another request."]},
    )
    assert count(runtime) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_a_key_out_of_shape_is_refused(api: Api, runtime: Runtime, key: str) -> None:
    answer = api.post("/redemptionCodes", a_group_body([an_item(runtime).id]), headers=keyed(key))
    assert answer.status_code == 422
    assert count(runtime) == 0


def test_keys_belong_to_the_api_key_that_sent_them_and_to_the_address(api: Api, runtime: Runtime) -> None:
    body = a_group_body([an_item(runtime).id])
    ids = {
        api.post("/redemptionCodes", body, headers=keyed()).get_json()["id"],
        api.post("/redemptionCodes", body, headers=keyed(), key=a_key(runtime)).get_json()["id"],
        api.post("/courses", {"title": "Algebra"}, headers=keyed()).get_json()["id"],
    }
    assert len(ids) == 3


def test_a_refused_request_may_be_sent_again_under_its_key(api: Api, runtime: Runtime) -> None:
    body = a_group_body([an_item(runtime).id])
    assert api.post("/redemptionCodes", body | {"label": " "}, headers=keyed()).status_code == 422
    assert api.post("/redemptionCodes", body, headers=keyed()).status_code == 202


def test_a_key_is_remembered_for_a_day(api: Api, runtime: Runtime) -> None:
    body = a_group_body([an_item(runtime).id])
    api.post("/redemptionCodes", body, headers=keyed())
    with runtime.transaction() as conn:
        conn.execute(text("UPDATE idempotency_keys SET created_at = created_at - interval '24 hours 1 minute'"))
    assert api.post("/redemptionCodes", body | {"label": "Next day"}, headers=keyed()).status_code == 202
    assert count(runtime) == 2
    with runtime.transaction() as conn:
        conn.execute(text("UPDATE idempotency_keys SET created_at = created_at - interval '24 hours 1 minute'"))
    with runtime.transaction() as conn:
        reconcile.sweep(conn, runtime.settings)
    assert count(runtime, "idempotency_keys") == 0


def test_while_the_first_is_being_accepted_the_second_is_told_so(api: Api, runtime: Runtime) -> None:
    key, principal = a_key_and_principal(runtime, Scope.ADMIN)
    once = Once(principal.key_id, "POST /incoming/v2/courses", "k1", b"")
    with runtime.transaction() as conn:
        assert idempotency.earlier_answer(conn, once) is None
        answer = api.post("/courses", {"title": "Algebra"}, headers=keyed(), key=key)
    assert answer.status_code == 409
    assert "still being accepted" in answer.get_json()["errors"][0]
    assert api.post("/courses", {"title": "Algebra"}, headers=keyed(), key=key).status_code == 201


def test_of_many_at_once_one_creates_and_all_get_its_answer_or_a_409(api: Api, runtime: Runtime) -> None:
    body, barrier = a_group_body([an_item(runtime).id]), Barrier(8)
    api.post("/redemptionCodes", {}, headers=keyed("warm"))

    def send(_: int) -> Any:
        barrier.wait()
        return api.client.application.test_client().post(
            "/incoming/v2/redemptionCodes", json=body, headers={"Authorization": f"Bearer {api.key}"} | keyed()
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.get_json()["id"] for answer in answers if answer.status_code == 202}) == 1
    assert count(runtime) == 1


@pytest.mark.parametrize("step", ["resume", "addCodes"])
def test_a_step_that_makes_codes_is_taken_once(api: Api, runtime: Runtime, step: str) -> None:
    group_id = api.post("/redemptionCodes", a_group_body([an_item(runtime).id])).get_json()["id"]
    status = {"resume": "failed", "addCodes": "completed"}[step]
    with runtime.transaction() as conn:
        conn.execute(text("UPDATE code_groups SET status = :status, created_codes_count = 10"), {"status": status})
    body = {"additionalCodesCount": 5} if step == "addCodes" else None
    first, again = (api.post(f"/redemptionCodes/{group_id}/{step}", body, headers=keyed()) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.get_json() == first.get_json()


def test_an_answer_is_stored_only_with_what_it_answers_for(api: Api, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash after the work and before the answer is stored leaves neither."""

    def crash(*_: object) -> None:
        raise ZeroDivisionError

    body = a_group_body([an_item(runtime).id])
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "remember", crash)
        assert api.post("/redemptionCodes", body, headers=keyed()).status_code == 500
    assert count(runtime) == 0
    assert api.post("/redemptionCodes", body, headers=keyed()).status_code == 202
