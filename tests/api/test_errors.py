"""Errors have one form, whatever raised them: one sentence, no page, no trace, no driver's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.access_keys import new_key
from app.factory import create_app
from app.local.ports import free_port
from app.runtime import Runtime, make_runtime
from app.services import groups
from tests.api.answers import HARDENED, NOBODY, assert_unauthenticated, refusal
from tests.builders import BASE, Api
from tests.stores import Stores, settings_for

NOTHING_HERE = "There is nothing here."


def assert_hardened(response: Any) -> None:
    assert {name: response.headers.get(name) for name in HARDENED} == HARDENED
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.headers["X-Request-Id"]) == 16


@pytest.mark.parametrize("path", ["/", "/nothing", BASE, f"{BASE}/", f"{BASE}/nothing", f"{BASE}/redemptionCodes/x/y", "/docs/"])
def test_an_address_that_is_none_is_a_404_with_or_without_a_key(shared_api: Api, path: str) -> None:
    for response in (shared_api.get("/" + path), shared_api.client.get(path)):
        assert refusal(response, 404) == NOTHING_HERE
        assert_hardened(response)


@pytest.mark.parametrize("path", ["/redemptionCodes/", "/ping/", "/courses/"])
def test_a_slash_at_the_end_makes_no_difference(shared_api: Api, path: str) -> None:
    assert shared_api.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/redemptionCodes", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("DELETE", "/redemptionCodes", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/ping", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", f"/courses/{NOBODY}", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
        ("POST", "//healthz", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_another_method_is_a_405_that_names_those_that_are_possible(
    shared_api: Api, method: str, path: str, allowed: set[str]
) -> None:
    response = shared_api(method, path)
    assert refusal(response, 405) == "This address does not answer to that method."
    assert set(response.headers["Allow"].split(", ")) == allowed
    assert_hardened(response)


def test_every_kind_of_refusal_is_hardened(shared_api: Api) -> None:
    refused = [
        (401, shared_api.client.get(f"{BASE}/ping")),
        (404, shared_api.get(f"/redemptionCodes/{NOBODY}")),
        (400, shared_api.get("/redemptionCodes?cursor=x")),
        (415, shared_api("POST", "/redemptionCodes", data="label=x")),
        (422, shared_api.post("/redemptionCodes", {})),
    ]
    for status, response in refused:
        assert response.status_code == status
        assert_hardened(response)


def test_a_request_and_its_answer_have_a_name_of_their_own(shared_api: Api) -> None:
    names = {shared_api.get("/ping", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] for _ in range(5)}
    assert len(names) == 5
    assert "mine" not in names


@pytest.mark.parametrize("defect", [ZeroDivisionError("secret detail"), KeyError("secret detail"), RuntimeError("secret detail")])
def test_a_defect_is_a_500_that_tells_nothing_but_where_to_look(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch, defect: Exception
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise defect

    monkeypatch.setattr(groups, "list_page", broken)
    response = shared_api.get("/redemptionCodes")
    name = response.headers["X-Request-Id"]
    assert refusal(response, 500) == f"Something went wrong on our side; it has been logged under {name}."
    assert_hardened(response)


def test_the_driver_s_words_stay_inside(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(conn: Any, *_: Any, **__: Any) -> Any:
        conn.exec_driver_sql("SELECT 'hunter2'::integer")

    monkeypatch.setattr(groups, "list_page", broken)
    response = shared_api.get("/redemptionCodes")
    assert "hunter2" not in refusal(response, 500)
    assert shared_api.get("/ping").status_code == 200


@pytest.fixture(scope="module")
def cut_off(stores: Stores) -> Iterator[Api]:
    """The API of a service whose database and Redis are not there."""
    database = f"postgresql://mintage:hunter2@127.0.0.1:{free_port()}/mintage"
    redis = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    runtime = make_runtime(settings_for(stores, "none", database_url=database, redis_url=redis))
    yield Api(runtime, new_key(runtime.random_bytes)[1])
    runtime.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ping"),
        ("GET", "/redemptionCodes"),
        ("POST", "/redemptionCodes"),
        ("GET", f"/redemptionCodes/{NOBODY}"),
        ("GET", f"/redemptionCodes/{NOBODY}/codes/export"),
        ("PUT", f"/courses/{NOBODY}"),
    ],
)
def test_without_a_database_the_answer_is_a_503_and_when_to_come_again(cut_off: Api, method: str, path: str) -> None:
    response = cut_off(method, path, json={} if method in {"POST", "PUT"} else None)
    assert refusal(response, 503) == "The database is not reachable at the moment; please try again."
    assert response.headers["Retry-After"] == "2"
    assert_hardened(response)


def test_without_a_database_what_is_no_key_is_told_apart_all_the_same(cut_off: Api) -> None:
    """A typing error is found without asking anybody."""
    assert_unauthenticated(cut_off.get("/ping", key="mk_live_wrong"))
    assert refusal(cut_off.get("/nothing"), 404) == NOTHING_HERE


def test_a_database_that_is_away_for_a_moment_is_found_again(runtime: Runtime) -> None:
    """Connections that broke are replaced without an error that a client would see."""
    api = Api(runtime)
    assert api.get("/redemptionCodes").status_code == 200
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    with runtime.reading() as conn:
        conn.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    assert [api.get("/redemptionCodes").status_code for _ in range(3)] == [200] * 3


def test_an_application_connects_to_nothing_until_it_is_asked(cut_off: Api) -> None:
    assert create_app(cut_off.client.application.extensions["mintage.runtime"]).test_client().get("/healthz").status_code == 200
