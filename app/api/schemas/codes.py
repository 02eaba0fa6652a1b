"""Codes on the wire."""

from __future__ import annotations

from marshmallow import fields, validate

from app.api.schemas.base import Moment, Schema
from app.api.schemas.paging import PageInfo, PageQuery
from app.domain.codes import CodeStatus
from app.domain.groups import UsageType


class RedeemedBySchema(Schema):
    """Who redeemed a code, and when."""

    id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    redeemed_at = Moment(required=True)


class CodeSchema(Schema):
    """One code, with its group's values where it has none of its own."""

    id = fields.String(required=True)
    code = fields.String(required=True)
    created_at = Moment(required=True)
    start_date = Moment(required=True, allow_none=True, attribute="starts_at")
    expiration_date = Moment(required=True, allow_none=True, attribute="expires_at")
    usage_type = fields.String(required=True, validate=validate.OneOf(list(UsageType)))
    max_redemptions = fields.Integer(required=True, allow_none=True)
    active = fields.Boolean(required=True)
    status = fields.String(required=True, validate=validate.OneOf(list(CodeStatus)))
    redemptions_count = fields.Integer(required=True)
    redeemed_by = fields.List(fields.Nested(RedeemedBySchema), required=True, dump_default=list)


class CodesSchema(Schema):
    """One page of a group's codes."""

    codes = fields.List(fields.Nested(CodeSchema), required=True)
    page_info = fields.Nested(PageInfo, required=True)


class CodesQuery(PageQuery):
    """Which of a group's codes are wanted."""

    status = fields.String(load_default=None, metadata={"description": "`used`, `unused`, or both joined by a comma."})
    active = fields.String(load_default=None, metadata={"description": "`true`, `false`, or both joined by a comma."})
    query = fields.String(load_default=None, metadata={"description": "The beginning of the code, in any case."})
