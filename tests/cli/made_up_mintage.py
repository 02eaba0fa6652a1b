"""Stands in for the `mintage` command where a whole service is started: same subcommands, nothing behind them.

Reads what it is to do from the environment: MADE_UP_KEYS counts the keys made in a file, MADE_UP_BROKEN names a command that
fails.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


class Service(BaseHTTPRequestHandler):
    """Ready at once, and content with any key that was made."""

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        known = self.path == "/readyz" or given in made()
        body = b'{"valid": true}' if known else b""
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def made() -> list[str]:
    """The keys made so far."""
    file = Path(os.environ["MADE_UP_KEYS"])
    return file.read_text().split() if file.exists() else []


def main(command: str, *arguments: str) -> None:
    """Does as the command of that name would, seen from outside."""
    if os.environ.get("MADE_UP_BROKEN") == command:
        sys.exit(f"{command}: a made-up reason")
    if command == "keys":
        key = f"mk_live_{len(made())}"
        Path(os.environ["MADE_UP_KEYS"]).write_text(" ".join([*made(), key]))
        sys.stdout.write(json.dumps({"id": "1", "apiKey": key}))
    elif command == "serve":
        HTTPServer(("127.0.0.1", int(arguments[1])), Service).serve_forever()
    elif command in ("worker", "dispatch"):
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
