"""The catalog on the wire."""

from __future__ import annotations

from functools import cache
from typing import Any

import marshmallow as ma
from marshmallow import fields

from app.api.schemas.base import Characters, Flag, Identifier, Schema, Text
from app.api.schemas.paging import PageInfo
from app.domain.items import ItemKind

MAX_NAME = 255


class CourseSchema(Schema):
    """A course."""

    id = Identifier(metadata={"description": "Made by the service where it is not given."})
    title = Text(MAX_NAME, required=True, attribute="name")


class NamedItemSchema(Schema):
    """A bundle or a learning path."""

    id = Identifier(metadata={"description": "Made by the service where it is not given."})
    name = Text(MAX_NAME, required=True)


class LicenseSchema(NamedItemSchema):
    """A license."""

    client = Identifier(load_default=None, allow_none=True, attribute="client_id")
    is_default = Flag(load_default=False, metadata={"description": "Whether it is the client's main license."})

    @ma.validates_schema
    def check_main(self, data: dict[str, Any], **_: Any) -> None:
        """Only a client can have a main license."""
        if data.get("is_default") and data.get("client_id") is None:
            raise ma.ValidationError("needs a client.", "isDefault")


class ClientSchema(Schema):
    """A client."""

    id = Identifier(metadata={"description": "Made by the service where it is not given."})
    name = Text(MAX_NAME, required=True)
    slug = Characters(
        "[a-z0-9][a-z0-9-]{0,62}",
        "may hold only a-z, 0-9 and hyphens, at most 63 of them, and must not begin with a hyphen.",
        load_default=None,
        allow_none=True,
        metadata={"description": "Its name in the addresses of learner pages; unique."},
    )


ITEM_SCHEMAS: dict[ItemKind, type[Schema]] = {
    ItemKind.COURSE: CourseSchema,
    ItemKind.LEARNING_PATH: NamedItemSchema,
    ItemKind.BUNDLE: NamedItemSchema,
    ItemKind.LICENSE: LicenseSchema,
}


@cache
def list_schema(collection: str, entry: type[Schema], *, paged: bool = True) -> type[Schema]:
    """The schema of a list answer: `{"<collection>": [...]}`, with `pageInfo` where it comes in pages."""
    members: dict[str, Any] = {collection: fields.List(fields.Nested(entry), required=True, data_key=collection)}
    if paged:
        members["page_info"] = fields.Nested(PageInfo, required=True)
    name = f"{collection[0].upper()}{collection[1:]}{'Page' if paged else ''}"
    return type(name, (Schema,), members | {"__doc__": f"{'One page of' if paged else 'All of these'} {collection}."})
