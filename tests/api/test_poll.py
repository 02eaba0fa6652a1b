"""Polling a group: what changes, what does not, and when to come again."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import pytest

from app.domain.items import Item
from app.http.waiting import MOST_WAITING, waiting_room
from app.runtime import Runtime, make_runtime
from tests.api.answers import NOBODY, a_finished_group, change, groups_to_be_made, make_next_chunk, refusal
from tests.builders import Api, a_group_body, an_accepted_group, an_item
from tests.recorder import recorded


def test_a_group_is_polled_from_pending_to_completed(shared_api: Api, shared_runtime: Runtime) -> None:
    group = an_accepted_group(shared_runtime, total_codes_count=30, chunk_size=10)
    seen = [shared_api.get(f"/redemptionCodes/{group.id}")]
    while make_next_chunk(shared_runtime, group.id):
        seen.append(shared_api.get(f"/redemptionCodes/{group.id}"))
    told = [(poll.json["status"], poll.json["createdCodesCount"], poll.headers.get("Retry-After")) for poll in seen]
    assert told == [("pending", 0, "1"), ("processing", 10, "1"), ("processing", 20, "1"), ("completed", 30, None)]
    assert [poll.json["progress"] for poll in seen] == [0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1]
    assert [poll.json["startedAt"] is not None for poll in seen] == [False, True, True, True]
    assert [poll.json["finishedAt"] is not None for poll in seen] == [False, False, False, True]
    assert len({poll.headers["ETag"] for poll in seen}) == len(seen)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_finished_group_asks_nobody_to_come_again(shared_api: Api, shared_runtime: Runtime, status: str) -> None:
    group = a_finished_group(shared_runtime)
    change(shared_runtime, "UPDATE code_groups SET status = :status WHERE id = :id", status=status, id=group.id)
    assert "Retry-After" not in shared_api.get(f"/redemptionCodes/{group.id}").headers


def test_nothing_is_sent_again_until_something_changes(shared_api: Api, shared_runtime: Runtime) -> None:
    group = an_accepted_group(shared_runtime, total_codes_count=20, chunk_size=10)
    path = f"/redemptionCodes/{group.id}"
    tag = shared_api.get(path).headers["ETag"]
    unchanged = shared_api.get(path, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.get_data()) == (304, b"")
    assert unchanged.headers["ETag"] == tag
    make_next_chunk(shared_runtime, group.id)
    changed = shared_api.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json["createdCodesCount"]) == (200, 10)
    assert changed.headers["ETag"] != tag


@pytest.mark.parametrize("tags", ['"other"', '"a", "b"', "nonsense", ""])
def test_other_tags_get_the_whole_group(shared_api: Api, shared_runtime: Runtime, tags: str) -> None:
    group = an_accepted_group(shared_runtime)
    assert shared_api.get(f"/redemptionCodes/{group.id}", headers={"If-None-Match": tags}).status_code == 200


def test_a_poll_may_be_kept_only_by_the_client_and_must_be_asked_again(shared_api: Api, shared_runtime: Runtime) -> None:
    assert (
        shared_api.get(f"/redemptionCodes/{an_accepted_group(shared_runtime).id}").headers["Cache-Control"] == "private, no-cache"
    )


def test_an_unknown_group_is_not_found(shared_api: Api) -> None:
    assert refusal(shared_api.get(f"/redemptionCodes/{NOBODY}"), 404) == f"There is no redemption code group {NOBODY}."


@pytest.mark.parametrize("group_id", ["1", "undefined", NOBODY[:-1], NOBODY + "0", NOBODY.replace("-", ""), "%00", "..", "é"])
def test_an_id_that_is_none_is_not_found(shared_api: Api, group_id: str) -> None:
    refusal(shared_api.get(f"/redemptionCodes/{group_id}"), 404)


def test_a_poll_costs_the_same_however_large_the_group_is(shared_api: Api, shared_runtime: Runtime) -> None:
    """However many items and chunks it has, and without counting a single code."""
    items = [an_item(shared_runtime, name=f"Course {number}") for number in range(20)]
    large = an_accepted_group(
        shared_runtime, total_codes_count=1000, chunk_size=10, items={items[0].kind: tuple(item.id for item in items)}
    )
    costs = []
    for group in (an_accepted_group(shared_runtime, total_codes_count=1), large):
        api = Api(shared_runtime)
        with recorded(shared_runtime.engine) as statements:
            assert api.get(f"/redemptionCodes/{group.id}").status_code == 200
        costs.append(len(statements))
    assert costs == [3, 3], "the key, its use and the group"


def wait_for(api: Api, course: Item, preference: str) -> Any:
    return api.post("/redemptionCodes", a_group_body([course.id]), headers={"Prefer": preference})


class Worker(threading.Thread):
    """Makes the chunks of every group as soon as it is accepted, as a worker process would."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(daemon=True)
        self._runtime, self._ended = runtime, threading.Event()

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        while not self._ended.wait(0.01):
            for group_id in groups_to_be_made(self._runtime):
                make_next_chunk(self._runtime, group_id)


@pytest.mark.parametrize(
    "preference", ["wait=20", "respond-async, wait=20", 'wait="20"', "wait=99999999999", "wait=" + "9" * 5000]
)
def test_a_client_that_would_wait_gets_the_finished_group(
    shared_api: Api, shared_runtime: Runtime, course: Item, preference: str
) -> None:
    with Worker(shared_runtime):
        response = wait_for(shared_api, course, preference)
    assert (response.status_code, response.json["status"], response.json["createdCodesCount"]) == (201, "completed", 10)
    assert response.headers["Preference-Applied"] in {"wait=20", "wait=30"}
    assert response.headers["Location"] == f"/incoming/v2/redemptionCodes/{response.json['id']}"
    assert "Retry-After" not in response.headers


def test_a_client_that_waited_in_vain_polls_on(shared_api: Api, course: Item) -> None:
    response = wait_for(shared_api, course, "wait=1")
    assert (response.status_code, response.json["status"]) == (202, "pending")
    assert (response.headers["Preference-Applied"], response.headers["Retry-After"]) == ("wait=1", "1")


@pytest.mark.parametrize(
    "preference", ["", "wait", "wait=", "wait=0", "wait=-1", "wait=1.5", "wait=soon", "wait=²", "weight=5", ";,="]
)
def test_a_preference_that_is_none_is_ignored(shared_api: Api, course: Item, preference: str) -> None:
    response = wait_for(shared_api, course, preference)
    assert response.status_code == 202
    assert "Preference-Applied" not in response.headers


def test_those_who_wait_never_take_every_thread(shared_api: Api, course: Item) -> None:
    """Where all places to wait are taken, the preference is ignored and the answer comes at once."""
    with ExitStack() as room:
        for _ in range(MOST_WAITING):
            assert room.enter_context(waiting_room(1)) == 1
        response = wait_for(shared_api, course, "wait=30")
        assert response.status_code == 202
        assert "Preference-Applied" not in response.headers
    with waiting_room(1) as seconds:
        assert seconds == 1


def test_who_waits_holds_no_connection(runtime: Runtime) -> None:
    """With a single connection for both, the worker can make what the client is waiting for."""
    narrow = make_runtime(runtime.settings, pool_size=1)
    try:
        with Worker(narrow):
            assert wait_for(Api(narrow), an_item(narrow), "wait=20").status_code == 201
    finally:
        narrow.close()
