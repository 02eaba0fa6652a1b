"""Creating, reading and following groups."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import httpx
import pytest

from mintage import Client, Conflict, Course, Group, GroupFailed, GroupStatus, Invalid, NotFound, UnexpectedAnswer, WaitTimedOut
from mintage.watching import FIRST_INTERVAL, LONGEST_INTERVAL
from tests.client.conftest import FakeTime
from tests.client.fake_service import FakeService, code_wire, group_wire, refused


def create(client: Client) -> Group:
    return client.create_group("Spring", code_length=12, total=10_000, courses=["c1"])


def test_every_field_goes_out_under_its_wire_name(client: Client, service: FakeService) -> None:
    """Dates and values of the library become what the wire wants; what was not given is not sent."""
    client.create_group(
        "Spring",
        total=5,
        code_length=12,
        client="k1",
        expiration_date=date(2030, 6, 30),
        start_date=datetime(2030, 1, 1, 8, tzinfo=UTC),
        access_days=90,
        courses=[Course("c1", "Algebra I"), "c2"],
        learning_paths=["p1"],
        usage_type="multiple",
        max_redemptions=3,
        prefix="xy",
        alphabet="digits",
        time_zone="Europe/Berlin",
    )
    assert json.loads(service.requests[0].content) == {
        "label": "Spring",
        "codeLength": 12,
        "totalCodesCount": 5,
        "client": "k1",
        "expirationDate": "2030-06-30",
        "startDate": "2030-01-01T08:00:00+00:00",
        "accessDays": 90,
        "courses": ["c1", "c2"],
        "learningPaths": ["p1"],
        "usageType": "multiple",
        "maxRedemptions": 3,
        "prefix": "xy",
        "alphabet": "digits",
        "timeZone": "Europe/Berlin",
    }


def test_a_moment_without_offset_is_refused(client: Client, service: FakeService) -> None:
    """It could be anybody's hour, so nothing is sent."""
    with pytest.raises(ValueError, match="time zone"):
        client.create_group("Spring", total=5, courses=["c1"], expiration_date=datetime(2030, 1, 1))  # noqa: DTZ001
    assert not service.requests


def test_one_id_in_place_of_a_list_is_refused(client: Client) -> None:
    """A string is a sequence of letters, which are no ids."""
    with pytest.raises(TypeError, match="list of ids"):
        client.create_group("Spring", total=5, courses="c1")


def test_a_group_comes_back_typed(client: Client, service: FakeService) -> None:
    """Times are aware, items named, and the wire's own mapping is kept."""
    wire = service.add_group(client={"id": "k1", "name": "Acme"}, startedAt="2025-06-30T12:00:01.250Z")
    group = client.get_group(wire["id"])
    assert group.status is GroupStatus.PENDING
    assert group.created_at == datetime(2025, 6, 30, 12, tzinfo=UTC)
    assert group.started_at == datetime(2025, 6, 30, 12, 0, 1, 250_000, tzinfo=UTC)
    assert [course.name for course in group.courses] == ["Algebra I"]
    assert group.client is not None
    assert group.client.name == "Acme"
    assert group.raw == wire


def test_a_field_of_a_later_version_is_no_trouble(client: Client, service: FakeService) -> None:
    """Keys that this version does not know stay in `raw`."""
    wire = service.add_group(novelty=[1])
    assert client.get_group(wire["id"]).raw["novelty"] == [1]


@pytest.mark.parametrize("wire", [{}, [], "text", group_wire(status="lost")], ids=["empty", "list", "text", "status"])
def test_an_answer_that_is_no_group_is_unexpected(client: Client, service: FakeService, wire: object) -> None:
    """The library says so instead of raising a KeyError from its depths."""
    service.first(httpx.Response(200, json=wire))
    with pytest.raises(UnexpectedAnswer):
        client.get_group("g1")


