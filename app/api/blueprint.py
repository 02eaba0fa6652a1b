"""The blueprint all endpoints are made with: our request parser, and the errors every endpoint can answer, documented."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import fields, validate

from app.api.schemas.base import Schema
from app.http.bodies import Parser

BASE = "/incoming/v2"

_ALWAYS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)
_WITH_QUERY = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
_WITH_BODY = (*_WITH_QUERY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


class ErrorsSchema(Schema):
    """Every error answer."""

    errors = fields.List(fields.String(), required=True, validate=validate.Length(equal=1))


_ERROR_BODY = {"application/json": {"schema": ErrorsSchema}}


class Blueprint(SmorestBlueprint):
    """flask-smorest's blueprint with this service's manners."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, *, url_prefix: str = BASE, **kwargs: Any) -> None:
        """Takes what flask-smorest's takes; the base path is the API's."""
        super().__init__(name, import_name, url_prefix=url_prefix, **kwargs)
        self._prepare_doc_cbks.append(self._prepare_errors_doc)

    def _prepare_errors_doc(
        self, doc: dict[str, Any], doc_info: dict[str, Any], *, api: Any, spec: Any, method: str, **_: Any
    ) -> dict[str, Any]:
        """Adds to an operation's document the errors it can answer by what it takes."""
        if self.url_prefix != BASE:
            return doc
        statuses = list(_ALWAYS)
        takes = doc | doc_info.get("manual_doc", {})
        if "requestBody" in takes:
            statuses += _WITH_BODY
        elif takes.get("parameters"):
            statuses += _WITH_QUERY
        responses = doc.setdefault("responses", {})
        for status, answer in responses.items():
            if int(status) >= HTTPStatus.BAD_REQUEST and isinstance(answer, dict):
                answer.setdefault("content", _ERROR_BODY)
        for status in statuses:
            responses[status.value] = error_document(status)
        doc["security"] = [{"apiKey": []}]
        return doc


def error_document(status: HTTPStatus) -> dict[str, Any]:
    """An error answer in the OpenAPI document."""
    if status is HTTPStatus.UNAUTHORIZED:
        return {"description": "No valid API key; the body is empty."}
    answer: dict[str, Any] = {"description": status.phrase, "content": _ERROR_BODY}
    return answer | ({"headers": _RETRY_AFTER} if status is HTTPStatus.SERVICE_UNAVAILABLE else {})
