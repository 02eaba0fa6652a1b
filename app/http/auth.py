"""Who is asking, and what they may do. Nothing is open unless it is listed here as public."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, current_app, g, request

from app.domain.access_keys import Principal, Scope, hash_key, public_id_of
from app.errors import Forbidden, Unauthenticated
from app.http.context import runtime
from app.services import access_keys

P = ParamSpec("P")
R = TypeVar("R")

REMEMBERED_SECONDS = 1.0
"""For how long a checked key is taken as good without asking the database: a revoked key lives at most that long."""
_REMEMBERED_KEYS = 1024

PUBLIC_ENDPOINTS = frozenset({"health.healthz", "health.readyz", "docs.asset", "docs.page", "docs.start", "docs.openapi"})
"""Views that need no key: none of them tells anything about the data."""


def register(app: Flask) -> None:
    """Turns away every request for a view that neither requires a scope nor is public."""
    app.extensions["mintage.known_keys"] = KnownKeys()

    @app.before_request
    def deny_by_default() -> None:
        if request.endpoint is None or request.endpoint in PUBLIC_ENDPOINTS:
            return
        principal()
        view = current_app.view_functions[request.endpoint]
        if scopes_of(view) is None:
            raise Forbidden


def requires(*scopes: Scope) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Lets only keys through that carry one of `scopes`; without any, every live key."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if scopes and not principal().may(*scopes):
                raise Forbidden(f"This API key needs the scope {' or '.join(scopes)}.")
            return view(*args, **kwargs)

        cast(Any, guarded).required_scopes = scopes
        return guarded

    return decorate


def scopes_of(view: Callable[..., Any]) -> tuple[Scope, ...] | None:
    """The scopes that a view requires; None where it was never said."""
    return cast("tuple[Scope, ...] | None", getattr(view, "required_scopes", None))


def principal() -> Principal:
    """Who sends the present request. Raises Unauthenticated."""
    if "principal" not in g:
        g.principal = _authenticate(request.headers.get("Authorization", ""))
    return cast(Principal, g.principal)


def _authenticate(header: str) -> Principal:
    scheme, _, key = header.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or public_id_of(key) is None:
        raise Unauthenticated
    known = cast(KnownKeys, current_app.extensions["mintage.known_keys"])
    name = hash_key(key, runtime().secret)
    found = known.get(name)
    if found is None:
        with runtime().reading() as conn:
            found = access_keys.authenticate(conn, key, secret=runtime().secret)
        known.put(name, found)
    return found


class KnownKeys:
    """Keys checked within the last second, by their keyed hash; bounded in number."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Takes the clock to go by."""
        self._now, self._lock = now, Lock()
        self._known: dict[bytes, tuple[float, Principal]] = {}

    def get(self, name: bytes) -> Principal | None:
        """Who that key stands for, if it was checked lately."""
        until, found = self._known.get(name, (0.0, None))
        return found if until > self._now() else None

    def put(self, name: bytes, found: Principal) -> None:
        """Remembers a key that was just checked."""
        with self._lock:
            if len(self._known) >= _REMEMBERED_KEYS:
                self._known.clear()
            self._known[name] = (self._now() + REMEMBERED_SECONDS, found)
