"""The catalog: clients, and the items that codes open. All five collections share one set of endpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from app.api.blueprint import Blueprint
from app.api.schemas.base import Schema
from app.api.schemas.catalog import ITEM_SCHEMAS, ClientSchema, LicenseSchema, list_schema
from app.api.schemas.paging import SearchQuery, page_answer
from app.domain.access_keys import Scope
from app.domain.items import Client, Item, ItemKind
from app.domain.paging import Page, PageRequest, Sort
from app.errors import ValidationFailed
from app.http.auth import principal, requires
from app.http.context import runtime
from app.http.cursors import page_request
from app.http.idempotency import PARAMETER, carried_out_once
from app.http.queries import searchable
from app.services import catalog
from app.services.catalog import Saved

blueprint = Blueprint("catalog", __name__, description="Clients, and the items that codes open")

MAX_BULK = 5_000


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of the catalog: its wire format and its use cases."""

    name: str
    schema: type[Schema]
    build: Callable[..., Any]
    """Makes an entry of what the schema loads, its id included."""
    save: Callable[[Connection, Sequence[Any]], Saved]
    find: Callable[[Connection, PageRequest, str | None], Page[Any]]
    get: Callable[[Connection, UUID], Any]
    delete: Callable[[Connection, UUID], None]

    @property
    def sort_name(self) -> str:
        """The wire name of what its entries are called by."""
        return "title" if self.name == ItemKind.COURSE else "name"

    @property
    def sorts(self) -> dict[str, type[str | datetime]]:
        """By what its entries can be ordered."""
        return {self.sort_name: str, "createdAt": datetime}


def _items(kind: ItemKind) -> Collection:
    return Collection(
        kind.value,
        ITEM_SCHEMAS[kind],
        build=lambda **values: Item(kind, **values),
        save=catalog.save_items,
        find=lambda conn, page, query: catalog.list_items(conn, kind, page, query),
        get=lambda conn, item_id: catalog.get_item(conn, kind, item_id),
        delete=lambda conn, item_id: catalog.delete_item(conn, kind, item_id),
    )


_CLIENTS = Collection(
    "clients",
    ClientSchema,
    build=Client,
    save=catalog.save_clients,
    find=lambda conn, page, query: catalog.list_clients(conn, principal(), page, query),
    get=lambda conn, client_id: catalog.get_client(conn, principal(), client_id),
    delete=catalog.delete_client,
)


def _add_collection_routes(collection: Collection) -> None:
    """Listing a collection and storing entries in it."""
    name, schema, path = collection.name, collection.schema, f"/{collection.name}"
    bulk = list_schema(name, schema, paged=False)

    @blueprint.route(path, methods=["GET"], endpoint=f"list_{name}")
    @requires()
    @blueprint.arguments(SearchQuery, location="query")
    @blueprint.response(200, list_schema(name, schema))
    def list_entries(query: dict[str, Any]) -> dict[str, Any]:
        """List these entries of the catalog."""
        sort = Sort.parse(query["sort"], tuple(collection.sorts), Sort(collection.sort_name))
        page = page_request(query["cursor"], query["page_size"], sort, collection.sorts[sort.name])
        with runtime().reading() as conn:
            found = collection.find(conn, page, searchable(query["query"]))
        return page_answer(name, found, sort)

    @blueprint.route(path, methods=["POST"], endpoint=f"save_{name}")
    @requires(Scope.CATALOG_WRITE)
    @blueprint.doc(parameters=[PARAMETER], requestBody=_one_or_many(schema))
    @blueprint.response(200, {"oneOf": [schema, bulk]}, description="Stored: an entry whose id was there already, or an array.")
    @blueprint.alt_response(201, schema=schema, description="Stored under a new id.", success=True)
    @blueprint.alt_response(409, description="A slug belongs to another client, or the Idempotency-Key is in use.")
    def save_entries() -> Response:
        """Store one entry, or an array of them, each under its id."""
        entries, is_array = _read_entries(collection)

        def save(conn: Connection) -> Response:
            saved = collection.save(conn, entries)
            dumped = schema(many=True).dump(saved.entries)
            if is_array:
                return jsonify({name: dumped})
            return _with_status(jsonify(dumped[0]), 201 if saved.new else 200)

        return carried_out_once(save)


def _add_entry_routes(collection: Collection) -> None:
    """Getting, changing and deleting one entry of a collection."""
    name, schema, path = collection.name, collection.schema, f"/{collection.name}/<uuid:entry_id>"
    missing: dict[str, Any] = {"description": f"None of the {name} has this id."}

    @blueprint.route(path, methods=["GET"], endpoint=f"get_{name}")
    @requires()
    @blueprint.response(200, schema)
    @blueprint.alt_response(404, **missing)
    def get_entry(entry_id: UUID) -> Any:
        """Get one entry."""
        with runtime().reading() as conn:
            return collection.get(conn, entry_id)

    @blueprint.route(path, methods=["PUT"], endpoint=f"change_{name}")
    @requires(Scope.CATALOG_WRITE)
    @blueprint.arguments(schema)
    @blueprint.response(200, schema)
    @blueprint.alt_response(404, **missing)
    @blueprint.alt_response(409, description="A slug belongs to another client.")
    def change_entry(values: dict[str, Any], entry_id: UUID) -> Any:
        """Change one entry."""
        if values.pop("id", entry_id) != entry_id:
            raise ValidationFailed("id must be the one in the address, or left out.", field="id")
        entry = collection.build(id=entry_id, **values)
        with runtime().transaction() as conn:
            collection.get(conn, entry_id)
            collection.save(conn, [entry])
        return entry

    @blueprint.route(path, methods=["DELETE"], endpoint=f"delete_{name}")
    @requires(Scope.CATALOG_WRITE)
    @blueprint.response(204)
    @blueprint.alt_response(404, **missing)
    @blueprint.alt_response(409, description="Still in use.")
    def delete_entry(entry_id: UUID) -> None:
        """Delete one entry."""
        with runtime().transaction() as conn:
            collection.delete(conn, entry_id)


def _read_entries(collection: Collection) -> tuple[list[Any], bool]:
    """The entries in the request's body, and whether it was an array; entries without an id get one."""
    parser = blueprint.ARGUMENTS_PARSER
    body = parser.read_json(request)
    is_array = isinstance(body, list)
    if is_array and not 1 <= len(body) <= MAX_BULK:
        raise ValidationFailed(f"An array must hold from 1 to {MAX_BULK:,} entries.")
    loaded = parser.load_json_body(collection.schema(many=is_array), body)
    entries = loaded if is_array else [loaded]
    return [collection.build(**({"id": uuid7()} | values)) for values in entries], is_array


def _one_or_many(schema: type[Schema]) -> dict[str, Any]:
    array = {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_BULK}
    return {"required": True, "content": {"application/json": {"schema": {"oneOf": [schema, array]}}}}


def _with_status(response: Response, status: int) -> Response:
    response.status_code = status
    return response


@blueprint.route("/clients/<uuid:client_id>/licenses", methods=["GET"])
@requires()
@blueprint.response(200, list_schema(ItemKind.LICENSE.value, LicenseSchema, paged=False))
@blueprint.alt_response(404, description="No such client.")
def list_client_licenses(client_id: UUID) -> dict[str, list[Item]]:
    """List a client's licenses, the main license first."""
    with runtime().reading() as conn:
        return {ItemKind.LICENSE.value: catalog.client_licenses(conn, principal(), client_id)}


for _collection in (*map(_items, ItemKind), _CLIENTS):
    _add_collection_routes(_collection)
    _add_entry_routes(_collection)
