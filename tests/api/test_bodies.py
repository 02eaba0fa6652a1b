"""Request bodies that are no request at all, and what a hostile one can do: nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.items import Item
from app.runtime import Runtime
from tests.api.answers import count, refusal
from tests.builders import Api, a_group_body

NO_JSON = "The request body is not valid JSON."
NO_OBJECT = "The request body must be a JSON object."
WRONG_TYPE = "The request body must be JSON: send Content-Type: application/json."
TOO_LARGE = "The request body is too large."
DEEP = 200_000


@pytest.fixture(scope="module", autouse=True)
def nothing_is_stored(shared_runtime: Runtime) -> Any:
    """No group is left behind by all the bodies of this module together."""
    yield
    assert count(shared_runtime, "code_groups") == 0


def send(api: Api, body: str | bytes, content_type: str | None = "application/json") -> Any:
    return api("POST", "/redemptionCodes", data=body, content_type=content_type)


@pytest.mark.parametrize(
    "body",
    ["", " ", "{", "}", "nul", "{'label': 'x'}", '{"label": }', '{"label": "x",}', "NaN", "Infinity", "-", "{}{}", "\ufeff{}",
     '{"label": "\\ud800"}', '{"label": "\\udfff\\ud800"}', '{"label": "a\nb"}', '{"label": "a\0b"}', b'{"label": "\xff"}',
     "{}".encode("utf-16"), "[" * DEEP, '{"label":' * DEEP, "9" * DEEP, '{"codeLength":' + "9" * 400 + "}"],
)  # fmt: skip
def test_text_that_is_no_json_is_malformed(shared_api: Api, body: str | bytes) -> None:
    """Lone surrogates, endless nesting and numbers beyond all bounds among it."""
    assert refusal(send(shared_api, body), 400) == NO_JSON


@pytest.mark.parametrize("body", ["null", "true", "0", "-1.5e300", '"label"', "[]", '[{"label": "x"}]', "[" * 500 + "]" * 500])
def test_json_that_is_no_object_is_refused(shared_api: Api, body: str) -> None:
    assert refusal(send(shared_api, body), 422) == NO_OBJECT


@pytest.mark.parametrize("opening", ['{"courses":', "["])
def test_deep_nesting_inside_a_field_is_refused_like_any_wrong_value(shared_api: Api, opening: str) -> None:
    closing = "}" if opening.startswith("{") else "]"
    nested = opening * 400 + "1" + closing * 400
    body = '{"label": "x", "codeLength": 12, "totalCodesCount": 1, "courses": ' + nested + "}"
    assert refusal(send(shared_api, body), 422) == "courses must be a list of UUIDs."


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/xml",
    ],
)
def test_another_content_type_is_refused(shared_api: Api, content_type: str | None) -> None:
    assert refusal(send(shared_api, "{}", content_type), 415) == WRONG_TYPE


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"])
def test_json_by_any_of_its_names_is_read(shared_api: Api, content_type: str) -> None:
    assert refusal(send(shared_api, "{}", content_type), 422) == "label is required."


def test_a_body_beyond_the_limit_is_too_large(shared_runtime: Runtime, shared_api: Api, course: Item) -> None:
    """Also one that would be a valid request but for its size."""
    limit = shared_runtime.settings.max_body_bytes
    assert refusal(send(shared_api, b" " * (limit + 1)), 413) == TOO_LARGE
    assert refusal(shared_api.post("/redemptionCodes", a_group_body([course.id], label="L" * limit)), 413) == TOO_LARGE
    assert refusal(send(shared_api, b" " * limit), 400) == NO_JSON


def test_a_key_given_twice_counts_once(shared_api: Api) -> None:
    body = '{"label": "x", "label": " ", "codeLength": 12}'
    assert refusal(send(shared_api, body), 422) == "label must not be blank."
