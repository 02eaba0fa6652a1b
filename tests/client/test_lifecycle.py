"""Cancelling, resuming, extending, deleting and proving groups, and estimating codes."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from mintage import Client, Conflict, Estimate, Group, GroupStatus, Invalid, NotFound, Proof, UnexpectedAnswer
from tests.client.conftest import FakeTime
from tests.client.fake_service import FakeService, estimate_wire, refused

CALLS: dict[str, tuple[Callable[[Client, str], Group], str]] = {
    "resume": (lambda client, group: client.resume_group(group), "failed"),
    "addCodes": (lambda client, group: client.add_codes(group, 500), "completed"),
}
"""What is carried out once, and a status in which it can be."""


@pytest.mark.parametrize(("discard", "sent", "left"), [(False, "keep", 4_000), (True, "discard", 7)])
def test_cancelling_keeps_or_discards(client: Client, service: FakeService, discard: bool, sent: str, left: int) -> None:
    """What becomes of the codes is said in so many words; redeemed ones stay either way."""
    wire = service.add_group(created=4_000, status="processing", redeemedCodesCount=7)
    group = client.cancel_group(wire["id"], discard)
    assert (group.status, group.created_codes_count) == (GroupStatus.CANCELLED, left)
    assert json.loads(service.requests[0].content) == {"codes": sent}


@pytest.mark.parametrize("discard", [False, True])
def test_a_cancelling_whose_answer_is_lost_is_found_done(client: Client, service: FakeService, discard: bool) -> None:
    """The second attempt is refused because the first one was carried out, which is what was wanted."""
    wire = service.add_group(created=4_000, status="processing")
    service.losing = 1
    assert client.cancel_group(wire["id"], discard).status is GroupStatus.CANCELLED
    assert len(service.sent("POST", "/cancel")) == 2


def test_a_cancelling_by_somebody_else_is_not_ours(client: Client, service: FakeService) -> None:
    """Codes that were to be discarded and are still there are no success, whatever was lost."""
    wire = service.add_group(created=4_000, status="cancelled")
    service.first(httpx.ReadTimeout("silence"))
    with pytest.raises(Conflict, match="is cancelled"):
        client.cancel_group(wire["id"], discard=True)


def test_a_finished_group_is_not_cancelled(client: Client, service: FakeService) -> None:
    """The service's sentence names the state; a lost answer does not hide it."""
    wire = service.add_group(created=10_000, status="completed")
    for trouble in ([], [httpx.ReadTimeout("silence")]):
        service.first(*trouble)
        with pytest.raises(Conflict, match="This group is completed"):
            client.cancel_group(wire["id"])


def test_a_cancelled_group_is_resumed_to_its_end(client: Client, service: FakeService) -> None:
    """It comes back pending, and is waited for like a new one."""
    wire = service.add_group(created=4_000, status="cancelled")
    group = client.resume_group(wire["id"])
    assert group.status is GroupStatus.PENDING
    assert client.wait(group).created_codes_count == 10_000


def test_codes_are_added(client: Client, service: FakeService) -> None:
    """The group comes back pending, with its new total."""
    group = client.get_group(service.add_group(total=5_000, created=5_000, status="completed")["id"])
    extended = client.add_codes(group, 500)
    assert (extended.status, extended.total_codes_count) == (GroupStatus.PENDING, 5_500)
    assert client.wait(extended).created_codes_count == 5_500


@pytest.mark.parametrize("name", CALLS)
def test_what_is_carried_out_once_has_one_key(client: Client, service: FakeService, name: str) -> None:
    """All attempts carry the same key, so a lost answer changes nothing; the next call carries another."""
    call, status = CALLS[name]
    wire = service.add_group(total=5_000, created=5_000, status=status)
    service.losing = 1
    assert call(client, wire["id"]).total_codes_count == (5_500 if name == "addCodes" else 5_000)
    with pytest.raises(Conflict):
        call(client, wire["id"])
    keys = [request.headers["Idempotency-Key"] for request in service.sent("POST", name)]
    assert keys[0] == keys[1] != keys[2]