def test_an_id_cannot_leave_its_place_in_the_path(client: Client, service: FakeService) -> None:
    """Slashes and question marks in an id are escaped."""
    with pytest.raises(NotFound):
        client.get_group("../courses?x=1")
    assert service.requests[0].url.raw_path == b"/incoming/v2/redemptionCodes/..%2Fcourses%3Fx%3D1"


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("silence"), refused(503, "Away.", retry_after="1")], ids=["lost", "503"])
def test_trying_again_makes_no_second_group(client: Client, service: FakeService, trouble: httpx.Response) -> None:
    """All attempts at one group carry one idempotency key, and the next group gets another."""
    service.first(trouble)
    create(client)
    create(client)
    keys = [request.headers["Idempotency-Key"] for request in service.sent("POST")]
    assert keys[0] == keys[1] != keys[2]
    assert len(service.groups) == 2


def test_a_conflict_after_a_lost_answer_is_sat_out(client: Client, service: FakeService) -> None:
    """While the first attempt is still being accepted, the second is told 409; it has to come again."""
    service.first(httpx.ReadTimeout("silence"), refused(409, "Still being accepted."))
    assert create(client).label == "Spring"
    assert len(service.sent("POST")) == 3


def test_a_conflict_at_the_first_attempt_is_raised(client: Client, service: FakeService) -> None:
    """Nothing of ours can be in the way then."""
    service.first(refused(409, "No."))
    with pytest.raises(Conflict):
        create(client)


def test_an_own_idempotency_key_is_used(client: Client, service: FakeService) -> None:
    """A program that may be restarted names its own key."""
    for _ in range(2):
        client.create_group("Spring", total=5, courses=["c1"], idempotency_key="order-7")
    assert len(service.groups) == 1


def test_a_rule_that_is_broken_is_told_in_the_service_s_words(client: Client) -> None:
    """The sentence of the wire is the error's."""
    with pytest.raises(Invalid, match="at least one item"):
        client.create_group("Spring", total=5)


def test_lists_walk_all_pages(client: Client, service: FakeService) -> None:
    """Seven groups at three a page are three requests and seven groups, in order."""
    for number in range(7):
        service.add_group(f"Spring {number}")
    assert [group.label for group in client.groups("Spring", sort="label:asc", page_size=3)] == [f"Spring {n}" for n in range(7)]
    assert len(service.requests) == 3
    assert all(request.url.params["sort"] == "label:asc" for request in service.requests)
    assert "cursor" not in service.requests[0].url.params


def test_pages_are_fetched_as_they_are_consumed(client: Client, service: FakeService) -> None:
    """Looking at the first entry costs one request."""
    for _ in range(7):
        service.add_group()
    next(client.groups(page_size=3))
    assert len(service.requests) == 1


def test_a_list_that_never_ends_is_noticed(client: Client, service: FakeService) -> None:
    """A cursor that stays the same would be followed for ever."""
    stuck = {"redemptionCodes": [], "pageInfo": {"total": 9, "hasMore": True, "cursor": "same"}}
    service.first(*[httpx.Response(200, json=stuck) for _ in range(3)])
    with pytest.raises(UnexpectedAnswer, match="goes on"):
        list(client.groups())


def test_codes_are_walked_and_filtered(client: Client, service: FakeService) -> None:
    """Filters go out as the wire has them; every code of every page comes back."""
    group = service.add_group(created=1_234)
    codes = list(client.codes(group["id"], status="unused", active=True, query="co"))
    assert len({code.code for code in codes}) == 1_234
    assert dict(service.requests[0].url.params) == {"status": "unused", "active": "true", "query": "co", "pageSize": "500"}


