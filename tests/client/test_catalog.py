"""Loading and listing the catalog."""

from __future__ import annotations

import json

import httpx
import pytest

from mintage import CatalogClient, Client, Course, Invalid, License, UnexpectedAnswer
from tests.client.fake_service import FakeService, refused


def test_entries_come_back_as_stored(client: Client) -> None:
    """The order is the one that was sent."""
    stored = client.upsert_courses([{"title": "Algebra I"}, Course("c2", "Algebra II")])
    assert [course.title for course in stored] == ["Algebra I", "Algebra II"]
    assert stored[1].id == "c2"
    assert list(client.courses()) == stored


def test_trying_again_makes_no_second_course(client: Client, service: FakeService) -> None:
    """An entry without an id gets one before the first attempt, so that all attempts mean the same entry."""
    service.first(httpx.ReadTimeout("silence"))
    client.upsert_courses([{"title": "Algebra I"}])
    bodies = [request.content for request in service.sent("POST")]
    assert bodies[0] == bodies[1]
    assert len(service.catalog["courses"]) == 1


def test_many_go_in_batches(client: Client, service: FakeService) -> None:
    """No request carries more than 500 entries."""
    stored = client.upsert_bundles({"name": f"Bundle {number}"} for number in range(1_201))
    assert [len(json.loads(request.content)) for request in service.requests] == [500, 500, 201]
    assert [bundle.name for bundle in stored] == [f"Bundle {number}" for number in range(1_201)]


def test_snake_case_keys_and_values_of_the_library_become_wire(client: Client, service: FakeService) -> None:
    """`is_default` goes out as isDefault, a client as its id."""
    acme = client.upsert_clients([{"name": "Acme", "slug": "acme"}])[0]
    client.upsert_licenses([{"id": "l1", "name": "Main", "client": acme, "is_default": True}])
    assert service.catalog["licenses"]["l1"] == {"id": "l1", "name": "Main", "client": acme.id, "isDefault": True}
    assert list(client.licenses()) == [License("l1", "Main", acme.id, True)]


def test_a_license_may_name_its_client_in_full(client: Client, service: FakeService) -> None:
    """The service may send the client as an object."""
    wire = {"id": "l1", "name": "Main", "client": {"id": "k1", "name": "Acme"}, "isDefault": False}
    service.first(httpx.Response(200, json={"licenses": [wire]}))
    assert client.upsert_licenses([{"name": "Main"}]) == [License("l1", "Main", "k1")]


def test_learning_paths_go_to_their_own_place(client: Client, service: FakeService) -> None:
    """The collection's wire name is camel case."""
    client.upsert_learning_paths([{"name": "Data"}])
    assert [path.name for path in client.learning_paths("Da", page_size=7)] == ["Data"]
    assert service.requests[-1].url.path == "/incoming/v2/learningPaths"
    assert dict(service.requests[-1].url.params) == {"query": "Da", "pageSize": "7"}


def test_nothing_to_load_asks_nothing(client: Client, service: FakeService) -> None:
    """An empty list is no request."""
    assert client.upsert_clients([]) == []
    assert not service.requests


def test_an_answer_with_fewer_entries_is_noticed(client: Client, service: FakeService) -> None:
    """What was not stored is not passed over in silence."""
    service.first(httpx.Response(200, json={"courses": []}))
    with pytest.raises(UnexpectedAnswer, match="1 courses"):
        client.upsert_courses([{"title": "Algebra I"}])


def test_a_refusal_is_raised(client: Client, service: FakeService) -> None:
    """The service's sentence comes through."""
    service.first(refused(422, "slug: only a-z, 0-9 and hyphens."))
    with pytest.raises(Invalid, match="slug"):
        client.upsert_clients([CatalogClient("k1", "Acme", "A B")])
