"""Groups on the wire."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from app.api.schemas.base import Characters, Choice, Identifier, Identifiers, Moment, MomentText, Schema, Text, WholeNumber
from app.api.schemas.paging import PageInfo, SearchQuery
from app.domain.alphabets import MAX_CODE_LENGTH, MIN_CODE_LENGTH, Alphabet, CodeSpace
from app.domain.groups import (
    MAX_ACCESS_DAYS,
    MAX_CODES,
    MAX_LABEL,
    MAX_REDEMPTIONS,
    NO_LENGTH_OR_TOTAL,
    NewGroup,
    UsageType,
)
from app.domain.items import ItemKind
from app.domain.moments import END_OF_DAY, START_OF_DAY, parse_moment, parse_time_zone
from app.domain.states import GroupStatus

MAX_ITEMS = 500
_BOTH_NEEDED = {"required": NO_LENGTH_OR_TOTAL, "null": NO_LENGTH_OR_TOTAL}


def prefix_field() -> fields.String:
    """How codes begin."""
    return Characters(
        f"[A-Za-z0-9-]{{0,{MAX_CODE_LENGTH}}}",
        f"may hold only a-z, 0-9 and hyphens, and no more than {MAX_CODE_LENGTH} of them.",
        load_default="",
        allow_none=True,
        metadata={"description": "Counted in `codeLength`; at least 4 random characters must remain. Stored in lower case."},
    )


class NewGroupSchema(Schema):
    """A group as it is asked for."""

    tell_first = ("label", NO_LENGTH_OR_TOTAL)

    label = Text(MAX_LABEL, required=True)
    code_length = WholeNumber(MIN_CODE_LENGTH, MAX_CODE_LENGTH, required=True, error_messages=_BOTH_NEEDED)
    total_codes_count = WholeNumber(1, MAX_CODES, required=True, error_messages=_BOTH_NEEDED)
    client = Identifier(load_default=None, allow_none=True)
    expiration_date = MomentText(
        load_default=None, allow_none=True, metadata={"description": "A date alone lasts through that day in `timeZone`."}
    )
    start_date = MomentText(
        load_default=None, allow_none=True, metadata={"description": "A date alone means from the start of that day."}
    )
    access_days = WholeNumber(1, MAX_ACCESS_DAYS, load_default=None, allow_none=True)
    access_expiration_date = MomentText(load_default=None, allow_none=True)
    courses = Identifiers(MAX_ITEMS, load_default=())
    bundles = Identifiers(MAX_ITEMS, load_default=())
    licenses = Identifiers(MAX_ITEMS, load_default=())
    learning_paths = Identifiers(MAX_ITEMS, load_default=())
    usage_type = Choice(UsageType, load_default=UsageType.SINGLE)
    max_redemptions = WholeNumber(1, MAX_REDEMPTIONS, load_default=None, allow_none=True)
    prefix = prefix_field()
    alphabet = Choice(Alphabet, load_default=Alphabet.READABLE)
    time_zone = fields.String(
        load_default="UTC",
        error_messages={
            "invalid": "must be the IANA name of a time zone.",
            "null": "must be the IANA name of a time zone.",
            "invalid_utf8": "must be the IANA name of a time zone.",
        },
        metadata={"description": "IANA name, such as `Europe/Berlin`."},
    )

    @ma.post_load
    def make(self, data: dict[str, Any], **_: Any) -> NewGroup:
        """The request as the domain has it; dates alone are read in the request's time zone."""
        zone = parse_time_zone(data["time_zone"])

        def moment(name: str, wire_name: str, date_alone: Any) -> Any:
            text = data[name]
            return None if text is None else parse_moment(text, zone, date_alone=date_alone, field=wire_name)

        return NewGroup(
            label=data["label"],
            total_codes_count=data["total_codes_count"],
            space=CodeSpace(Alphabet(data["alphabet"]), data["code_length"], (data["prefix"] or "").lower()),
            items=_items(data),
            client_id=data["client"],
            usage_type=UsageType(data["usage_type"]),
            max_redemptions=data["max_redemptions"],
            starts_at=moment("start_date", "startDate", START_OF_DAY),
            expires_at=moment("expiration_date", "expirationDate", END_OF_DAY),
            access_days=data["access_days"],
            access_expires_at=moment("access_expiration_date", "accessExpirationDate", END_OF_DAY),
            time_zone=data["time_zone"],
        )


def _items(data: dict[str, Any]) -> dict[ItemKind, tuple[Any, ...]]:
    asked = {
        ItemKind.COURSE: data["courses"],
        ItemKind.LEARNING_PATH: data["learning_paths"],
        ItemKind.BUNDLE: data["bundles"],
        ItemKind.LICENSE: data["licenses"],
    }
    return {kind: tuple(dict.fromkeys(ids or ())) for kind, ids in asked.items()}


class NamedSchema(Schema):
    """Something of the catalog, by id and name."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class CourseNameSchema(Schema):
    """A course, by id and title."""

    id = fields.UUID(required=True)
    title = fields.String(required=True, attribute="name")


class GroupSchema(Schema):
    """A group as it stands; the documented keys first."""

    id = fields.UUID(required=True)
    label = fields.String(required=True)
    redeemed_codes_count = fields.Integer(required=True, metadata={"description": "Codes redeemed at least once."})
    total_codes_count = fields.Integer(required=True)
    expiration_date = Moment(required=True, allow_none=True, attribute="expires_at")
    access_days = fields.Integer(required=True, allow_none=True)
    access_expiration_date = Moment(required=True, allow_none=True, attribute="access_expires_at")
    uploaded = fields.Boolean(required=True)
    gift = fields.Boolean(required=True)
    client = fields.Nested(NamedSchema, required=True, allow_none=True)
    courses = fields.List(fields.Nested(CourseNameSchema), required=True)
    learning_paths = fields.List(fields.Nested(NamedSchema), required=True)
    bundles = fields.List(fields.Nested(NamedSchema), required=True)
    licenses = fields.List(fields.Nested(NamedSchema), required=True)
    status = fields.String(required=True, validate=validate.OneOf(list(GroupStatus)))
    created_codes_count = fields.Integer(required=True)
    progress = fields.Float(required=True, metadata={"minimum": 0, "maximum": 1})
    code_length = fields.Integer(required=True, allow_none=True)
    alphabet = fields.String(required=True, allow_none=True)
    prefix = fields.String(required=True, allow_none=True)
    custom_name = fields.String(required=True, allow_none=True)
    usage_type = fields.String(required=True, validate=validate.OneOf(list(UsageType)))
    max_redemptions = fields.Integer(required=True, allow_none=True)
    start_date = Moment(required=True, allow_none=True, attribute="starts_at")
    time_zone = fields.String(required=True)
    error = fields.String(required=True, allow_none=True, metadata={"description": "Why the group failed."})
    created_at = Moment(required=True)
    started_at = Moment(required=True, allow_none=True)
    finished_at = Moment(required=True, allow_none=True)


class GroupsSchema(Schema):
    """One page of groups."""

    redemption_codes = fields.List(fields.Nested(GroupSchema), required=True)
    page_info = fields.Nested(PageInfo, required=True)


class GroupsQuery(SearchQuery):
    """Which groups are wanted."""

    status = fields.String(
        load_default=None, metadata={"description": f"One or several, joined by commas, of {', '.join(GroupStatus)}."}
    )
