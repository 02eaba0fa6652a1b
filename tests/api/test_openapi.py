"""The OpenAPI document: valid, whole, and true."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from app.domain.items import ItemKind
from app.http.auth import PUBLIC_ENDPOINTS
from app.runtime import Runtime
from tests.api.answers import a_finished_group
from tests.builders import BASE, Api, a_client, an_item

METHODS = {"get", "post", "put", "delete", "patch"}
PAGES = {"docs.page", "docs.start", "docs.asset", "docs.openapi"}
"""What shows the document is not in it."""


@pytest.fixture(scope="module")
def document(shared_api: Api) -> dict[str, Any]:
    response = shared_api.client.get("/openapi.json")
    assert (response.status_code, response.content_type) == (200, "application/json")
    return dict(response.get_json())


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()


def test_the_validator_finds_what_is_wrong(document: dict[str, Any]) -> None:
    broken = document | {"paths": {"/x": {"get": {"responses": {"200": {}}, "parameters": "none"}}}}
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_schema_is_a_valid_json_schema(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
        assert schema.get("additionalProperties") is False, name


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: dict[str, Any]) -> None:
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert named == document["components"]["schemas"].keys()


def test_every_route_is_documented_and_every_documented_one_exists(shared_api: Api, document: dict[str, Any]) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in shared_api.client.application.url_map.iter_rules()
        if rule.endpoint not in PAGES
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert operations(document).keys() == routes


def test_an_operation_needs_a_key_exactly_where_the_document_says_so(shared_api: Api, document: dict[str, Any]) -> None:
    rules = shared_api.client.application.url_map
    public = {rule.rule for rule in rules.iter_rules() if rule.endpoint in PUBLIC_ENDPOINTS}
    for (_, path), operation in operations(document).items():
        assert operation.get("security", []) == ([] if path in public else [{"apiKey": []}]), path
    assert document["components"]["securitySchemes"] == {"apiKey": {"type": "http", "scheme": "bearer"}}


def test_every_error_has_the_one_form(document: dict[str, Any]) -> None:
    for where, operation in operations(document).items():
        for status, answer in operation["responses"].items():
            if status == "401":
                assert "content" not in answer, where
            elif int(status) >= 400 and where[1].startswith(BASE):
                assert answer["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}}, where
    assert document["components"]["schemas"]["Errors"]["required"] == ["errors"]


def test_every_operation_tells_what_it_can_be_refused_for(document: dict[str, Any]) -> None:
    for (method, path), operation in operations(document).items():
        if not path.startswith(BASE):
            continue
        told = {int(status) for status in operation["responses"]}
        expected = {401, 403, 503}
        if "requestBody" in operation:
            expected |= {400, 413, 415, 422}
        if "parameters" in operation:
            expected |= {400, 422}
        if "{" in path:
            expected |= {404}
        assert told >= expected, (method, path)
        assert any(status < 400 for status in told), (method, path)


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    for where, operation in operations(document).items():
        assert operation["summary"].endswith("."), where
        assert operation["tags"], where


@pytest.mark.parametrize("header", ["Prefer", "Idempotency-Key"])
def test_request_headers_are_documented_where_they_count(document: dict[str, Any], header: str) -> None:
    taking = {
        where[0] for where, operation in operations(document).items()
        if header in [parameter["name"] for parameter in operation.get("parameters", [])]
    }  # fmt: skip
    assert taking == {"post"}


def schema_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A schema of the document with everything that it refers to."""
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def test_answers_have_the_documented_properties_and_no_others(
    shared_api: Api, shared_runtime: Runtime, document: dict[str, Any]
) -> None:
    group = a_finished_group(shared_runtime)
    client = a_client(shared_runtime)
    shared = {kind: an_item(shared_runtime, kind) for kind in ItemKind}
    path = f"/redemptionCodes/{group.id}"
    answers = {
        "Group": shared_api.get(path),
        "Groups": shared_api.get("/redemptionCodes"),
        "Codes": shared_api.get(f"{path}/codes"),
        "Proof": shared_api.get(f"{path}/proof"),
        "Estimate": shared_api.post("/redemptionCodes/estimate", {"codeLength": 12, "totalCodesCount": 10}),
        "Course": shared_api.get(f"/courses/{shared[ItemKind.COURSE].id}"),
        "NamedItem": shared_api.get(f"/bundles/{shared[ItemKind.BUNDLE].id}"),
        "License": shared_api.get(f"/licenses/{shared[ItemKind.LICENSE].id}"),
        "Client": shared_api.get(f"/clients/{client.id}"),
        "CoursesPage": shared_api.get("/courses"),
        "ClientsPage": shared_api.get("/clients"),
        "Licenses": shared_api.get(f"/clients/{client.id}/licenses"),
        "Ping": shared_api.get("/ping"),
        "Alive": shared_api.client.get("/healthz"),
        "Readiness": shared_api.client.get("/readyz"),
        "Errors": shared_api.get("/nothing"),
    }
    for name, response in answers.items():
        jsonschema_rs.validate(schema_of(document, name), response.json)
        assert list(response.json) == list(document["components"]["schemas"][name]["properties"]), name


def test_a_request_of_the_document_s_own_examples_is_accepted(
    shared_api: Api, shared_runtime: Runtime, document: dict[str, Any]
) -> None:
    course = an_item(shared_runtime)
    fields = document["components"]["schemas"]["NewGroup"]["properties"]
    for example in fields["expirationDate"]["examples"]:
        body = {"label": "x", "codeLength": 12, "totalCodesCount": 1, "courses": [str(course.id)], "expirationDate": example}
        assert shared_api.post("/redemptionCodes", body).status_code == 202
    assert (fields["codeLength"]["minimum"], fields["codeLength"]["maximum"]) == (4, 20)
    assert (fields["totalCodesCount"]["minimum"], fields["totalCodesCount"]["maximum"]) == (1, 10_000)
