"""One HTTP connection pool to the service: authentication, trying again, and answers turned into values or errors."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from mintage.errors import ApiError, ConnectionFailed, NotConfigured, UnexpectedAnswer, error_for
from mintage.models import Wire
from mintage.patience import Patience

BASE_PATH = "/incoming/v2"
IDEMPOTENCY_KEY = "Idempotency-Key"

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_AWAY = (502, 503, 504)


class Connection:
    """Sends requests below `/incoming/v2`; safe to share between threads."""

    def __init__(
        self, url: str, api_key: str, timeout: float | httpx.Timeout, transport: httpx.BaseTransport | None, patience: Patience
    ) -> None:
        """Opens nothing yet; raises NotConfigured for an address that is not http(s) or a key that no header can carry."""
        self.url = _root_of(url)
        self.patience = patience
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {_printable(api_key)}", "Accept": "application/json"},
            timeout=timeout,
            transport=transport,
            # A proxy from the environment has no way to this machine's own loopback.
            trust_env=httpx.URL(self.url).host not in ("127.0.0.1", "localhost", "::1"),
        )

    def close(self) -> None:
        """Gives the sockets back; repeating it does nothing."""
        self._http.close()

    def answers(self, path: str) -> bool:
        """Whether a GET of this path from the root is answered by 200; asked once, no error is raised."""
        try:
            return self._http.get(path).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> httpx.Response:
        """The answer to one request, a 2xx or a 304; query parameters that are None are left out.

        Broken connections, 429 and 502 to 504 are tried again within `Patience`, and within `seconds` where given, so
        only requests that may be repeated are to be sent. Raises ConnectionFailed or the ApiError of the last answer.
        """
        return self._exchange(self._request(method, path, query, body, headers), seconds=seconds)

    def fetch(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a GET; raises as `send`, and UnexpectedAnswer where it is none."""
        return json_of(self.send("GET", path, query=query))

    @contextmanager
    def stream(self, path: str) -> Iterator[httpx.Response]:
        """A GET whose body has not been read yet; trying again ends with the answer's first line."""
        response = self._exchange(self._request("GET", path, None, None, {"Accept": "text/csv"}), stream=True)
        try:
            yield response
        except httpx.HTTPError as error:
            raise ConnectionFailed(f"The download from {self.url} broke off ({_described(error)}).") from error
        finally:
            response.close()

    def pages(self, path: str, collection: str, query: Mapping[str, Any]) -> Iterator[Wire]:
        """Every entry of a list, fetching one page after the other by cursor as they are consumed."""
        cursor: str | None = None
        while True:
            answer = self.fetch(path, {**query, "cursor": cursor})
            try:
                entries, has_more, following = answer[collection], answer["pageInfo"]["hasMore"], answer["pageInfo"]["cursor"]
            except (KeyError, TypeError) as error:
                raise UnexpectedAnswer(f"The service sent a list of another shape ({error}).") from error
            yield from entries
            if not has_more:
                return
            if not following or following == cursor:
                raise UnexpectedAnswer(f"The list of {collection} says that it goes on, but not where.")
            cursor = following

    def _request(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: object, headers: Mapping[str, str] | None
    ) -> httpx.Request:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self._http.build_request(method, BASE_PATH + path, params=given, json=body, headers=headers)

    def _exchange(self, request: httpx.Request, *, stream: bool = False, seconds: float | None = None) -> httpx.Response:
        tries = self.patience.tries(seconds)
        in_doubt = False
        while True:
            try:
                response = self._http.send(request, stream=stream)
                if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
                    return response
                refusal = _refusal(response)
                refusal.repeated = in_doubt
            except httpx.TransportError as error:
                in_doubt = in_doubt or not isinstance(error, _NOT_SENT)
                if not tries.another(None):
                    raise ConnectionFailed(f"No answer from {self.url} ({_described(error)}).") from error
                continue
            if not (_passes(refusal, request) and tries.another(refusal.retry_after)):
                raise refusal
            in_doubt = in_doubt or refusal.status in _AWAY


def once(idempotency_key: str | None) -> dict[str, str]:
    """The header under which a request is carried out once, however often it is sent; its key is new where none is given."""
    return {IDEMPOTENCY_KEY: idempotency_key or str(uuid.uuid4())}


def json_of(response: httpx.Response) -> Any:
    """The body as JSON; raises UnexpectedAnswer where it is none."""
    try:
        return response.json()
    except ValueError as error:
        raise UnexpectedAnswer(f"The answer from {response.request.url} is not JSON.") from error


def retry_after_of(response: httpx.Response) -> float | None:
    """The seconds of `Retry-After`, which may be a number or a date (RFC 9110, 10.2.3); None without a readable one."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _passes(refusal: ApiError, request: httpx.Request) -> bool:
    """Whether the same request may be accepted later.

    A 409 under an idempotency key means that the first attempt, whose answer was lost, is still being worked on.
    """
    if refusal.status == httpx.codes.CONFLICT:
        return IDEMPOTENCY_KEY in request.headers and (refusal.repeated or refusal.retry_after is not None)
    return refusal.status == httpx.codes.TOO_MANY_REQUESTS or refusal.status in _AWAY


def _refusal(response: httpx.Response) -> ApiError:
    try:
        response.read()
        body = response.json()
    except ValueError:
        body = None
    finally:
        response.close()
    errors = body.get("errors") if isinstance(body, dict) else None
    sentences = [str(error) for error in errors] if isinstance(errors, list) else []
    return error_for(response.status_code, sentences, retry_after_of(response))


def _described(error: Exception) -> str:
    return str(error) or type(error).__name__


def _root_of(url: str) -> str:
    root = url.strip().rstrip("/").removesuffix(BASE_PATH)
    if not root.startswith(("http://", "https://")):
        raise NotConfigured(f"The address must begin with http:// or https://, and {url!r} does not.")
    return root


def _printable(api_key: str) -> str:
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise NotConfigured("The API key is empty or holds characters that no API key has.")
    return key
