"""What only licenses and clients have: owners, main licenses, slugs."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from app.domain.items import Client
from app.runtime import Runtime
from tests.api.answers import NOBODY, refusal
from tests.builders import Api, a_client


@pytest.fixture
def client(shared_runtime: Runtime) -> Client:
    return a_client(shared_runtime)


def save(api: Api, name: str, client: Client, **fields: Any) -> dict[str, Any]:
    return dict(api.post("/licenses", {"name": name, "client": str(client.id)} | fields).json)


def licenses_of(api: Api, client: Client) -> list[tuple[str, bool]]:
    response = api.get(f"/clients/{client.id}/licenses")
    assert list(response.json) == ["licenses"]
    return [(entry["name"], entry["isDefault"]) for entry in response.json["licenses"]]


def test_a_client_s_licenses_come_with_the_main_one_first(shared_api: Api, client: Client) -> None:
    for name in ("b", "Main", "A", "c"):
        save(shared_api, name, client, isDefault=name == "Main")
    assert licenses_of(shared_api, client) == [("Main", True), ("A", False), ("b", False), ("c", False)]


def test_a_client_without_licenses_has_an_empty_list(shared_api: Api, client: Client) -> None:
    assert licenses_of(shared_api, client) == []
    assert refusal(shared_api.get(f"/clients/{NOBODY}/licenses"), 404) == f"There is no client {NOBODY}."


def test_a_client_has_one_main_license(shared_api: Api, shared_runtime: Runtime, client: Client) -> None:
    other = a_client(shared_runtime, "Other")
    save(shared_api, "Theirs", other, isDefault=True)
    save(shared_api, "First", client, isDefault=True)
    save(shared_api, "Second", client, isDefault=True)
    assert licenses_of(shared_api, client) == [("Second", True), ("First", False)]
    assert licenses_of(shared_api, other) == [("Theirs", True)]


def test_of_several_main_licenses_in_one_array_the_last_one_counts(shared_api: Api, client: Client) -> None:
    entries = [{"id": str(uuid4()), "name": name, "client": str(client.id), "isDefault": True} for name in ("a", "b", "c")]
    assert shared_api.post("/licenses", entries).status_code == 200
    assert licenses_of(shared_api, client) == [("c", True), ("a", False), ("b", False)]


def test_the_answer_tells_the_licenses_as_they_are_stored(shared_api: Api, client: Client) -> None:
    entries = [{"id": str(uuid4()), "name": name, "client": str(client.id), "isDefault": True} for name in ("a", "b")]
    answered = shared_api.post("/licenses", entries).json["licenses"]
    assert answered == [shared_api.get(f"/licenses/{entry['id']}").json for entry in entries]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"client": NOBODY}, f"client {NOBODY} does not exist."),
        ({"client": "acme"}, "client must be a UUID."),
        ({"isDefault": True}, "isDefault needs a client."),
        ({"isDefault": True, "client": None}, "isDefault needs a client."),
        ({"isDefault": "true"}, "isDefault must be true or false."),
        ({"isDefault": 1}, "isDefault must be true or false."),
        ({"isDefault": []}, "isDefault must be true or false."),
        ({"isDefault": None}, "isDefault must not be null."),
        ({"slug": "a"}, "slug is not a field of this request."),
    ],
)
def test_a_license_that_breaks_a_rule_is_refused(shared_api: Api, fields: dict[str, Any], message: str) -> None:
    assert refusal(shared_api.post("/licenses", {"name": "License"} | fields), 422) == message


@pytest.mark.parametrize("field", ["client", "isDefault", "slug"])
@pytest.mark.parametrize("collection", ["courses", "bundles", "learningPaths"])
def test_other_items_have_no_owner(shared_api: Api, collection: str, field: str) -> None:
    body = {"title" if collection == "courses" else "name": "A", field: None}
    assert refusal(shared_api.post(f"/{collection}", body), 422) == f"{field} is not a field of this request."


@pytest.mark.parametrize("slug", ["a", "0", "acme-academy", "a" * 63, "a-", "xn--mnchen-3ya"])
def test_a_slug_is_kept(shared_api: Api, slug: str) -> None:
    client = shared_api.post("/clients", {"name": "Acme", "slug": slug})
    assert (client.status_code, client.json["slug"]) == (201, slug)
    assert shared_api.get(f"/clients/{client.json['id']}").json["slug"] == slug


BAD_SLUG = "slug may hold only a-z, 0-9 and hyphens, at most 63 of them, and must not begin with a hyphen."


@pytest.mark.parametrize("slug", ["", "-a", "A", "a_b", "a b", "ä", "a" * 64, "a\n", "a/b", "a.b"])
def test_another_slug_is_refused(shared_api: Api, slug: str) -> None:
    assert refusal(shared_api.post("/clients", {"name": "Acme", "slug": slug}), 422) == BAD_SLUG


@pytest.mark.parametrize("slug", [5, True, []])
def test_a_slug_is_text(shared_api: Api, slug: Any) -> None:
    assert refusal(shared_api.post("/clients", {"name": "Acme", "slug": slug}), 422) == "slug must be text."


def test_a_slug_belongs_to_one_client(shared_api: Api, shared_runtime: Runtime) -> None:
    owner = a_client(shared_runtime, slug="taken")
    other = a_client(shared_runtime)
    message = "slug taken belongs to another client."
    assert refusal(shared_api.post("/clients", {"name": "Thief", "slug": "taken"}), 409) == message
    assert refusal(shared_api.put(f"/clients/{other.id}", {"name": "Thief", "slug": "taken"}), 409) == message
    assert shared_api.put(f"/clients/{owner.id}", {"name": "Owner", "slug": "taken"}).status_code == 200


def test_a_slug_given_twice_in_one_array_is_refused(shared_api: Api) -> None:
    entries = [{"name": "One", "slug": "twice"}, {"name": "Two", "slug": "twice"}]
    assert refusal(shared_api.post("/clients", entries), 422) == "slug must be different for every client."


def test_a_slug_that_was_given_up_is_free(shared_api: Api, shared_runtime: Runtime) -> None:
    owner = a_client(shared_runtime, slug="given-up")
    shared_api.put(f"/clients/{owner.id}", {"name": "Owner"})
    assert shared_api.post("/clients", {"name": "Heir", "slug": "given-up"}).status_code == 201


def test_many_clients_may_be_without_a_slug(shared_api: Api) -> None:
    assert shared_api.post("/clients", [{"name": "One"}, {"name": "Two", "slug": None}]).status_code == 200
