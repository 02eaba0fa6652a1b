"""The runtime of a worker process, made after the fork so that no two processes share a connection."""

from __future__ import annotations

from app.runtime import Runtime, make_runtime
from app.settings import Settings

_CONNECTIONS = 2
"""A worker process does one thing at a time; the second connection is for the moment when the first one broke."""


class _Process:
    settings: Settings | None = None
    runtime: Runtime | None = None


def configure(settings: Settings) -> None:
    """Sets what the runtimes of this process and its children are made from."""
    _Process.settings = settings


def begin() -> None:
    """Gives the present process a runtime of its own; called in every child right after the fork."""
    if _Process.runtime is not None:
        # Inherited from the parent: its sockets are the parent's, and must be left alone.
        _Process.runtime.engine.dispose(close=False)
    if _Process.settings is None:
        raise RuntimeError("configure() comes first")
    _Process.runtime = make_runtime(_Process.settings, pool_size=_CONNECTIONS)


def runtime() -> Runtime:
    """The present process's runtime."""
    if _Process.runtime is None:
        begin()
    assert _Process.runtime is not None  # noqa: S101  # for the type checker: begin() has just set it
    return _Process.runtime
