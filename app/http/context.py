"""The runtime of the application that answers the present request."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from app.runtime import Runtime

_KEY = "mintage.runtime"


def attach(app: Flask, runtime: Runtime) -> None:
    """Gives an application its runtime."""
    app.extensions[_KEY] = runtime


def runtime() -> Runtime:
    """The present application's runtime."""
    return cast(Runtime, current_app.extensions[_KEY])
