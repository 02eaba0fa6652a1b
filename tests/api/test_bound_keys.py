"""Keys that are bound to a client, and blind to every other client's groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from app.domain.access_keys import Scope
from app.domain.items import Client, Item, ItemKind
from app.runtime import Runtime
from tests.api.answers import a_finished_group, count, refusal
from tests.builders import Api, a_client, a_group_body, a_key, an_item


@dataclass(frozen=True)
class World:
    """Two clients and nobody, each with a group; a key of the first client."""

    ours: Client
    theirs: Client
    api: Api
    groups: dict[str, str]


@pytest.fixture(scope="module")
def world(shared_runtime: Runtime) -> World:
    ours, theirs = a_client(shared_runtime, "Ours"), a_client(shared_runtime, "Theirs")
    groups = {
        "ours": a_finished_group(shared_runtime, label="Ours", client_id=ours.id),
        "theirs": a_finished_group(shared_runtime, label="Theirs", client_id=theirs.id),
        "nobody's": a_finished_group(shared_runtime, label="Nobody's"),
    }
    api = Api(shared_runtime, a_key(shared_runtime, Scope.ADMIN, client_id=ours.id))
    return World(ours, theirs, api, {name: str(group.id) for name, group in groups.items()})


CHANGES: list[tuple[str, str, Any]] = [
    ("POST", "/cancel", {}),
    ("POST", "/resume", None),
    ("POST", "/addCodes", {"additionalCodesCount": 1}),
    ("DELETE", "", None),
]
PATHS = ["", "/codes", "/codes/export", "/proof", "/events"]


@pytest.mark.parametrize("path", PATHS)
def test_its_own_client_s_groups_are_there(world: World, path: str) -> None:
    with world.api.get(f"/redemptionCodes/{world.groups['ours']}{path}") as response:
        assert response.status_code == 200


@pytest.mark.parametrize("owner", ["theirs", "nobody's"])
@pytest.mark.parametrize("path", PATHS)
def test_others_groups_do_not_exist(world: World, path: str, owner: str) -> None:
    group_id = world.groups[owner]
    message = refusal(world.api.get(f"/redemptionCodes/{group_id}{path}"), 404)
    assert message == f"There is no redemption code group {group_id}."


@pytest.mark.parametrize("owner", ["theirs", "nobody's"])
@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_others_groups_cannot_be_changed(world: World, shared_api: Api, owner: str, method: str, path: str, body: Any) -> None:
    group_id = world.groups[owner]
    before = shared_api.get(f"/redemptionCodes/{group_id}").json
    refusal(world.api(method, f"/redemptionCodes/{group_id}{path}", json=body), 404)
    assert shared_api.get(f"/redemptionCodes/{group_id}").json == before


def test_a_list_holds_its_own_client_s_groups_alone(world: World, shared_api: Api) -> None:
    page = world.api.get("/redemptionCodes").json
    assert {group["client"]["name"] for group in page["redemptionCodes"]} == {"Ours"}
    assert page["pageInfo"]["total"] == len(page["redemptionCodes"])
    assert shared_api.get("/redemptionCodes").json["pageInfo"]["total"] >= 3
    assert world.api.get("/redemptionCodes?query=theirs").json["pageInfo"]["total"] == 0


def test_it_makes_groups_for_its_own_client(world: World, course: Item) -> None:
    response = world.api.post("/redemptionCodes", a_group_body([course.id], client=str(world.ours.id)))
    assert (response.status_code, response.json["client"]["name"]) == (202, "Ours")


@pytest.mark.parametrize("client", ["theirs", None])
def test_it_makes_no_groups_for_anybody_else(world: World, shared_runtime: Runtime, course: Item, client: str | None) -> None:
    before = count(shared_runtime, "code_groups")
    body = a_group_body([course.id], client=client and str(world.theirs.id))
    assert refusal(world.api.post("/redemptionCodes", body), 403) == (
        f"This API key may create groups only for its own client: client must be {world.ours.id}."
    )
    assert count(shared_runtime, "code_groups") == before


def test_it_opens_no_license_of_anybody_else(world: World, shared_runtime: Runtime) -> None:
    foreign = an_item(shared_runtime, ItemKind.LICENSE, "Foreign", client_id=world.theirs.id)
    body = a_group_body([], client=str(world.ours.id), licenses=[str(foreign.id)])
    assert "does not belong to client" in refusal(world.api.post("/redemptionCodes", body), 422)


def test_it_sees_its_own_client_alone(world: World) -> None:
    assert [client["name"] for client in world.api.get("/clients").json["clients"]] == ["Ours"]
    assert world.api.get(f"/clients/{world.ours.id}").status_code == 200
    assert world.api.get(f"/clients/{world.ours.id}/licenses").status_code == 200
    for path in (f"/clients/{world.theirs.id}", f"/clients/{world.theirs.id}/licenses"):
        assert refusal(world.api.get(path), 404) == f"There is no client {world.theirs.id}."
