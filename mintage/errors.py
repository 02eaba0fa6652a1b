"""Everything the client library raises on purpose, in one tree under `MintageError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mintage.models import Group


class MintageError(Exception):
    """The service, or the way to it, failed; `str()` of it is one line for a reader."""


class NotConfigured(MintageError):
    """The address or the API key is neither an argument nor in the environment."""


class ConnectionFailed(MintageError):
    """No answer came within the attempts and the time that `Patience` allows; what was asked may still have been done."""


class UnexpectedAnswer(MintageError):
    """The answer is not what this service sends: a wrong address, something in between, or another version."""


class ApiError(MintageError):
    """The service refused the request.

    `status` is the HTTP status, `errors` the service's sentences (empty with 401), `retry_after` the seconds after which
    asking again makes sense, or None where the service named none. `repeated` tells that the same request was sent before
    and its answer lost, so that it may have been carried out already.
    """

    def __init__(self, status: int, errors: Sequence[str] = (), retry_after: float | None = None) -> None:
        """Takes what the answer said; the message joins `errors`, or names the status where there are none."""
        self.status = status
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.repeated = False
        super().__init__(" ".join(self.errors) or self._silence())

    def _silence(self) -> str:
        return f"The service answered {self.status} without saying why."


class Unauthorized(ApiError):
    """401: the API key is unknown, expired or revoked."""

    def _silence(self) -> str:
        return "The API key was not accepted."


class Forbidden(ApiError):
    """403: the API key does not carry the scope that the request needs."""


class NotFound(ApiError):
    """404: there is nothing under that id, or this API key may not see it."""


class Conflict(ApiError):
    """409: the request does not fit the present state."""


class Invalid(ApiError):
    """400, 413, 415 or 422: the request breaks a rule; sending it again as it is will not help."""


class RateLimited(ApiError):
    """429: too many requests, and `retry_after` is longer than `Patience` allows to wait."""


class Unavailable(ApiError):
    """502, 503 or 504: the service or one of its stores was away for longer than `Patience` allows to wait."""


class GroupFailed(MintageError):
    """A group ended as failed or cancelled; `group` is its last state."""

    def __init__(self, group: Group) -> None:
        """Takes the group in its final state."""
        self.group = group
        reason = f": {group.error}" if group.error else "."
        super().__init__(
            f"{group.label!r} {group.status} with {group.created_codes_count:,} of {group.total_codes_count:,} codes{reason}"
        )


class WaitTimedOut(MintageError, TimeoutError):
    """A group was not finished in time; it goes on by itself, and may be waited for again."""


class ExportMismatch(MintageError):
    """The rows that arrived are not the rows that the service announced; no file was left under the name."""

    def __init__(self, received: int, announced: int | None) -> None:
        """Takes the data rows counted and those announced, None where the answer announced none."""
        self.received = received
        self.announced = announced
        said = "no number of rows" if announced is None else f"{announced:,} rows"
        super().__init__(f"The export announced {said} and {received:,} arrived.")


_BY_STATUS: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_for(status: int, errors: Sequence[str] = (), retry_after: float | None = None) -> ApiError:
    """The exception for an HTTP status: the matching subclass, or `ApiError` itself where there is none."""
    return _BY_STATUS.get(status, ApiError)(status, errors, retry_after)
