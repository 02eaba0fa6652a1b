"""Servers to look at, shared by the tests that leave them as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.local.servers import LocalServers


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    with LocalServers(tmp_path_factory.mktemp("shared") / "data") as running:
        yield running
