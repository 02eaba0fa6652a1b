"""Request bodies and query parameters: read, checked, and answered for by one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
import orjson
from flask import Request
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from app.errors import MalformedRequest, ValidationFailed


class Parser(FlaskParser):
    """Reads requests as the contract has it: JSON or nothing, unknown fields refused, unknown query parameters ignored."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "json": ma.RAISE, "query": ma.EXCLUDE}

    def _raw_load_json(self, req: Request) -> Any:
        return self.read_json(req)

    def read_json(self, req: Request) -> Any:
        """The body's JSON. Raises UnsupportedMediaType for another type and MalformedRequest for text that is no JSON."""
        if not core.is_json(req.mimetype):
            raise UnsupportedMediaType
        try:
            return orjson.loads(req.get_data())
        except ValueError:
            raise MalformedRequest("The request body is not valid JSON.") from None

    def load_json_body(self, schema: ma.Schema, body: Any) -> Any:
        """What `schema` makes of JSON that was read already. Raises ValidationFailed."""
        try:
            return schema.load(body)
        except ma.ValidationError as error:
            raise first_problem(error.messages, schema) from None

    def handle_error(
        self, error: ma.ValidationError, req: Request, schema: ma.Schema, *, error_status_code: int | None, error_headers: Any
    ) -> NoReturn:
        """Tells the first problem, in the order in which the schema names its fields."""
        (problems,) = error.messages.values()  # type: ignore[union-attr]  # webargs puts the location around them
        raise first_problem(problems, schema) from None


def first_problem(problems: Any, schema: ma.Schema) -> ValidationFailed:
    """The one problem of a failed load that is told.

    Unknown fields come first, because they make all else doubtful; then what `schema.tell_first` names, then the fields
    in the order of the schema.
    """
    if isinstance(problems, Mapping) and all(isinstance(key, int) for key in problems):
        index = min(problems)
        found = first_problem(problems[index], schema)
        return ValidationFailed(f"Item {index + 1}: {found.message}", field=found.field)
    order = [field.data_key or name for name, field in schema.load_fields.items()]
    told_first: tuple[str, ...] = getattr(schema, "tell_first", ())
    told = [(field, sentence) for field, value in _by_field(problems) for sentence in _sentences(value)]
    field, sentence = min(told, key=lambda item: _rank(item[0], item[1], order, told_first))
    return ValidationFailed(_in_words(field, sentence), field=None if field == ma.exceptions.SCHEMA else field)


def _by_field(problems: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(problems, Mapping):
        yield from ((str(field), value) for field, value in problems.items())
    else:
        yield ma.exceptions.SCHEMA, problems


def _sentences(value: Any) -> Iterator[str]:
    """All sentences in what marshmallow says of one field, however deep."""
    if isinstance(value, Mapping):
        for nested in value.values():
            yield from _sentences(nested)
    elif isinstance(value, list):
        yield from (str(sentence) for sentence in value)
    else:
        yield str(value)


def _rank(field: str, sentence: str, order: list[str], told_first: tuple[str, ...]) -> tuple[int, int]:
    if field not in order and field != ma.exceptions.SCHEMA:
        return (0, 0)
    if sentence in told_first or field in told_first:
        return (1, told_first.index(sentence if sentence in told_first else field))
    return (2, order.index(field) if field in order else -1)


def _in_words(field: str, sentence: str) -> str:
    """A sentence as it stands, or a predicate ("is required.") with the field's name in front."""
    return sentence if sentence[:1].isupper() else f"{field} {sentence}"
