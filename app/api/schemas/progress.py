"""A group's progress on the wire."""

from __future__ import annotations

from marshmallow import fields, validate

from app.api.schemas.base import Schema
from app.domain.states import GroupStatus


class ProgressSchema(Schema):
    """The data of one event."""

    status = fields.String(required=True, validate=validate.OneOf(list(GroupStatus)))
    created_codes_count = fields.Integer(required=True)
    total_codes_count = fields.Integer(required=True)
    progress = fields.Float(required=True)
    codes_per_second = fields.Float(required=True, allow_none=True)
    remaining_seconds = fields.Float(required=True, allow_none=True)
    stalled = fields.Boolean(required=True)
    reason = fields.String(required=True, allow_none=True)
