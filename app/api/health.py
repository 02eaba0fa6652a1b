"""Whether the service is there and able: for clients with a key, for supervisors without one."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields

from app.api.blueprint import Blueprint
from app.api.schemas.base import Schema
from app.http.auth import requires
from app.http.context import runtime
from app.http.errors import RETRY_AFTER_SECONDS

ping_blueprint = Blueprint("ping", __name__, description="Whether a key works")
blueprint = Blueprint("health", __name__, url_prefix="/", description="Whether the service works")


class PingSchema(Schema):
    """The answer to a live key."""

    valid = fields.Boolean(required=True)


class AliveSchema(Schema):
    """The answer of a process that runs."""

    alive = fields.Boolean(required=True)


class CheckSchema(Schema):
    """One thing that the service needs."""

    name = fields.String(required=True)
    ok = fields.Boolean(required=True)
    detail = fields.String(required=True)


class ReadinessSchema(Schema):
    """Whether everything that the service needs is there."""

    ready = fields.Boolean(required=True)
    checks = fields.List(fields.Nested(CheckSchema), required=True)


@ping_blueprint.route("/ping", methods=["GET"])
@requires()
@ping_blueprint.response(200, PingSchema)
def ping() -> dict[str, bool]:
    """Check an API key."""
    return {"valid": True}


@blueprint.route("healthz", methods=["GET"])
@blueprint.response(200, AliveSchema)
def healthz() -> dict[str, bool]:
    """Tell that this process runs; asks no store."""
    return {"alive": True}


@blueprint.route("readyz", methods=["GET"])
@blueprint.response(200, ReadinessSchema)
@blueprint.alt_response(503, schema=ReadinessSchema, description="Something is missing.")
def readyz() -> Response:
    """Tell whether database, Redis, broker, migrations and workers are all there."""
    checks = runtime().readiness()
    ready = all(check.ok for check in checks)
    answer: dict[str, Any] = {"ready": ready, "checks": checks}
    response = jsonify(ReadinessSchema().dump(answer))
    if not ready:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
