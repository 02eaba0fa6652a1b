"""The catalog: five collections with one set of manners."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain.items import ItemKind
from app.runtime import Runtime
from tests.api.answers import NOBODY, count, refusal
from tests.builders import Api, a_client, a_group_body, a_key, an_accepted_group, an_item

COLLECTIONS = [*(kind.value for kind in ItemKind), "clients"]
SINGULAR = {kind.value: kind.singular for kind in ItemKind} | {"clients": "client"}
OWN_FIELDS: dict[str, dict[str, Any]] = {"licenses": {"client": None, "isDefault": False}, "clients": {"slug": None}}
each_collection = pytest.mark.parametrize("collection", COLLECTIONS)


def name_of(collection: str) -> str:
    """What an entry's display name is called."""
    return "title" if collection == "courses" else "name"


def an_entry(collection: str, name: str = "Algebra I", **fields: Any) -> dict[str, Any]:
    return {name_of(collection): name} | fields


def as_answered(collection: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with every field that it was not given."""
    return {"id": entry["id"], name_of(collection): entry[name_of(collection)]} | OWN_FIELDS.get(collection, {})


@each_collection
def test_an_entry_is_stored_under_a_new_id(shared_api: Api, collection: str) -> None:
    response = shared_api.post(f"/{collection}", an_entry(collection, "  Algebra I  "))
    assert response.status_code == 201
    stored = response.json
    assert UUID(stored["id"]).version == 7
    assert stored == as_answered(collection, an_entry(collection, id=stored["id"]))
    assert shared_api.get(f"/{collection}/{stored['id']}").json == stored


@each_collection
def test_an_entry_with_an_id_of_its_own_is_stored_under_it_and_changed_by_it(shared_api: Api, collection: str) -> None:
    own = str(uuid4())
    first = shared_api.post(f"/{collection}", an_entry(collection, "Before", id=own))
    again = shared_api.post(f"/{collection}", an_entry(collection, "After", id=own.upper()))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == as_answered(collection, an_entry(collection, "After", id=own))
    assert shared_api.get(f"/{collection}/{own}").json == again.json


@each_collection
def test_an_array_is_stored_at_once_and_answered_in_its_order(shared_api: Api, shared_runtime: Runtime, collection: str) -> None:
    there = str(uuid4())
    shared_api.post(f"/{collection}", an_entry(collection, "There", id=there))
    entries = [an_entry(collection, "B"), an_entry(collection, "Changed", id=there), an_entry(collection, "A")]
    response = shared_api.post(f"/{collection}", entries)
    assert response.status_code == 200
    assert list(response.json) == [collection]
    assert [entry[name_of(collection)] for entry in response.json[collection]] == ["B", "Changed", "A"]
    for entry in response.json[collection]:
        assert shared_api.get(f"/{collection}/{entry['id']}").json == entry
    assert response.json[collection][1]["id"] == there


@each_collection
def test_an_array_with_one_bad_entry_is_refused_whole(shared_api: Api, shared_runtime: Runtime, collection: str) -> None:
    table = "clients" if collection == "clients" else "catalog_items"
    before = count(shared_runtime, table)
    entries = [an_entry(collection), an_entry(collection), an_entry(collection, " "), {}]
    name = name_of(collection)
    assert refusal(shared_api.post(f"/{collection}", entries), 422) == f"Item 3: {name} must not be blank."
    assert count(shared_runtime, table) == before


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "{name} is required."),
        ({"{name}": None}, "{name} must not be null."),
        ({"{name}": ""}, "{name} must not be blank."),
        ({"{name}": 5}, "{name} must be text."),
        ({"{name}": "N" * 256}, "{name} must not be longer than 255 characters."),
        ({"{name}": "a\0b"}, "{name} must not contain control characters."),
        ({"{name}": "A", "id": "5"}, "id must be a UUID."),
        ({"{name}": "A", "id": None}, "id must not be null."),
        ({"{name}": "A", "colour": "red"}, "colour is not a field of this request."),
        ([], "An array must hold from 1 to 5,000 entries."),
        ([{"{name}": "A"}] * 5_001, "An array must hold from 1 to 5,000 entries."),
        ([{"{name}": "A"}, 5], "Item 2: The request body must be a JSON object."),
        ([[]], "Item 1: The request body must be a JSON object."),
        ("A", "The request body must be a JSON object."),
        (True, "The request body must be a JSON object."),
        ([{"{name}": "A", "id": NOBODY}] * 3, f"id {NOBODY} is given 3 times."),
    ],
)
@each_collection
def test_an_entry_that_breaks_a_rule_is_refused(shared_api: Api, collection: str, entry: Any, message: str) -> None:
    name = name_of(collection)

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(inner) for inner in value]
        return {key.format(name=name): inner for key, inner in value.items()} if isinstance(value, dict) else value

    response = shared_api("POST", f"/{collection}", json=named(entry))
    assert refusal(response, 422) == message.format(name=name)


@each_collection
def test_an_entry_is_changed_in_its_place(shared_api: Api, collection: str) -> None:
    entry = shared_api.post(f"/{collection}", an_entry(collection)).json
    path = f"/{collection}/{entry['id']}"
    response = shared_api.put(path, an_entry(collection, "Algebra II"))
    assert response.status_code == 200
    assert response.json == as_answered(collection, an_entry(collection, "Algebra II", id=entry["id"]))
    assert shared_api.get(path).json == response.json
    assert shared_api.put(path, an_entry(collection, id=entry["id"])).status_code == 200
    other = refusal(shared_api.put(path, an_entry(collection, id=NOBODY)), 422)
    assert other == "id must be the one in the address, or left out."


@each_collection
def test_an_entry_is_deleted_once(shared_api: Api, collection: str) -> None:
    path = f"/{collection}/{shared_api.post(f'/{collection}', an_entry(collection)).json['id']}"
    deleted = shared_api.delete(path)
    assert (deleted.status_code, deleted.get_data()) == (204, b"")
    refusal(shared_api.delete(path), 404)
    refusal(shared_api.get(path), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@each_collection
def test_an_unknown_entry_is_not_found(shared_api: Api, collection: str, method: str) -> None:
    body: dict[str, Any] = {"json": an_entry(collection)} if method == "PUT" else {}
    message = refusal(shared_api(method, f"/{collection}/{NOBODY}", **body), 404)
    assert message == f"There is no {SINGULAR[collection]} {NOBODY}."
    refusal(shared_api(method, f"/{collection}/nothing", **body), 404)


@pytest.mark.parametrize("kind", ItemKind)
def test_an_item_that_codes_open_is_not_deleted(shared_api: Api, shared_runtime: Runtime, kind: ItemKind) -> None:
    item = an_item(shared_runtime, kind)
    an_accepted_group(shared_runtime, items={kind: (item.id,)})
    message = refusal(shared_api.delete(f"/{kind}/{item.id}"), 409)
    assert message == f"This {kind.singular} is opened by codes and cannot be deleted."
    assert shared_api.get(f"/{kind}/{item.id}").status_code == 200


@pytest.mark.parametrize("user", ["a license", "a group", "a key"])
def test_a_client_that_something_belongs_to_is_not_deleted(shared_api: Api, shared_runtime: Runtime, user: str) -> None:
    client = a_client(shared_runtime)
    if user == "a license":
        an_item(shared_runtime, ItemKind.LICENSE, client_id=client.id)
    elif user == "a group":
        an_accepted_group(shared_runtime, client_id=client.id)
    else:
        a_key(shared_runtime, client_id=client.id)
    message = refusal(shared_api.delete(f"/clients/{client.id}"), 409)
    assert message == "This client has licenses, groups or API keys and cannot be deleted."


@each_collection
def test_a_collection_is_listed_by_name_in_pages(shared_api: Api, collection: str) -> None:
    api, name = shared_api, name_of(collection)
    names = [f"{'Abc' if number % 2 else 'aBC'} {number:02}" for number in range(25)]
    api.post(f"/{collection}", [an_entry(collection, text) for text in reversed(names)])
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/{collection}?pageSize=10&query=abc&cursor={cursor}").json
        assert list(page) == [collection, "pageInfo"]
        assert page["pageInfo"]["total"] == 25
        found += [entry[name] for entry in page[collection]]
        cursor = page["pageInfo"]["cursor"]
    assert found == names
    assert [entry[name] for entry in api.get(f"/{collection}?query=abc&sort={name}:desc").json[collection]] == names[::-1]
    assert api.get(f"/{collection}?query=%25").json["pageInfo"]["total"] == 0
    assert refusal(api.get(f"/{collection}?sort=id"), 422) == (
        f"sort must be {name} or createdAt, followed by :asc or :desc if need be."
    )


@each_collection
def test_a_renamed_entry_is_renamed_in_every_group(shared_api: Api, shared_runtime: Runtime, collection: str) -> None:
    course = str(an_item(shared_runtime).id)
    entry = shared_api.post(f"/{collection}", an_entry(collection, "Before")).json
    belongs = {"client": entry["id"]} if collection == "clients" else {collection: [entry["id"]]}
    group = shared_api.post("/redemptionCodes", a_group_body([course]) | belongs).json
    shared_api.put(f"/{collection}/{entry['id']}", an_entry(collection, "After"))
    polled = shared_api.get(f"/redemptionCodes/{group['id']}").json
    shown = polled["client"] if collection == "clients" else polled[collection][0]
    assert shown == {"id": entry["id"], name_of(collection): "After"}
