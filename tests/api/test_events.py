"""The progress of a group, pushed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.api import events
from app.domain.groups import Group
from app.domain.progress import NO_WORKER
from app.http.waiting import MOST_WATCHING
from app.runtime import Runtime
from app.services import issuance
from tests.builders import BASE, Api, an_accepted_group


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)


def open_stream(api: Api, group: Group) -> Any:
    headers = {"Authorization": f"Bearer {api.key}"}
    return api.client.get(f"{BASE}/redemptionCodes/{group.id}/events", headers=headers, buffered=False)


def progress_of(stream: Any) -> Iterator[dict[str, Any]]:
    """The data of each event as it comes."""
    for block in stream.iter_encoded():
        for line in block.decode().splitlines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def chunk_ids(runtime: Runtime, group: Group) -> list[int]:
    with runtime.reading() as conn:
        return list(conn.execute(text("SELECT id FROM chunks WHERE group_id = :id ORDER BY id"), {"id": group.id}).scalars())


def test_every_change_is_told_until_the_group_is_completed(runtime: Runtime) -> None:
    group = an_accepted_group(runtime, total_codes_count=30, chunk_size=10)
    with open_stream(Api(runtime), group) as stream:
        assert stream.content_type == "text/event-stream; charset=utf-8"
        told = progress_of(stream)
        seen = [next(told)]
        for chunk_id in chunk_ids(runtime, group):
            issuance.make_chunk(runtime.issuance("w"), chunk_id)
            seen.append(next(told))
        assert list(told) == []
    assert [(event["status"], event["createdCodesCount"]) for event in seen] == [
        ("pending", 0),
        ("processing", 10),
        ("processing", 20),
        ("completed", 30),
    ]
    assert seen[0]["codesPerSecond"] is None
    assert seen[1]["codesPerSecond"] > 0
    assert seen[1]["remainingSeconds"] is not None
    assert (seen[-1]["remainingSeconds"], seen[-1]["progress"], seen[-1]["stalled"]) == (0, 1, False)


def test_a_finished_group_is_told_once(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    issuance.make_chunk(runtime.issuance("w"), chunk_ids(runtime, group)[0])
    with open_stream(Api(runtime), group) as stream:
        assert [event["status"] for event in progress_of(stream)] == ["completed"]


def test_a_group_that_does_not_move_is_told_as_stalled_with_the_reason(runtime: Runtime) -> None:
    group = an_accepted_group(runtime)
    with runtime.transaction() as conn:
        conn.execute(text("UPDATE code_groups SET progressed_at = clock_timestamp() - interval '31 seconds'"))
    with open_stream(Api(runtime), group) as stream:
        event = next(progress_of(stream))
    assert (event["stalled"], event["reason"]) == (True, NO_WORKER)


def test_watchers_are_bounded_and_a_place_comes_free_when_one_leaves(runtime: Runtime) -> None:
    group, api = an_accepted_group(runtime), Api(runtime)
    streams = [open_stream(api, group) for _ in range(MOST_WATCHING)]
    refused = open_stream(api, group)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert "poll the group instead" in refused.get_json()["errors"][0]
    streams.pop().close()
    with open_stream(api, group) as admitted:
        assert admitted.status_code == 200
    for stream in streams:
        stream.close()


def test_an_unknown_group_is_a_404_and_not_a_stream(runtime: Runtime) -> None:
    assert Api(runtime).get("/redemptionCodes/00000000-0000-0000-0000-000000000000/events").status_code == 404
