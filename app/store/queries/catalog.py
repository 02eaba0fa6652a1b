"""The catalog: clients, and the items that codes open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Boolean, Connection, Label, delete, exists, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.items import Client, Item, ItemKind
from app.domain.paging import Page, PageRequest
from app.store.models import AccessKeyRow, CatalogItemRow, ClientRow, GroupItemRow, GroupRow
from app.store.queries.paging import contains, fetch_page

_ITEM = (CatalogItemRow.id, CatalogItemRow.name, CatalogItemRow.client_id, CatalogItemRow.is_default)
_CLIENT = (ClientRow.id, ClientRow.name, ClientRow.slug)
_IS_NEW: Label[bool] = literal_column("(xmax = 0)", Boolean()).label("is_new")


def upsert_items(conn: Connection, items: Sequence[Item]) -> set[UUID]:
    """Stores items of one kind, or changes those that are there under the same id; returns the ids that are new."""
    rows = [
        {"kind": item.kind, "id": item.id, "name": item.name, "client_id": item.client_id, "is_default": item.is_default}
        for item in sorted(items, key=lambda item: item.id)
    ]
    statement = insert(CatalogItemRow).values(rows)
    changed = {column: statement.excluded[column] for column in ("name", "client_id", "is_default")}
    statement = statement.on_conflict_do_update(
        index_elements=["kind", "id"], set_=changed | {"updated_at": func.clock_timestamp()}
    )
    return {row.id for row in conn.execute(statement.returning(CatalogItemRow.id, _IS_NEW)) if row.is_new}


def clear_other_defaults(conn: Connection, licenses: Mapping[UUID, UUID]) -> None:
    """Makes each license of `licenses` (client id to license id) its client's only main license."""
    for client_id, license_id in sorted(licenses.items()):
        conn.execute(
            update(CatalogItemRow)
            .where(
                CatalogItemRow.kind == ItemKind.LICENSE,
                CatalogItemRow.client_id == client_id,
                CatalogItemRow.id != license_id,
                CatalogItemRow.is_default,
            )
            .values(is_default=False, updated_at=func.clock_timestamp())
        )


def find_item(conn: Connection, kind: ItemKind, item_id: UUID) -> Item | None:
    """The item of that kind and id, if there is one."""
    statement = select(*_ITEM).where(CatalogItemRow.kind == kind, CatalogItemRow.id == item_id)
    row = conn.execute(statement).one_or_none()
    return None if row is None else Item(kind, **row._mapping)


_FIND_ITEMS = text(
    """
    SELECT kind, id, name, client_id, is_default
    FROM json_to_recordset(CAST(:wanted AS json)) AS wanted (kind text, id uuid) JOIN catalog_items USING (kind, id)
    """
)


def find_items(conn: Connection, wanted: Sequence[tuple[ItemKind, UUID]]) -> dict[tuple[ItemKind, UUID], Item]:
    """Those of the wanted items that exist."""
    rows = conn.execute(_FIND_ITEMS, {"wanted": json.dumps([{"kind": kind, "id": str(item_id)} for kind, item_id in wanted])})
    found = (Item(ItemKind(row.kind), row.id, row.name, row.client_id, row.is_default) for row in rows)
    return {(item.kind, item.id): item for item in found}


def list_items(
    conn: Connection, kind: ItemKind, page: PageRequest, *, query: str | None, client_id: UUID | None = None
) -> Page[Item]:
    """One page of the items of a kind, by name or by age; `query` is a part of the name."""
    filters = [CatalogItemRow.kind == kind, *contains(CatalogItemRow.name, query)]
    if client_id is not None:
        filters.append(CatalogItemRow.client_id == client_id)
    by_name = func.lower(CatalogItemRow.name)
    orders = {"name": by_name, "title": by_name, "createdAt": CatalogItemRow.created_at}
    return fetch_page(
        conn,
        select(*_ITEM),
        filters,
        orders,
        CatalogItemRow.id,
        page,
        lambda row: Item(kind, row.id, row.name, row.client_id, row.is_default),
    )


