"""The web application."""

from __future__ import annotations

from flask import Flask

from app.api import docs
from app.http import auth, context, errors, headers, request_id
from app.http.json import OrjsonProvider
from app.runtime import Runtime


def create_app(runtime: Runtime) -> Flask:
    """The application on a runtime's stores; connects to nothing by itself."""
    app = Flask("mintage", static_folder=None)
    app.json = OrjsonProvider(app)
    app.url_map.strict_slashes = False
    app.config.update(MAX_CONTENT_LENGTH=runtime.settings.max_body_bytes, PROPAGATE_EXCEPTIONS=False)
    context.attach(app, runtime)
    request_id.register(app)
    headers.register(app)
    errors.register(app)
    auth.register(app)
    docs.register(app)
    return app
