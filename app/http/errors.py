"""Errors as clients read them: one status, one sentence in `{"errors": [...]}`."""

from __future__ import annotations

import structlog
from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException, InternalServerError

from app import errors
from app.http.request_id import request_id

log = structlog.get_logger(__name__)

STATUS: dict[type[errors.MintageError], int] = {
    errors.MalformedRequest: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.ValidationFailed: 422,
    errors.StoreUnavailable: 503,
}
"""The nearest class in an error's ancestry counts; anything else is a 500."""

SENTENCES = {
    400: "The request could not be read.",
    404: "There is nothing here.",
    405: "This address does not answer to that method.",
    413: "The request body is too large.",
    415: "The request body must be JSON: send Content-Type: application/json.",
}
RETRY_AFTER_SECONDS = 2
"""How soon to ask again when a store is away."""
_SOON_SECONDS = 1


def register(app: Flask) -> None:
    """Makes every error of the application answer in the one form, whatever raised it."""
    app.register_error_handler(errors.MintageError, _service_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _defect)


def envelope(sentence: str, status: int) -> Response:
    """One sentence as an error answer."""
    response = jsonify(errors=[sentence])
    response.status_code = status
    return response


def status_of(error: errors.MintageError) -> int:
    """The HTTP status that stands for an error."""
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def _service_error(error: errors.MintageError) -> Response:
    status = status_of(error)
    if status == 401:
        empty = Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        del empty.headers["Content-Type"]
        return empty
    if status == 500:
        return _defect(error)
    response = envelope(error.message, status)
    if isinstance(error, errors.StillBeingAccepted):
        response.headers["Retry-After"] = str(_SOON_SECONDS)
    if status == 503:
        log.warning("request.store_unavailable", error=type(error).__name__, cause=type(error.__cause__).__name__)
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400 or error.response is not None:
        return error.get_response()  # type: ignore[return-value]  # Flask's own exceptions hold Flask's responses
    response = envelope(SENTENCES.get(status, f"{error.name}."), status)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _defect(error: Exception) -> Response:
    """Anything nobody raised on purpose: logged with its trace, told without it."""
    log.error("request.failed", exc_info=error)
    return envelope(f"Something went wrong on our side; it has been logged under {request_id()}.", InternalServerError.code)
