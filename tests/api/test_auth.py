"""Who may do what: keys, scopes, and nothing open that is not listed as open."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from app.domain.access_keys import Scope, new_key, public_id_of
from app.factory import create_app
from app.http.auth import PUBLIC_ENDPOINTS, REMEMBERED_SECONDS, KnownKeys, scopes_of
from app.runtime import Runtime
from app.services import access_keys
from tests.api.answers import NOBODY, assert_unauthenticated, change, refusal
from tests.builders import BASE, Api, a_key

ROUTES: list[tuple[str, str, set[Scope] | None]] = [
    ("GET", "/ping", None),
    ("POST", "/redemptionCodes", {Scope.GROUPS_WRITE}),
    ("GET", "/redemptionCodes", {Scope.GROUPS_READ}),
    ("GET", f"/redemptionCodes/{NOBODY}", {Scope.GROUPS_READ}),
    ("DELETE", f"/redemptionCodes/{NOBODY}", {Scope.GROUPS_WRITE}),
    ("GET", f"/redemptionCodes/{NOBODY}/events", {Scope.GROUPS_READ}),
    ("POST", f"/redemptionCodes/{NOBODY}/cancel", {Scope.GROUPS_WRITE}),
    ("POST", f"/redemptionCodes/{NOBODY}/resume", {Scope.GROUPS_WRITE}),
    ("POST", f"/redemptionCodes/{NOBODY}/addCodes", {Scope.GROUPS_WRITE}),
    ("GET", f"/redemptionCodes/{NOBODY}/proof", {Scope.CODES_READ}),
    ("POST", "/redemptionCodes/estimate", {Scope.GROUPS_READ, Scope.GROUPS_WRITE}),
    ("GET", f"/redemptionCodes/{NOBODY}/codes", {Scope.CODES_READ}),
    ("GET", f"/redemptionCodes/{NOBODY}/codes/export", {Scope.CODES_READ}),
    ("GET", f"/clients/{NOBODY}/licenses", None),
    *[
        (method, path, scopes)
        for collection in ("courses", "bundles", "licenses", "learningPaths", "clients")
        for method, path, scopes in (
            ("GET", f"/{collection}", None),
            ("POST", f"/{collection}", {Scope.CATALOG_WRITE}),
            ("GET", f"/{collection}/{NOBODY}", None),
            ("PUT", f"/{collection}/{NOBODY}", {Scope.CATALOG_WRITE}),
            ("DELETE", f"/{collection}/{NOBODY}", {Scope.CATALOG_WRITE}),
        )
    ],
]
"""Every route of the API and the scopes that open it, besides the admin's; None where every live key will do."""


def matching(app: Any, method: str, path: str) -> str:
    return str(app.url_map.bind("localhost").match(BASE + path, method=method)[0])


def test_every_route_of_the_api_is_in_the_table(shared_api: Api) -> None:
    app = shared_api.client.application
    told = {matching(app, method, path) for method, path, _ in ROUTES}
    assert told == {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith(BASE)}


def test_every_view_requires_a_scope_or_is_listed_as_public(shared_api: Api) -> None:
    app = shared_api.client.application
    undecided = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in PUBLIC_ENDPOINTS and scopes_of(app.view_functions[rule.endpoint]) is None
    }
    assert undecided == set()


def test_nothing_below_the_api_is_public(shared_api: Api) -> None:
    rules = shared_api.client.application.url_map.iter_rules()
    assert [rule.rule for rule in rules if rule.endpoint in PUBLIC_ENDPOINTS and rule.rule.startswith(BASE)] == []


def test_everything_that_is_public_exists(shared_api: Api) -> None:
    assert shared_api.client.application.view_functions.keys() >= PUBLIC_ENDPOINTS


def test_a_view_that_says_nothing_of_scopes_is_closed(shared_runtime: Runtime) -> None:
    """Deny by default: even for an admin, because nobody has thought about it yet."""
    app = create_app(shared_runtime)
    app.add_url_rule(f"{BASE}/forgotten", "forgotten", lambda: "secret")
    client = app.test_client()
    assert_unauthenticated(client.get(f"{BASE}/forgotten"))
    key = a_key(shared_runtime)
    refusal(client.get(f"{BASE}/forgotten", headers={"Authorization": f"Bearer {key}"}), 403)


