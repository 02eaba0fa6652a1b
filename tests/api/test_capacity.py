"""Small code spaces: half of them may be issued, however many requests come at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from app.runtime import Runtime
from tests.api.answers import change, count, refusal
from tests.builders import Api, a_group_body, an_item

FULL = (
    "codeLength 4 leaves 10,000 possible codes in this alphabet, {taken} of them are issued and {asked} more are asked for; "
    "at least {needed} are needed to keep codes hard to guess, and a codeLength of 5 would do."
)


@pytest.fixture
def api(runtime: Runtime) -> Api:
    return Api(runtime)


@pytest.fixture
def four_digits(runtime: Runtime) -> dict[str, Any]:
    return a_group_body([an_item(runtime).id], alphabet="digits", codeLength=4)


def ask(api: Api, body: dict[str, Any], codes: int, **changes: Any) -> Any:
    return api.post("/redemptionCodes", body | {"totalCodesCount": codes} | changes)


def test_half_of_a_space_is_accepted_and_one_code_more_is_not(api: Api, runtime: Runtime, four_digits: dict[str, Any]) -> None:
    assert refusal(ask(api, four_digits, 5_001), 422) == FULL.format(taken="0", asked="5,001", needed="10,002")
    assert count(runtime, "code_groups") == 0
    assert ask(api, four_digits, 5_000).status_code == 202
    assert refusal(ask(api, four_digits, 1), 422) == FULL.format(taken="5,000", asked="1", needed="10,002")


def test_codes_that_are_only_promised_count(api: Api, four_digits: dict[str, Any]) -> None:
    """No worker runs here: not one of the 4,000 codes exists when the next request comes."""
    assert ask(api, four_digits, 4_000).status_code == 202
    assert refusal(ask(api, four_digits, 1_001), 422) == FULL.format(taken="4,000", asked="1,001", needed="10,002")
    assert ask(api, four_digits, 1_000).status_code == 202


def test_spaces_that_overlap_share_their_room(api: Api, four_digits: dict[str, Any]) -> None:
    assert ask(api, four_digits, 5_000).status_code == 202
    assert ask(api, four_digits, 1_000, alphabet="letters").status_code == 202
    prefixed = ask(api, four_digits, 5_000, codeLength=5, prefix="7")
    assert prefixed.status_code == 202
    wide = refusal(ask(api, four_digits, 10_000, codeLength=5, prefix="7"), 422)
    assert "5,000 of them are issued and 10,000 more" in wide


def test_the_advice_is_taken(api: Api, four_digits: dict[str, Any]) -> None:
    assert "a codeLength of 5 would do" in refusal(ask(api, four_digits, 10_000), 422)
    assert ask(api, four_digits, 10_000, codeLength=5).status_code == 202


def test_the_advice_never_leads_into_another_full_space(api: Api, four_digits: dict[str, Any]) -> None:
    for _ in range(5):
        assert ask(api, four_digits, 10_000, codeLength=5).status_code == 202
    assert "a codeLength of 6 would do" in refusal(ask(api, four_digits, 5_001), 422)


def test_requests_at_once_cannot_overfill_a_space_together(api: Api, runtime: Runtime, four_digits: dict[str, Any]) -> None:
    """Four requests for 2,000 codes each: room for two."""
    start = Barrier(4)

    def send(_: int) -> int:
        start.wait()
        return int(ask(api, four_digits, 2_000).status_code)

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(send, range(4))) == [202, 202, 422, 422]
    assert count(runtime, "code_groups") == 2


def test_a_deleted_group_gives_its_room_back(api: Api, runtime: Runtime, four_digits: dict[str, Any]) -> None:
    group = ask(api, four_digits, 5_000).json
    change(runtime, "DELETE FROM code_groups WHERE id = :id", id=group["id"])
    assert ask(api, four_digits, 5_000).status_code == 202


@pytest.mark.parametrize(("alphabet", "length"), [("readable", 13), ("readable", 14), ("alphanumeric", 20)])
def test_an_estimate_tells_capacities_beyond_64_bits_exactly(api: Api, alphabet: str, length: int) -> None:
    response = api.post("/redemptionCodes/estimate", {"codeLength": length, "totalCodesCount": 1, "alphabet": alphabet})
    assert response.status_code == 200
    assert json.loads(response.get_data())["capacity"] == (27 if alphabet == "readable" else 36) ** length
