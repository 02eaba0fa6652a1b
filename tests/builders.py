"""What tests are made of: keys, catalog entries, groups, request bodies."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient

from app.domain.access_keys import Principal, Scope
from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.groups import Group, NewGroup
from app.domain.items import Client, Item, ItemKind
from app.factory import create_app
from app.runtime import Runtime
from app.services import access_keys, catalog, groups

BASE = "/incoming/v2"


def a_key(runtime: Runtime, *scopes: Scope, client_id: UUID | None = None) -> str:
    """A live API key; an admin's unless scopes are named."""
    return a_key_and_principal(runtime, *scopes, client_id=client_id)[0]


def a_key_and_principal(runtime: Runtime, *scopes: Scope, client_id: UUID | None = None) -> tuple[str, Principal]:
    """A live API key, and who it stands for."""
    granted = scopes or (Scope.ADMIN,)
    with runtime.transaction() as conn:
        stored, key = access_keys.create(
            conn, label="test", scopes=granted, secret=runtime.secret, random_bytes=os.urandom, client_id=client_id
        )
    return key, Principal(stored.id, stored.scopes, stored.client_id)


def a_principal(runtime: Runtime) -> Principal:
    """An admin."""
    return a_key_and_principal(runtime)[1]


def an_item(runtime: Runtime, kind: ItemKind = ItemKind.COURSE, name: str = "Algebra I", **fields: Any) -> Item:
    """A stored catalog item."""
    item = Item(kind, fields.pop("id", None) or uuid4(), name, **fields)
    with runtime.transaction() as conn:
        catalog.save_items(conn, [item])
    return item


def a_client(runtime: Runtime, name: str = "Acme Academy", slug: str | None = None) -> Client:
    """A stored client."""
    client = Client(uuid4(), name, slug)
    with runtime.transaction() as conn:
        catalog.save_clients(conn, [client])
    return client


def a_new_group(course: Item, **fields: Any) -> NewGroup:
    """A valid request for a group, as the domain has it."""
    values: dict[str, Any] = {
        "label": "Spring promotion",
        "total_codes_count": 10,
        "space": CodeSpace(Alphabet.READABLE, 12),
        "items": {course.kind: (course.id,)},
    }
    return NewGroup(**(values | fields))


def an_accepted_group(runtime: Runtime, principal: Principal | None = None, *, chunk_size: int = 2000, **fields: Any) -> Group:
    """A pending group with its chunks on the work list."""
    wanted = a_new_group(an_item(runtime), **fields)
    with runtime.transaction() as conn:
        return groups.create(conn, principal or a_principal(runtime), wanted, chunk_size=chunk_size)


def a_group_body(courses: Iterable[UUID | str], **fields: Any) -> dict[str, Any]:
    """A valid request for a group, as it is posted; a field given as None is sent as null."""
    body: dict[str, Any] = {
        "label": "Spring promotion",
        "codeLength": 12,
        "totalCodesCount": 10,
        "courses": [str(course) for course in courses],
    }
    return body | fields


class Api:
    """The API of a runtime, spoken to in process with one key."""

    def __init__(self, runtime: Runtime, key: str | None = None) -> None:
        self.key = key or a_key(runtime)
        self.client: FlaskClient = create_app(runtime).test_client()

    def __call__(self, method: str, path: str, *, key: str | None = None, **options: Any) -> Any:
        """Sends one request; the path is below the API's base path unless it begins with //."""
        headers = {"Authorization": f"Bearer {key or self.key}"} | options.pop("headers", {})
        url = path[1:] if path.startswith("//") else BASE + path
        return self.client.open(url, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self("POST", path, json=body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return self("PUT", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self("DELETE", path, **options)
