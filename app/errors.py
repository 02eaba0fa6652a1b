"""Every error the service raises on purpose.

The first line of a class docstring is the message a client reads when the raiser gives no better one. HTTP status codes
belong to `app.http.errors`, which maps these classes; nothing below that layer knows about HTTP.
"""

from __future__ import annotations


class MintageError(Exception):
    """The service could not do that."""

    def __init__(self, message: str | None = None) -> None:
        """Takes one sentence for the reader, or none for the class's own."""
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        super().__init__(self.message)


class ConfigurationError(MintageError):
    """The service is not configured."""


class RequestError(MintageError):
    """The request cannot be carried out as it was sent."""


class MalformedRequest(RequestError):
    """The request could not be read."""


class ValidationFailed(RequestError):
    """The request breaks a rule."""

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        """`field` is the wire name of the field that breaks the rule; None where several do together."""
        self.field = field
        super().__init__(message)


class Unauthenticated(RequestError):
    """A valid API key is needed."""


class Forbidden(RequestError):
    """This API key does not carry the scope that this request needs."""


class NotFound(RequestError):
    """There is nothing here under that id."""


class Conflict(RequestError):
    """The request does not fit the present state."""


class Overtaken(Conflict):
    """Another request has just changed what this one needs; please look again and try again."""


class StillBeingAccepted(Conflict):
    """A request with this Idempotency-Key is still being accepted; try again in a moment."""


class StoreUnavailable(MintageError):
    """The service is briefly unavailable; please try again."""


class DatabaseUnavailable(StoreUnavailable):
    """The database is not reachable at the moment; please try again."""


class SchemaOutdated(StoreUnavailable):
    """The database does not have this version's schema; run: mintage migrate"""


class RedisUnavailable(StoreUnavailable):
    """Redis is not reachable at the moment; please try again."""


class LocalServerError(MintageError):
    """An embedded server could not be started."""


class DataFolderInUse(LocalServerError):
    """Another Mintage is using this data folder."""
