"""The way in: `Client`."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Self

import httpx

from mintage.catalog import CatalogCalls
from mintage.connection import Connection
from mintage.errors import NotConfigured
from mintage.groups import GroupCalls
from mintage.lifecycle import LifecycleCalls
from mintage.patience import Patience

DEFAULT_TIMEOUT = httpx.Timeout(30.0, connect=5.0)


class Client(GroupCalls, LifecycleCalls, CatalogCalls):
    """A Mintage service and an API key for it; a context manager that gives its connections back at the end.

    Safe to share between threads. Broken connections, 429 and 503 are tried again as `patience` says; every other error
    is raised at once as a subclass of `MintageError`.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Takes what is missing from `MINTAGE_URL` and `MINTAGE_API_KEY`; connects with the first request.

        `timeout` is in seconds for each single request. Raises NotConfigured naming the variable that is missing.
        """
        self._connection = Connection(
            _given(url, "MINTAGE_URL", "the address of the service"),
            _given(api_key, "MINTAGE_API_KEY", "an API key"),
            timeout,
            transport,
            patience or Patience(),
        )

    def __repr__(self) -> str:
        """Names the address, never the key."""
        return f"Client({self._connection.url!r})"

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Closes the client."""
        self.close()

    def close(self) -> None:
        """Gives the connections back; repeating it does nothing."""
        self._connection.close()

    def ping(self) -> bool:
        """True where the service accepts the API key; raises Unauthorized where it does not."""
        answer: Any = self._connection.fetch("/ping")
        return isinstance(answer, dict) and answer.get("valid") is True

    def ready(self) -> bool:
        """Whether the service says that it, its stores and its workers are there; False too where nobody answers."""
        return self._connection.answers("/readyz")


def _given(value: str | None, variable: str, what: str) -> str:
    found = value or os.environ.get(variable)
    if not found:
        raise NotConfigured(f"{variable} is not set, and {what} was not given.")
    return found
