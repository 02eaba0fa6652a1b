"""The API fuzzed through its own OpenAPI document: whatever is sent, it answers as documented, and never with a 5xx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from app.factory import create_app
from app.runtime import Runtime, make_runtime
from app.settings import Settings
from app.store.queries import workers
from tests.api.answers import a_finished_group, assert_unauthenticated, change
from tests.builders import Api, a_client, an_item

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 12
"""For each operation and mode: few, because every run draws others."""


def documented_operations() -> dict[str, dict[str, Any]]:
    """Every operation of the document by method and path, as an application tells it without any store."""
    nowhere = Settings.model_validate({"database_url": "postgresql://", "redis_url": "redis://", "secret_key": "s" * 32})
    document: Any = create_app(make_runtime(nowhere)).test_client().get("/openapi.json").json
    return {
        f"{method.upper()} {path}": operation | {"parameters": operation.get("parameters", []) + item.get("parameters", [])}
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


OPERATIONS = documented_operations()
MODES = [
    pytest.param(name, mode, id=f"{name} {mode.value}")
    for name, operation in OPERATIONS.items()
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or operation["parameters"] or "requestBody" in operation
]
"""An operation that takes nothing cannot be sent anything wrong."""


def checks_of(operation: str) -> list[Any]:
    """All checks; but a stream of events is not held against the schema of one text, which OpenAPI 3.1 has for it."""
    return [check for check in CHECKS if not (operation.endswith("/events") and check is response_schema_conformance)]


@dataclass(frozen=True)
class World:
    """A service with something in it, its document, and the ids of what is there."""

    api: Api
    schema: Any
    path_parameters: dict[str, str]
    finished_group: str
    course: str

    def with_known_ids(self, case: Case[Any]) -> None:
        """Lets a request speak of what exists, where made-up ids would end in a 404 or a 422 all the time."""
        for name in case.path_parameters:
            # The progress of a group is told until it is finished: that one must stay as it is.
            watched = case.path.endswith("/events")
            case.path_parameters[name] = self.finished_group if watched else self.path_parameters.get(name, self.course)
        if isinstance(case.body, dict) and "courses" in case.body:
            case.body["courses"] = [self.course]
            for unknown in ("client", "bundles", "licenses", "learningPaths"):
                case.body.pop(unknown, None)


@pytest.fixture(scope="module")
def world(shared_runtime: Runtime) -> World:
    with shared_runtime.transaction() as conn:
        workers.report(conn, workers.Worker(name="w", host="h", pid=1, queues=("q",), concurrency=1, chunks_done=0))
    # It is not heard of again, but the service is to count as complete to the end.
    change(shared_runtime, "UPDATE workers SET seen_at = clock_timestamp() + interval '1 hour'")
    api = Api(shared_runtime)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", api.client.application)
    schema.config.generation.with_security_parameters = False
    return World(
        api=api,
        schema=schema,
        path_parameters={
            "group_id": str(a_finished_group(shared_runtime).id),
            "client_id": str(a_client(shared_runtime).id),
        },
        finished_group=str(a_finished_group(shared_runtime).id),
        course=str(an_item(shared_runtime).id),
    )


@pytest.mark.parametrize(("operation", "mode"), MODES)
def test_an_operation_answers_as_documented(world: World, operation: str, mode: GenerationMode) -> None:
    method, path = operation.split(" ")
    headers = {"Authorization": f"Bearer {world.api.key}"}

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(world.schema[path][method].as_strategy(generation_mode=mode), st.booleans())
    def send(case: Case[Any], known: bool) -> None:
        if known and mode is GenerationMode.POSITIVE:
            world.with_known_ids(case)
        case.call_and_validate(headers=headers, checks=checks_of(operation))

    send()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_a_key_only_what_is_documented_as_public_answers(world: World, operation: str) -> None:
    method, path = operation.split(" ")

    @settings(max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(world.schema[path][method].as_strategy())
    def send(case: Case[Any]) -> None:
        if OPERATIONS[operation].get("security"):
            url = case.formatted_path
            assert_unauthenticated(world.api.client.open(url, method=method))
        else:
            case.call_and_validate(checks=checks_of(operation))

    send()
