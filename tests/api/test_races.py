"""Requests that meet: each test lets another one in at the worst moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.domain.items import ItemKind
from app.runtime import Runtime
from app.store.queries import catalog
from tests.api.answers import refusal
from tests.builders import Api, a_client, a_group_body, an_item

PATIENCE = 1.0
"""Seconds for which the other request is waited for; where it is kept waiting itself, it has its turn afterwards."""
Let = Callable[[str, Callable[[], Any]], list[Any]]


@pytest.fixture
def let_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Let]:
    """Runs other work, once, right after a question of the catalog was answered; its outcome is in the list in the end."""
    threads: list[threading.Thread] = []

    def after(question: str, work: Callable[[], Any]) -> list[Any]:
        ask, outcome = getattr(catalog, question), []
        other = threading.Thread(target=lambda: outcome.append(work()))

        def asked(*arguments: Any, **named: Any) -> Any:
            answer = ask(*arguments, **named)
            if not threads:
                threads.append(other)
                other.start()
                other.join(PATIENCE)
            return answer

        monkeypatch.setattr(catalog, question, asked)
        return outcome

    yield after
    for thread in threads:
        thread.join()


def test_a_slug_that_another_client_takes_meanwhile_is_a_conflict(shared_runtime: Runtime, shared_api: Api, let_in: Let) -> None:
    let_in("slug_owners", lambda: a_client(shared_runtime, slug="raced"))
    refusal(shared_api.post("/clients", {"name": "Late", "slug": "raced"}), 409)


def test_an_item_that_a_group_opens_meanwhile_is_not_deleted(shared_runtime: Runtime, shared_api: Api, let_in: Let) -> None:
    course = an_item(shared_runtime)
    let_in("item_is_opened", lambda: shared_api.post("/redemptionCodes", a_group_body([course.id])))
    refusal(shared_api.delete(f"/courses/{course.id}"), 409)


def test_a_group_for_an_item_that_is_deleted_meanwhile_is_refused(shared_runtime: Runtime, shared_api: Api, let_in: Let) -> None:
    course = an_item(shared_runtime)
    let_in("find_items", lambda: shared_api.delete(f"/courses/{course.id}"))
    assert shared_api.post("/redemptionCodes", a_group_body([course.id])).status_code in {409, 422}


def test_a_client_has_one_main_license_whoever_comes_meanwhile(shared_runtime: Runtime, shared_api: Api, let_in: Let) -> None:
    client = a_client(shared_runtime)
    let_in(
        "clear_other_defaults",
        lambda: an_item(shared_runtime, ItemKind.LICENSE, "Second", client_id=client.id, is_default=True),
    )
    shared_api.post("/licenses", {"name": "First", "client": str(client.id), "isDefault": True})
    licenses = shared_api.get(f"/clients/{client.id}/licenses").json["licenses"]
    assert [entry["isDefault"] for entry in licenses].count(True) == 1
