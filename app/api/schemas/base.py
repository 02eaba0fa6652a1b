"""The schema and the fields that all wire formats are made of.

Error texts are predicates ("must be a list.") that get the field's name in front, or whole sentences that begin with a
capital letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from app.domain.moments import format_moment

_Messages = dict[str, str | list[Any] | dict[Any, Any]]

_PRESENCE: _Messages = {"required": "is required.", "null": "must not be null.", "validator_failed": "is not valid."}


def camel(name: str) -> str:
    """snake_case as camelCase."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


class Schema(ma.Schema):
    """camelCase on the wire; an unknown field is refused by its name, which clients see."""

    error_messages: dict[str, str] = {
        "unknown": "is not a field of this request.",
        "type": "The request body must be a JSON object.",
    }
    tell_first: tuple[str, ...] = ()
    """Fields and error texts that are told before all others, in this order."""

    class Meta:
        unknown = ma.RAISE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Names the field for the wire."""
        field_obj.data_key = field_obj.data_key or camel(field_name)


class WholeNumber(fields.Integer):
    """A JSON number without a fraction, within bounds; no text, no true or false."""

    default_error_messages: _Messages = _PRESENCE  # marshmallow's own interface

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        """Takes the bounds, both allowed, and what any field takes."""
        rule = f"must be a whole number from {least:,} to {most:,}."
        own: _Messages = {"invalid": rule, "too_large": rule} | kwargs.pop("error_messages", {})
        within = validate.Range(least, most, error=rule)
        super().__init__(strict=True, validate=within, error_messages=own, **kwargs)

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class QueryNumber(fields.Integer):
    """A whole number in a query string, within bounds."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        """Takes the bounds, both allowed, and what any field takes."""
        rule = f"must be a whole number from {least:,} to {most:,}."
        within = validate.Range(least, most, error=rule)
        super().__init__(validate=within, error_messages=_PRESENCE | {"invalid": rule, "too_large": rule}, **kwargs)


class Text(fields.String):
    """Text of at most so many characters, not blank; without control characters, which no label or name needs."""

    default_error_messages: _Messages = _PRESENCE | {  # marshmallow's own interface
        "invalid": "must be text.",
        "invalid_utf8": "must be text.",
        "blank": "must not be blank.",
        "long": "must not be longer than {most} characters.",
        "control": "must not contain control characters.",
    }

    def __init__(self, most: int, **kwargs: Any) -> None:
        """Takes the greatest length in characters, and what any field takes."""
        self.most = most
        super().__init__(
            validate=self._check, metadata={"minLength": 1, "maxLength": most} | kwargs.pop("metadata", {}), **kwargs
        )

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).strip()

    def _check(self, value: str) -> None:
        if not value:
            raise self.make_error("blank")
        if len(value) > self.most:
            raise self.make_error("long", most=self.most)
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
            raise self.make_error("control")


class Characters(fields.String):
    """Text that a regular expression describes as a whole; of the kind that Python and JSON Schema read alike."""

    def __init__(self, expression: str, rule: str, **kwargs: Any) -> None:
        """Takes the expression, what to say of text that it does not describe, and what any field takes."""
        self._whole, self._rule = re.compile(expression), rule
        own: _Messages = _PRESENCE | {"invalid": "must be text.", "invalid_utf8": "must be text."}
        metadata = {"pattern": f"^{expression}$"} | kwargs.pop("metadata", {})
        super().__init__(validate=self._check, error_messages=own, metadata=metadata, **kwargs)

    def _check(self, value: str) -> None:
        if not self._whole.fullmatch(value):
            raise ma.ValidationError(self._rule)


class Choice(fields.String):
    """One of an enum's values."""

    def __init__(self, choices: type[StrEnum], **kwargs: Any) -> None:
        """Takes the enum, and what any field takes."""
        rule = f"must be {' or '.join(choices)}."
        own: _Messages = _PRESENCE | {"invalid": rule, "invalid_utf8": rule} | kwargs.pop("error_messages", {})
        super().__init__(validate=validate.OneOf(list(choices), error=rule), error_messages=own, **kwargs)


class Flag(fields.Boolean):
    """true or false."""

    default_error_messages: _Messages = _PRESENCE | {"invalid": "must be true or false."}  # marshmallow's own interface
    truthy: set[Any] = {True}
    falsy: set[Any] = {False}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Identifier(fields.UUID):
    """A UUID in its usual form."""

    default_error_messages: _Messages = _PRESENCE | {"invalid_uuid": "must be a UUID."}  # marshmallow's own interface


class Identifiers(fields.List[UUID]):
    """A list of UUIDs; null means an empty one."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        """Takes the greatest number of entries, and what any field takes."""
        item: fields.Field[UUID] = Identifier(
            error_messages={"invalid_uuid": "must be a list of UUIDs.", "null": "must be a list of UUIDs."}
        )
        own: _Messages = _PRESENCE | {"invalid": "must be a list of UUIDs."}
        length = validate.Length(max=most, error=f"must not name more than {most:,} items.")
        super().__init__(item, validate=length, error_messages=own, allow_none=True, **kwargs)


class MomentText(fields.String):
    """A date, or a date and time with an offset; read later, when the time zone is known."""

    def __init__(self, **kwargs: Any) -> None:
        """Takes what any field takes."""
        rule = "must be an ISO 8601 date such as 2026-12-31, or a date and time with an offset such as 2026-12-31T23:59:59Z."
        own: _Messages = _PRESENCE | {"invalid": rule, "invalid_utf8": rule}
        metadata = {"examples": ["2026-12-31", "2026-12-31T23:59:59.000Z"]} | kwargs.pop("metadata", {})
        super().__init__(error_messages=own, metadata=metadata, **kwargs)


class Moment(fields.DateTime):
    """A moment in an answer: UTC, ISO 8601 with milliseconds; null where there is none."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # marshmallow's own interface
        return format_moment(value)