def client_licenses(conn: Connection, client_id: UUID) -> list[Item]:
    """A client's licenses, the main license first, then by name."""
    statement = (
        select(*_ITEM)
        .where(CatalogItemRow.kind == ItemKind.LICENSE, CatalogItemRow.client_id == client_id)
        .order_by(CatalogItemRow.is_default.desc(), func.lower(CatalogItemRow.name), CatalogItemRow.id)
    )
    return [Item(ItemKind.LICENSE, **row._mapping) for row in conn.execute(statement)]


def item_is_opened(conn: Connection, kind: ItemKind, item_id: UUID) -> bool:
    """Whether the codes of any group open the item."""
    used = exists().where(GroupItemRow.kind == kind, GroupItemRow.item_id == item_id)
    return bool(conn.scalar(select(used)))


def delete_item(conn: Connection, kind: ItemKind, item_id: UUID) -> bool:
    """Removes an item; False if there was none."""
    statement = delete(CatalogItemRow).where(CatalogItemRow.kind == kind, CatalogItemRow.id == item_id)
    return conn.execute(statement).rowcount > 0


def upsert_clients(conn: Connection, clients: Sequence[Client]) -> set[UUID]:
    """Stores clients, or changes those that are there under the same id; returns the ids that are new."""
    rows = [{"id": client.id, "name": client.name, "slug": client.slug} for client in sorted(clients, key=lambda c: c.id)]
    statement = insert(ClientRow).values(rows)
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={"name": statement.excluded.name, "slug": statement.excluded.slug, "updated_at": func.clock_timestamp()},
    )
    return {row.id for row in conn.execute(statement.returning(ClientRow.id, _IS_NEW)) if row.is_new}


def slug_owners(conn: Connection, slugs: Iterable[str]) -> dict[str, UUID]:
    """Which client has each of these slugs."""
    statement = select(ClientRow.slug, ClientRow.id).where(ClientRow.slug.in_(list(slugs)))
    return {row.slug: row.id for row in conn.execute(statement)}


def find_clients(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Client]:
    """Those of the clients that exist."""
    statement = select(*_CLIENT).where(ClientRow.id.in_(list(ids)))
    return {row.id: Client(**row._mapping) for row in conn.execute(statement)}


def lock_clients(conn: Connection, ids: Iterable[UUID]) -> set[UUID]:
    """Those of the clients that exist, held until the end of the transaction: what belongs to them changes one at a time."""
    statement = select(ClientRow.id).where(ClientRow.id.in_(list(ids))).order_by(ClientRow.id).with_for_update(key_share=True)
    return set(conn.execute(statement).scalars())


def list_clients(conn: Connection, page: PageRequest, *, query: str | None, client_id: UUID | None = None) -> Page[Client]:
    """One page of the clients, by name or by age; `query` is a part of the name, `client_id` the only one to show."""
    filters = [*contains(ClientRow.name, query)]
    if client_id is not None:
        filters.append(ClientRow.id == client_id)
    orders = {"name": func.lower(ClientRow.name), "createdAt": ClientRow.created_at}
    return fetch_page(conn, select(*_CLIENT), filters, orders, ClientRow.id, page, lambda row: Client(row.id, row.name, row.slug))


def client_is_used(conn: Connection, client_id: UUID) -> bool:
    """Whether a license, a group or an API key belongs to the client."""
    columns = (CatalogItemRow.client_id, GroupRow.client_id, AccessKeyRow.client_id)
    return any(conn.scalar(select(exists().where(column == client_id))) for column in columns)


def delete_client(conn: Connection, client_id: UUID) -> bool:
    """Removes a client; False if there was none."""
    return conn.execute(delete(ClientRow).where(ClientRow.id == client_id)).rowcount > 0
