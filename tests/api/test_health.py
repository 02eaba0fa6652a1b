"""Whether the service is there and able, and the page that explains it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.items import Item
from app.local.ports import free_port
from app.runtime import Runtime, make_runtime
from app.store.queries import workers
from tests.api.answers import assert_unauthenticated, change
from tests.builders import BASE, Api, a_group_body
from tests.stores import Stores, settings_for

CHECKS = {"database", "redis", "broker", "migrations", "workers"}


def test_ping_tells_that_a_key_works(shared_api: Api) -> None:
    response = shared_api.get("/ping")
    assert (response.status_code, response.json) == (200, {"valid": True})
    assert_unauthenticated(shared_api.client.get(f"{BASE}/ping"))


def test_a_process_that_runs_says_so_to_anybody(shared_api: Api) -> None:
    response = shared_api.client.get("/healthz")
    assert (response.status_code, response.json) == (200, {"alive": True})


def ready(api: Api) -> tuple[int, dict[str, bool], Any]:
    """The answer of /readyz: status, what each check says, and the answer itself."""
    response: Any = api.client.get("/readyz")
    checks = {check["name"]: check["ok"] for check in response.json["checks"]}
    assert response.json["ready"] == all(checks.values()) == (response.status_code == 200)
    assert all(check["detail"] for check in response.json["checks"])
    return response.status_code, checks, response


def staff(runtime: Runtime) -> None:
    """Makes a service complete: a worker has just reported itself."""
    with runtime.transaction() as conn:
        workers.report(conn, workers.Worker(name="w", host="h", pid=1, queues=("q",), concurrency=1, chunks_done=0))


def test_a_complete_service_is_ready(shared_runtime: Runtime, shared_api: Api) -> None:
    staff(shared_runtime)
    assert ready(shared_api)[:2] == (200, dict.fromkeys(CHECKS, True))


@pytest.mark.parametrize(
    ("failing", "break_it"),
    [
        ("workers", "DELETE FROM workers"),
        ("workers", "UPDATE workers SET seen_at = now() - interval '31 seconds'"),
        ("migrations", "UPDATE alembic_version SET version_num = '0000'"),
        ("migrations", "DROP TABLE alembic_version"),
    ],
)
def test_a_service_that_lacks_something_is_not_ready_and_names_it(runtime: Runtime, failing: str, break_it: str) -> None:
    api = Api(runtime)
    staff(runtime)
    change(runtime, break_it)
    status, checks, response = ready(api)
    assert (status, checks[failing], response.headers["Retry-After"]) == (503, False, "2")
    assert {name for name, ok in checks.items() if not ok} <= {failing, "workers"}
    assert checks.keys() == CHECKS


@pytest.fixture
def broken(shared_runtime: Runtime, shared_api: Api, stores: Stores, request: pytest.FixtureRequest) -> Iterator[Api]:
    """The API of a complete service, but for the one server that is not there."""
    staff(shared_runtime)
    setting, url = request.param
    database = shared_runtime.settings.database_url.get_secret_value().rpartition("/")[2]
    runtime = make_runtime(settings_for(stores, database, **{setting: url.format(port=free_port())}))
    yield Api(runtime, shared_api.key)
    runtime.close()


REDIS = "redis://:hunter2@127.0.0.1:{port}/0"
RABBIT = "amqp://guest:hunter2@127.0.0.1:{port}//"
POSTGRES = "postgresql://mintage:hunter2@127.0.0.1:{port}/mintage"


@pytest.mark.parametrize(
    ("broken", "failing"),
    [
        pytest.param(("redis_url", REDIS), {"redis", "broker"}, id="redis, which is the broker too"),
        pytest.param(("celery_broker_url", REDIS), {"broker"}, id="a broker of its own"),
        pytest.param(("celery_broker_url", RABBIT), {"broker"}, id="rabbitmq"),
        pytest.param(("database_url", POSTGRES), {"database"}, id="the database"),
    ],
    indirect=["broken"],
)
def test_a_server_that_is_away_is_named_and_nothing_else_is_told(broken: Api, failing: set[str]) -> None:
    status, checks, response = ready(broken)
    assert (status, {name for name, ok in checks.items() if not ok}) == (503, failing)
    told = response.get_data(as_text=True)
    assert not any(secret in told for secret in ("hunter2", "127.0.0.1", "Error", "refused"))


@pytest.mark.parametrize("broken", [pytest.param(("redis_url", REDIS), id="redis")], indirect=True)
def test_without_redis_groups_are_accepted_and_polled(broken: Api, course: Item) -> None:
    """Redis makes collisions cheap; the API needs none of it."""
    accepted = broken.post("/redemptionCodes", a_group_body([course.id]))
    assert accepted.status_code == 202
    assert broken.get("/" + accepted.headers["Location"]).json == accepted.json


@pytest.fixture(scope="module")
def page(shared_api: Api) -> Any:
    return shared_api.client.get("/docs")


def test_the_page_is_open_to_anybody_and_allows_nothing_but_its_own(page: Any) -> None:
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe-eval" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def addresses(text: str) -> set[str]:
    """Everything that a page or its script loads."""
    return set(re.findall(r"""(?:src=|href=|url: )"([^"]*)\"""", text))


def test_the_page_refers_to_no_other_host(shared_api: Api, page: Any) -> None:
    for text in (page.text, shared_api.client.get("/docs/start.js").text):
        assert "//" not in text
    assert "<script>" not in page.text, "its policy would refuse inline scripts"


def test_everything_the_page_names_is_there(shared_api: Api, page: Any) -> None:
    named = addresses(page.text) | addresses(shared_api.client.get("/docs/start.js").text)
    assert {name.rpartition(".")[2] for name in named} == {"png", "css", "js", "json"}
    for name in named:
        with shared_api.client.get(f"/{name}") as response:
            assert response.status_code == 200, name
            assert len(response.get_data()) > 100


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("/docs/start.js", "text/javascript; charset=utf-8"),
        ("/docs/assets/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/assets/swagger-ui.css", "text/css; charset=utf-8"),
        ("/openapi.json", "application/json"),
    ],
)
def test_assets_are_of_the_type_that_nosniff_demands(shared_api: Api, name: str, content_type: str) -> None:
    with shared_api.client.get(name) as response:
        assert response.content_type == content_type


@pytest.mark.parametrize("name", ["nothing.js", "../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "."])
def test_nothing_else_is_given_away_as_an_asset(shared_api: Api, name: str) -> None:
    assert shared_api.client.get(f"/docs/assets/{name}").status_code == 404
