"""Loopback ports for servers of our own."""

from __future__ import annotations

import secrets
import socket

from app.errors import LocalServerError

LOOPBACK = "127.0.0.1"

# Below what Linux (32768) and macOS (49152) lend to outgoing connections. A client that keeps trying a port of that range while
# its server is away may be lent the very port, connect to itself and so keep the server from coming back.
_FIRST, _LAST = 20_000, 32_000


def free_port() -> int:
    """A port that nobody listens on now; it may be taken before the caller uses it.

    Raises LocalServerError if a hundred random ports between 20,000 and 32,000 are all taken.
    """
    for _ in range(100):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if is_free(port):
            return port
    raise LocalServerError(f"No free port was found on {LOOPBACK} between {_FIRST} and {_LAST}.")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port at this moment."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
