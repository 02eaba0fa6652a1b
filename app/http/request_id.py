"""A name for every request, in its answer and in its log lines."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g
from structlog.contextvars import bind_contextvars, clear_contextvars


def register(app: Flask) -> None:
    """Names each request before anything else sees it, and answers with `X-Request-Id`."""

    @app.before_request
    def name_request() -> None:
        clear_contextvars()
        bind_contextvars(request_id=request_id())

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers["X-Request-Id"] = request_id()
        return response


def request_id() -> str:
    """The present request's name: 16 hexadecimal digits."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    return str(g.request_id)