def test_own_keys_are_used(client: Client, service: FakeService) -> None:
    """A program that may be restarted adds once, and is told the same twice."""
    wire = service.add_group(total=10, created=10, status="completed")
    assert [client.add_codes(wire["id"], 5, "order-8").total_codes_count for _ in range(2)] == [15, 15]
    service.groups[wire["id"]]["status"] = "failed"
    assert [client.resume_group(wire["id"], "again-8").status for _ in range(2)] == ["pending", "pending"]


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError("refused"), refused(429, "Slow down.", retry_after="1")], ids=["away", "429"]
)
def test_a_conflict_after_an_attempt_that_was_never_carried_out_is_raised(
    client: Client, service: FakeService, time: FakeTime, trouble: httpx.Response
) -> None:
    """Nothing of ours can be in the way, so the group's state is told at once."""
    wire = service.add_group(status="processing")
    service.first(trouble)
    with pytest.raises(Conflict):
        client.resume_group(wire["id"])
    assert len(time.slept) == 1


def test_a_group_is_deleted(client: Client, service: FakeService) -> None:
    """It is not there any more, and deleting it again says so."""
    wire = service.add_group(created=4_000)
    client.delete_group(client.get_group(wire["id"]))
    with pytest.raises(NotFound):
        client.delete_group(wire["id"])


def test_a_deletion_whose_answer_is_lost_is_found_done(client: Client, service: FakeService) -> None:
    """That the group is gone at the second attempt is what was wanted."""
    wire = service.add_group()
    service.losing = 1
    client.delete_group(wire["id"])
    assert len(service.sent("DELETE")) == 2
    assert not service.groups


def test_a_group_that_never_was_is_not_found_whatever_the_weather(client: Client, service: FakeService) -> None:
    """An attempt that never reached the service cannot have deleted anything."""
    service.first(httpx.ConnectError("refused"))
    with pytest.raises(NotFound):
        client.delete_group("nowhere")


def test_a_group_with_redeemed_codes_stays(client: Client, service: FakeService) -> None:
    """The sentence of the wire says what to do instead."""
    wire = service.add_group(redeemedCodesCount=1)
    with pytest.raises(Conflict, match="deactivate"):
        client.delete_group(wire["id"])


def test_a_proof_comes_back_typed(client: Client, service: FakeService) -> None:
    """Its numbers are the service's, and the wire's own mapping is kept."""
    wire = service.add_group(total=3, created=3, status="completed")
    proof = client.prove(wire["id"])
    sha256 = "a1dd45aaf83783decf43c406879f044020f94094f92a89670d8bb5f765edefae"
    assert proof == Proof(wire["id"], GroupStatus.COMPLETED, 3, 3, 3, 3, sha256, True, {})
    assert not client.prove(service.add_group()["id"]).holds


def test_an_estimate_comes_back_typed(client: Client, service: FakeService) -> None:
    """What was not given is not sent; null stays None."""
    estimate = client.estimate(12, 10_000)
    assert json.loads(service.requests[0].content) == {"codeLength": 12, "totalCodesCount": 10_000}
    assert estimate == Estimate(208_827_064_576, 20_000, 0.0011971, 1.4366e-07, 37.6, True, 5, None, {})
    assert estimate.raw == estimate_wire()
    refused_one = client.estimate(4, 10_000, alphabet="digits", prefix="x")
    assert (refused_one.sufficient, refused_one.expected_collisions) == (False, None)
    assert json.loads(service.requests[1].content) == {
        "codeLength": 4,
        "totalCodesCount": 10_000,
        "alphabet": "digits",
        "prefix": "x",
    }


def test_a_length_that_no_group_may_have_is_told(client: Client, service: FakeService) -> None:
    """The sentence of the wire is the error's."""
    service.first(refused(422, "codeLength must be a whole number from 4 to 20."))
    with pytest.raises(Invalid, match="from 4 to 20"):
        client.estimate(3, 1)


@pytest.mark.parametrize("answer", [{}, [], {"id": "g1", "status": "lost"}], ids=["empty", "list", "status"])
@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.prove("g1"),
        lambda client: client.estimate(12, 1),
        lambda client: client.cancel_group("g1"),
        lambda client: client.resume_group("g1"),
        lambda client: client.add_codes("g1", 1),
    ],
    ids=["prove", "estimate", "cancel", "resume", "add"],
)
def test_an_answer_of_another_shape_is_unexpected(
    client: Client, service: FakeService, call: Callable[[Client], object], answer: object
) -> None:
    """The library says so instead of raising a KeyError from its depths."""
    service.first(httpx.Response(200, json=answer))
    with pytest.raises(UnexpectedAnswer):
        call(client)
