"""The OpenAPI document and the page that shows it; every asset comes from this service."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, render_template_string, send_from_directory
from flask_smorest import Api

from app.api import catalog, codes, events, groups, health, lifecycle, metrics

_ASSETS = str(files("flask_swagger_ui").joinpath("dist"))
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{ title }}</title>
  <link rel="icon" href="docs/assets/favicon-32x32.png">
  <link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="docs/assets/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</body>
</html>
"""
_START = """window.addEventListener("load", () => {
  SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
});
"""

blueprint = Blueprint("docs", __name__)


class _Api(Api):
    """flask-smorest's, without its own way to answer errors and to document them: `app.http.errors` has the one form."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        pass

    def _register_pagination_header(self) -> None:
        pass


def register(app: Flask) -> None:
    """Adds the API's endpoints, their document and its page to an application."""
    app.config.update(
        API_TITLE="Mintage",
        API_VERSION="v2",
        OPENAPI_VERSION="3.1.0",
    )
    api = _Api(app)
    api.spec.components.security_scheme("apiKey", {"type": "http", "scheme": "bearer"})
    for part in (
        groups.blueprint,
        lifecycle.blueprint,
        events.blueprint,
        codes.blueprint,
        catalog.blueprint,
        health.ping_blueprint,
        health.blueprint,
        metrics.blueprint,
    ):
        api.register_blueprint(part)
    app.extensions["mintage.openapi"] = api.spec
    app.register_blueprint(blueprint)


def document() -> dict[str, Any]:
    """The OpenAPI document of the present application."""
    made: dict[str, Any] = current_app.extensions["mintage.openapi"].to_dict()
    return made


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI document."""
    return jsonify(document())


@blueprint.get("/docs", strict_slashes=True)
def page() -> Response:
    """The page that shows the document."""
    response = Response(render_template_string(_PAGE, title="Mintage API"))
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


@blueprint.get("/docs/start.js")
def start() -> Response:
    """The page's own script, apart from it because the page allows no inline scripts."""
    return Response(_START, content_type="text/javascript; charset=utf-8")


@blueprint.get("/docs/assets/<path:name>")
def asset(name: str) -> Response:
    """A file of the page's library."""
    response = send_from_directory(_ASSETS, name, max_age=3600)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
