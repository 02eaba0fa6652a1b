from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import BaseWSGIServer, make_server

from app.cli.main import main
from tests.client.fake_service import KEY, FakeService

Mintage = Callable[..., Result]


class Running:
    """An HTTP server that answers from another thread."""

    def __init__(self, server: BaseWSGIServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Served(Running):
    """A fake service behind a real port."""

    def __init__(self, service: FakeService) -> None:
        self.service = service
        super().__init__(make_server("127.0.0.1", 0, self._answer, threaded=True))

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        answer = self.service.handle(
            httpx.Request(
                environ["REQUEST_METHOD"],
                f"http://service{environ['PATH_INFO']}?{environ['QUERY_STRING']}",
                headers=headers,
                content=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
            )
        )
        start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.headers.items()))
        return [answer.content]


@pytest.fixture
def service() -> FakeService:
    made = FakeService()
    made.quiet_polls = False
    return made


@pytest.fixture
def served(service: FakeService) -> Iterator[Served]:
    with Served(service) as running:
        yield running


@pytest.fixture
def mintage(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mintage:
    """Runs the command in an empty folder, with the fake service in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINTAGE_URL", served.url)
    monkeypatch.setenv("MINTAGE_API_KEY", KEY)

    def run(*arguments: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, input=text, prog_name="mintage")

    return run