@pytest.mark.parametrize(("method", "path", "scopes"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
def test_a_route_is_opened_by_its_scopes_and_the_admin_s_alone(
    shared_api: Api, keys: dict[Scope, str], method: str, path: str, scopes: set[Scope] | None
) -> None:
    opened = {scope for scope, key in keys.items() if shared_api(method, path, key=key).status_code != 403}
    assert opened == (set(Scope) if scopes is None else {*scopes, Scope.ADMIN})
    assert_unauthenticated(shared_api.client.open(BASE + path, method=method))


@pytest.fixture(scope="module")
def keys(shared_runtime: Runtime) -> dict[Scope, str]:
    """A key for each scope."""
    return {scope: a_key(shared_runtime, scope) for scope in Scope}


def test_what_is_missing_is_named(shared_api: Api, keys: dict[Scope, str]) -> None:
    """Before the body is even read: a key without the scope learns nothing of the rules."""
    response = shared_api.post("/redemptionCodes", {"nonsense": 1}, key=keys[Scope.GROUPS_READ])
    assert refusal(response, 403) == "This API key needs the scope groups:write."


def typo(key: str) -> str:
    return key[:30] + ("a" if key[30] != "a" else "b") + key[31:]


BAD_HEADERS = {
    "nothing": "",
    "the scheme alone": "Bearer",
    "an empty key": "Bearer ",
    "no scheme": "{key}",
    "another scheme": "Token {key}",
    "basic": "Basic {basic}",
    "two keys": "Bearer {key} {key}",
    "two keys with a comma": "Bearer {key}, {key}",
    "quoted": 'Bearer "{key}"',
    "a typing error": "Bearer {typo}",
    "a part": "Bearer {part}",
    "upper case": "Bearer {upper}",
    "an unknown key": "Bearer {unknown}",
    "letters of another script": "Bearer ключ",
    "a mile of it": "Bearer " + "x" * 5000,
}


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_without_a_live_key_there_is_an_empty_401(shared_runtime: Runtime, shared_api: Api, header: str) -> None:
    key = shared_api.key
    value = header.format(
        key=key, typo=typo(key), part=key[:-1], upper=key.upper(), basic=base64.b64encode(f"key:{key}".encode()).decode(),
        unknown=new_key(shared_runtime.random_bytes)[1],
    )  # fmt: skip
    assert_unauthenticated(shared_api.client.get(f"{BASE}/ping", environ_overrides={"HTTP_AUTHORIZATION": value}))


def test_the_header_is_the_only_place_for_a_key(shared_api: Api) -> None:
    """An address ends up in log files."""
    for query in (f"?key={shared_api.key}", f"?api_key={shared_api.key}", f"?access_token={shared_api.key}"):
        assert_unauthenticated(shared_api.client.get(f"{BASE}/ping{query}"))
    shared_api.client.set_cookie("Authorization", f"Bearer {shared_api.key}")
    assert_unauthenticated(shared_api.client.get(f"{BASE}/ping"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(shared_api: Api, scheme: str) -> None:
    response = shared_api.client.get(f"{BASE}/ping", headers={"Authorization": f"{scheme}  {shared_api.key} "})
    assert (response.status_code, response.json) == (200, {"valid": True})


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    "end",
    ["revoked_at = now()", "expires_at = now()", "expires_at = now() - interval '1 year'", "key_hash = '\\x00'"],
)
def test_a_key_that_ended_is_dead_within_a_second(shared_runtime: Runtime, end: str) -> None:
    api, clock = Api(shared_runtime), Clock()
    api.client.application.extensions["mintage.known_keys"] = KnownKeys(clock)
    assert api.get("/ping").status_code == 200
    change(shared_runtime, f"UPDATE access_keys SET {end} WHERE public_id = :id", id=public_id_of(api.key))
    clock.seconds += REMEMBERED_SECONDS
    assert_unauthenticated(api.get("/ping"))


def test_a_revoked_key_is_turned_away_with_an_empty_401(shared_runtime: Runtime) -> None:
    key = a_key(shared_runtime)
    with shared_runtime.transaction() as conn:
        access_keys.revoke(conn, public_id_of(key) or "")
    assert_unauthenticated(Api(shared_runtime, key).get("/redemptionCodes"))


def test_a_key_that_will_expire_is_live(shared_runtime: Runtime) -> None:
    api = Api(shared_runtime)
    statement = "UPDATE access_keys SET expires_at = now() + interval '1 minute' WHERE public_id = :id"
    change(shared_runtime, statement, id=public_id_of(api.key))
    assert api.get("/ping").status_code == 200


def test_the_database_knows_no_key(shared_runtime: Runtime, shared_api: Api) -> None:
    """Only its public id and a hash that is worthless without the service's secret."""
    with shared_runtime.reading() as conn:
        rows = "".join(str(row) for row in conn.exec_driver_sql("SELECT * FROM access_keys"))
    public_id = public_id_of(shared_api.key) or ""
    assert public_id in rows
    assert shared_api.key[26:] not in rows
