from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from mintage import Client, Patience
from tests.client.fake_service import KEY, FakeService


class FakeTime:
    """A clock that only sleeping moves; `slept` has every pause."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def client_with(service: FakeService, time: FakeTime) -> Iterator[Callable[..., Client]]:
    """Builds a client of the fake service with other bounds of patience."""
    made: list[Client] = []

    def build(api_key: str = KEY, **patience: float) -> Client:
        bounds = Patience(sleep=time.sleep, clock=time.clock, **patience)  # type: ignore[arg-type]  # attempts is an int
        made.append(Client("https://codes.test", api_key, transport=httpx.MockTransport(service.handle), patience=bounds))
        return made[-1]

    yield build
    for client in made:
        client.close()


@pytest.fixture
def client(client_with: Callable[..., Client]) -> Client:
    return client_with()
