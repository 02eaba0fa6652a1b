"""Addresses, keys, errors, and trying again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

import mintage
from mintage import Client, ConnectionFailed, MintageError, NotConfigured, RateLimited, Unauthorized, Unavailable
from tests.client.conftest import FakeTime
from tests.client.fake_service import KEY, FakeService, refused


def test_takes_the_address_and_the_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments the two variables say where the service is."""
    monkeypatch.setenv("MINTAGE_URL", "https://codes.test/incoming/v2/")
    monkeypatch.setenv("MINTAGE_API_KEY", "mk_live_secret")
    with Client() as client:
        assert repr(client) == "Client('https://codes.test')"


@pytest.mark.parametrize(
    ("url", "key", "named"),
    [
        (None, "mk_live_x", "MINTAGE_URL"),
        ("https://codes.test", None, "MINTAGE_API_KEY"),
        ("codes.test", "mk_live_x", "http://"),
    ],
)
def test_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, url: str | None, key: str | None, named: str) -> None:
    """What is missing or unusable is named before any request."""
    monkeypatch.delenv("MINTAGE_URL", raising=False)
    monkeypatch.delenv("MINTAGE_API_KEY", raising=False)
    with pytest.raises(NotConfigured, match=named):
        Client(url, key)


def test_space_around_a_key_is_dropped(client_with: Callable[..., Client]) -> None:
    """Keys read from files end in a line end."""
    assert client_with(f" {KEY}\n").ping()


def test_a_key_with_inner_control_characters_is_refused_without_showing_it() -> None:
    """No header can carry such a key, and no message shows one."""
    with pytest.raises(NotConfigured) as caught:
        Client("https://codes.test", "mk_live\r\nX-Evil: 1")
    assert "mk_live" not in str(caught.value)


def test_the_version_is_the_project_s() -> None:
    """`mintage.__version__` and the installed distribution agree."""
    from importlib.metadata import version

    assert mintage.__version__ == version("mintage")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, mintage.Invalid),
        (401, mintage.Unauthorized),
        (403, mintage.Forbidden),
        (404, mintage.NotFound),
        (409, mintage.Conflict),
        (413, mintage.Invalid),
        (415, mintage.Invalid),
        (422, mintage.Invalid),
        (418, mintage.ApiError),
        (500, mintage.ApiError),
    ],
)
def test_each_status_has_its_error(client: Client, service: FakeService, status: int, kind: type[mintage.ApiError]) -> None:
    """An error says the service's sentence, and is raised at once."""
    service.first(refused(status, "No."))
    with pytest.raises(kind) as caught:
        client.ping()
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.errors, str(caught.value)) == (status, ("No.",), "No.")
    assert len(service.requests) == 1


def test_an_unknown_key_is_told_in_words(client_with: Callable[..., Client]) -> None:
    """A 401 has an empty body; the error still says what is wrong."""
    with pytest.raises(Unauthorized, match="not accepted"):
        client_with("mk_live_other").ping()


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"[]", b'{"errors": "text"}'])
def test_an_error_of_another_shape_is_still_an_api_error(client: Client, service: FakeService, body: bytes) -> None:
    """What proxies send in place of the service's answers is no reason to break."""
    service.first(httpx.Response(500, content=body))
    with pytest.raises(mintage.ApiError, match="500"):
        client.ping()


def test_an_answer_that_is_no_json_is_unexpected(client: Client, service: FakeService) -> None:
    """A wrong address answers 200 with a page; that is told."""
    service.first(httpx.Response(200, text="<html>"))
    with pytest.raises(mintage.UnexpectedAnswer):
        client.ping()


@pytest.mark.parametrize(
    "trouble",
    [
        refused(503, "Away.", retry_after="3"),
        refused(429, "Slow down.", retry_after="3"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("silence"),
        httpx.Response(502, text="<html>"),
    ],
    ids=str,
)
def test_passing_trouble_is_sat_out(
    client: Client, service: FakeService, time: FakeTime, trouble: httpx.Response | httpx.TransportError
) -> None:
    """Broken connections, 429 and 502 to 504 are tried again, after the time that the service asked for."""
    service.first(trouble)
    assert client.ping()
    assert len(service.requests) == 2
    if isinstance(trouble, httpx.Response) and "Retry-After" in trouble.headers:
        assert time.slept == [3.0]


def test_a_retry_after_may_be_a_date(client: Client, service: FakeService, time: FakeTime) -> None:
    """RFC 9110 allows a moment in place of seconds."""
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    service.first(refused(503, "Away.", retry_after=moment))
    assert client.ping()
    assert 15 < time.slept[0] <= 20


def test_patience_is_bounded_in_count(client_with: Callable[..., Client], service: FakeService) -> None:
    """The last of the allowed attempts decides."""
    service.first(*[httpx.ConnectError("refused") for _ in range(9)])
    with pytest.raises(ConnectionFailed, match="refused"):
        client_with(attempts=3).ping()
    assert len(service.requests) == 3


def test_patience_is_bounded_in_time(client_with: Callable[..., Client], service: FakeService, time: FakeTime) -> None:
    """Attempts end where the next pause would lead beyond the bound."""
    service.first(*[refused(503, "Away.", retry_after="4") for _ in range(9)])
    with pytest.raises(Unavailable):
        client_with(attempts=100, seconds=10).ping()
    assert time.slept == [4.0, 4.0]


def test_a_long_lock_out_is_raised_rather_than_slept_through(client: Client, service: FakeService, time: FakeTime) -> None:
    """A `Retry-After` beyond the bound comes back as the error, with its seconds."""
    service.first(refused(429, "Too many.", retry_after="1800"))
    with pytest.raises(RateLimited) as caught:
        client.ping()
    assert caught.value.retry_after == 1800
    assert time.slept == []


def test_ready_is_no_where_nobody_answers(client: Client, service: FakeService) -> None:
    """Readiness is asked once and never raises."""
    assert client.ready()
    service.is_ready = False
    assert not client.ready()
    service.first(httpx.ConnectError("refused"))
    assert not client.ready()


def test_every_error_is_a_mintage_error() -> None:
    """One `except` catches all that the library raises on purpose."""
    kinds = [kind for kind in vars(mintage).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 10
    assert all(issubclass(kind, MintageError) for kind in kinds)
