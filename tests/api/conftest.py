"""The API as one module's tests share it."""

from __future__ import annotations

import pytest

from app.domain.items import Item
from app.runtime import Runtime
from tests.builders import Api, an_item


@pytest.fixture(scope="module")
def shared_api(shared_runtime: Runtime) -> Api:
    """The API of `shared_runtime`, spoken to with an admin's key."""
    return Api(shared_runtime)


@pytest.fixture(scope="module")
def course(shared_runtime: Runtime) -> Item:
    """A course in `shared_runtime`."""
    return an_item(shared_runtime)