def test_a_code_names_its_redeemers(client: Client, service: FakeService) -> None:
    """Who redeemed it, and when, is typed."""
    redeemer = {"id": "u1", "name": "Ann Lee", "email": "ann@example.com", "redeemedAt": "2025-07-01T08:00:00.000Z"}
    listed = {"codes": [code_wire("x", redeemedBy=[redeemer])], "pageInfo": {"total": 1, "hasMore": False, "cursor": None}}
    service.first(httpx.Response(200, json=listed))
    (code,) = client.codes("g1")
    assert code.redeemed_by[0].email == "ann@example.com"
    assert code.redeemed_by[0].redeemed_at == datetime(2025, 7, 1, 8, tzinfo=UTC)


def test_waiting_ends_with_the_completed_group(client: Client) -> None:
    """Every state that was new is shown once, the last one comes back."""
    seen: list[int] = []
    group = client.wait(create(client), on_progress=lambda state: seen.append(state.created_codes_count))
    assert group.status is GroupStatus.COMPLETED
    assert seen == [0, 4_000, 8_000, 10_000]


def test_polls_carry_the_entity_tag(client: Client, service: FakeService) -> None:
    """A poll without news is answered by an empty 304."""
    client.wait(create(client))
    polls = service.sent("GET")
    assert "If-None-Match" not in polls[0].headers
    assert all(request.headers["If-None-Match"].startswith('"') for request in polls[1:])


def test_polls_become_rarer(client: Client, service: FakeService, time: FakeTime) -> None:
    """Pauses begin at 50 ms, never shrink, and end at the second that the service asks for."""
    service.step = 100
    client.wait(create(client))
    assert time.slept[0] == FIRST_INTERVAL
    assert time.slept == sorted(time.slept)
    assert time.slept[-1] == LONGEST_INTERVAL


def test_a_shorter_retry_after_keeps_polls_frequent(client: Client, service: FakeService, time: FakeTime) -> None:
    """A service that invites polls every 0 s is polled at the first interval."""
    wire = group_wire()
    service.first(*[httpx.Response(200, json=wire, headers={"Retry-After": "0"}) for _ in range(9)])
    service.groups[wire["id"]] = wire | {"status": "completed"}
    client.wait(wire["id"])
    assert set(time.slept) == {FIRST_INTERVAL}


@pytest.mark.parametrize("fate", ["failed", "cancelled"])
def test_waiting_for_a_group_that_fails_raises_with_it(client: Client, service: FakeService, fate: str) -> None:
    """The error names the group, how far it came, and carries its last state."""
    service.fate = fate
    with pytest.raises(GroupFailed, match=fate) as caught:
        client.wait(create(client))
    assert caught.value.group.status == fate


def test_waiting_ends_in_time(client: Client, service: FakeService, time: FakeTime) -> None:
    """The error is a TimeoutError too, and comes no later than asked."""
    service.step = 0
    with pytest.raises(TimeoutError) as caught:
        client.wait(create(client), timeout=5)
    assert isinstance(caught.value, WaitTimedOut)
    assert time.now == pytest.approx(5)


def test_a_poll_outlives_a_short_absence(client: Client, service: FakeService) -> None:
    """A restart of the service does not end the wait."""
    group = create(client)
    service.first(httpx.ConnectError("refused"), refused(503, "Away.", retry_after="2"))
    assert client.wait(group).finished


def test_watching_several_groups_shows_each_to_its_end(client: Client, service: FakeService) -> None:
    """A failed group is shown like any other and does not end the watch."""
    fine, lost = service.add_group("fine"), service.add_group("lost", status="failed", error="Why.")
    final = {group.label: group.status for group in client.watch([fine["id"], lost["id"], fine["id"]])}
    assert final == {"fine": "completed", "lost": "failed"}


def test_watching_nothing_ends_at_once(client: Client, service: FakeService) -> None:
    """No groups, no requests."""
    assert list(client.watch([])) == []
    assert not service.requests


def test_waiting_for_an_unknown_group_raises(client_with: Callable[..., Client]) -> None:
    """There is nothing to wait for."""
    with pytest.raises(NotFound):
        client_with().wait("nowhere")
