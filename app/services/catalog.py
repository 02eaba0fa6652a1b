"""The catalog: clients, and the items that codes open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from app.domain.access_keys import Principal
from app.domain.items import Client, Item, ItemKind
from app.domain.paging import Page, PageRequest
from app.errors import Conflict, NotFound, ValidationFailed
from app.store.queries import catalog as queries


@dataclass(frozen=True, slots=True)
class Saved:
    """What was stored by one call."""

    entries: Sequence[Item | Client]
    """As they are stored now, in the order they were given."""
    new: frozenset[UUID]
    """The ids that were not there before."""


def save_items(conn: Connection, items: Sequence[Item]) -> Saved:
    """Stores items of one kind, changing those whose id is there already.

    All or none. A license marked as the main one takes that mark from its client's others. Raises ValidationFailed for an
    id given twice and for a client that does not exist.
    """
    _refuse_repetition([item.id for item in items])
    owners = {item.client_id for item in items if item.client_id}
    for missing in sorted(owners - queries.lock_clients(conn, owners)):
        raise ValidationFailed(f"client {missing} does not exist.", field="client")
    main = {item.client_id: item.id for item in items if item.client_id and item.is_default}
    queries.clear_other_defaults(conn, main)
    kept = [_without_lost_mark(item, main) for item in items]
    return Saved(kept, frozenset(queries.upsert_items(conn, kept)))


def _without_lost_mark(item: Item, main: dict[UUID, UUID]) -> Item:
    """The item as it is to be stored: of several main licenses of one client in one call, the last one counts."""
    is_default = item.is_default and (item.client_id is None or main[item.client_id] == item.id)
    return Item(item.kind, item.id, item.name, item.client_id, is_default)


def get_item(conn: Connection, kind: ItemKind, item_id: UUID) -> Item:
    """The item. Raises NotFound."""
    item = queries.find_item(conn, kind, item_id)
    if item is None:
        raise NotFound(f"There is no {kind.singular} {item_id}.")
    return item


def list_items(conn: Connection, kind: ItemKind, page: PageRequest, query: str | None) -> Page[Item]:
    """One page of the items of a kind."""
    return queries.list_items(conn, kind, page, query=query)


def delete_item(conn: Connection, kind: ItemKind, item_id: UUID) -> None:
    """Removes an item. Raises NotFound, and Conflict where codes open it."""
    if queries.item_is_opened(conn, kind, item_id):
        raise Conflict(f"This {kind.singular} is opened by codes and cannot be deleted.")
    if not queries.delete_item(conn, kind, item_id):
        raise NotFound(f"There is no {kind.singular} {item_id}.")


def save_clients(conn: Connection, clients: Sequence[Client]) -> Saved:
    """Stores clients, changing those whose id is there already.

    All or none. Raises ValidationFailed for an id or a slug given twice, and Conflict for a slug that another client has.
    """
    _refuse_repetition([client.id for client in clients])
    slugs = {client.slug: client.id for client in clients if client.slug}
    if len(slugs) < sum(1 for client in clients if client.slug):
        raise ValidationFailed("slug must be different for every client.", field="slug")
    for slug, owner in queries.slug_owners(conn, slugs).items():
        if owner != slugs[slug]:
            raise Conflict(f"slug {slug} belongs to another client.")
    return Saved(clients, frozenset(queries.upsert_clients(conn, clients)))


def get_client(conn: Connection, principal: Principal, client_id: UUID) -> Client:
    """The client. Raises NotFound; for a key bound to a client, any other one is not found."""
    client = queries.find_clients(conn, [client_id]).get(client_id)
    if client is None or principal.client_id not in {None, client_id}:
        raise NotFound(f"There is no client {client_id}.")
    return client


def list_clients(conn: Connection, principal: Principal, page: PageRequest, query: str | None) -> Page[Client]:
    """One page of the clients; only its own for a key bound to a client."""
    return queries.list_clients(conn, page, query=query, client_id=principal.client_id)


def client_licenses(conn: Connection, principal: Principal, client_id: UUID) -> list[Item]:
    """A client's licenses, the main license first. Raises NotFound."""
    get_client(conn, principal, client_id)
    return queries.client_licenses(conn, client_id)


def delete_client(conn: Connection, client_id: UUID) -> None:
    """Removes a client. Raises NotFound, and Conflict where a license, a group or an API key belongs to it."""
    if queries.client_is_used(conn, client_id):
        raise Conflict("This client has licenses, groups or API keys and cannot be deleted.")
    if not queries.delete_client(conn, client_id):
        raise NotFound(f"There is no client {client_id}.")


def _refuse_repetition(ids: Sequence[UUID]) -> None:
    for repeated, count in Counter(ids).items():
        if count > 1:
            raise ValidationFailed(f"id {repeated} is given {count} times.", field="id")
