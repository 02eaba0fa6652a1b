"""Groups of codes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.groups import Group, NewGroup, UsageType
from app.domain.items import Client, Item, ItemKind
from app.domain.paging import Page, PageRequest
from app.domain.progress import Pulse
from app.domain.states import UNFINISHED, ChunkState, GroupStatus
from app.domain.strength import Issued
from app.store.models import CatalogItemRow, ChunkRow, ClientRow, CodeRow, GroupItemRow, GroupRow
from app.store.queries.paging import contains, fetch_page

_OWN = (
    "id",
    "label",
    "status",
    "total_codes_count",
    "created_codes_count",
    "redeemed_codes_count",
    "code_length",
    "alphabet",
    "prefix",
    "custom_name",
    "usage_type",
    "max_redemptions",
    "starts_at",
    "expires_at",
    "access_days",
    "access_expires_at",
    "time_zone",
    "uploaded",
    "gift",
    "error",
    "created_at",
    "started_at",
    "finished_at",
)


_INSERT = text(
    """
    WITH accepted AS (
        INSERT INTO code_groups (
            id, access_key_id, client_id, label, total_codes_count, code_length, alphabet, prefix, usage_type,
            max_redemptions, starts_at, expires_at, access_days, access_expires_at, time_zone
        )
        VALUES (
            :id, :access_key_id, :client_id, :label, :total_codes_count, :code_length, :alphabet, :prefix, :usage_type,
            :max_redemptions, :starts_at, :expires_at, :access_days, :access_expires_at, :time_zone
        )
    )
    INSERT INTO group_items (group_id, kind, item_id, position)
    SELECT :id, kind, item_id, place
    FROM unnest(CAST(:kinds AS text[]), CAST(:item_ids AS uuid[]), CAST(:places AS integer[])) AS opened (kind, item_id, place)
    """
)


def insert_group(conn: Connection, group_id: UUID, access_key_id: UUID, group: NewGroup) -> None:
    """Stores a pending group and what it opens."""
    opened = [(kind.value, item_id, place) for kind, ids in group.items.items() for place, item_id in enumerate(ids)]
    conn.execute(
        _INSERT,
        {
            "id": group_id,
            "access_key_id": access_key_id,
            "client_id": group.client_id,
            "label": group.label,
            "total_codes_count": group.total_codes_count,
            "code_length": group.space.length,
            "alphabet": group.space.alphabet.value,
            "prefix": group.space.prefix or None,
            "usage_type": group.usage_type.value,
            "max_redemptions": group.max_redemptions,
            "starts_at": group.starts_at,
            "expires_at": group.expires_at,
            "access_days": group.access_days,
            "access_expires_at": group.access_expires_at,
            "time_zone": group.time_zone,
            "kinds": [kind for kind, _, _ in opened],
            "item_ids": [item_id for _, item_id, _ in opened],
            "places": [place for _, _, place in opened],
        },
    )


def find_group(conn: Connection, group_id: UUID, *, client_id: UUID | None) -> Group | None:
    """The group of that id with its client and items, by one statement.

    `client_id` hides every group of another client, as if it did not exist; None hides nothing.
    """
    row = conn.execute(_one_group(client_id is not None), {"wanted": group_id, "owner": client_id}).one_or_none()
    return None if row is None else _group(row)


def list_groups(
    conn: Connection,
    page: PageRequest,
    *,
    query: str | None,
    statuses: Sequence[GroupStatus],
    client_id: UUID | None,
) -> Page[Group]:
    """One page of the groups by label or age; filters: a part of the label, any of the statuses, the client."""
    filters = [*contains(GroupRow.label, query)]
    if statuses:
        filters.append(GroupRow.status.in_(statuses))
    if client_id is not None:
        filters.append(GroupRow.client_id == client_id)
    orders = {"label": func.lower(GroupRow.label), "createdAt": GroupRow.created_at}
    return fetch_page(conn, _groups(), filters, orders, GroupRow.id, page, _group)


def move(
    conn: Connection, group_id: UUID, *, since: Collection[GroupStatus], to: GroupStatus, more_codes: int = 0
) -> tuple[UUID, int] | None:
    """Moves a group to another status if it is in one of `since`, and raises its total by `more_codes`.

    Returns the key that owns the group and how many of its codes are missing then; None where the status was another one.
    """
    ended = to.is_terminal
    statement = (
        update(GroupRow)
        .where(GroupRow.id == group_id, GroupRow.status.in_(since))
        .values(
            status=to,
            error=None,
            total_codes_count=GroupRow.total_codes_count + more_codes,
            finished_at=func.clock_timestamp() if ended else None,
            progressed_at=func.clock_timestamp(),
        )
        .returning(GroupRow.access_key_id, (GroupRow.total_codes_count - GroupRow.created_codes_count).label("missing"))
    )
    row = conn.execute(statement).one_or_none()
    return None if row is None else (row.access_key_id, row.missing)


def without_work(conn: Connection, idle_seconds: float) -> list[tuple[UUID, UUID, int]]:
    """Unfinished groups that have no chunk to be made and did not move lately: id, owning key, codes missing.

    Locks them; groups that another sweep is looking after are left out.
    """
    open_chunk = exists().where(ChunkRow.group_id == GroupRow.id, ChunkRow.state.in_((ChunkState.PENDING, ChunkState.RUNNING)))
    statement = (
        select(GroupRow.id, GroupRow.access_key_id, GroupRow.total_codes_count - GroupRow.created_codes_count)
        .where(
            GroupRow.status.in_(UNFINISHED),
            GroupRow.progressed_at < func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, idle_seconds),
            ~open_chunk,
        )
        .with_for_update(skip_locked=True)
    )
    return [(row[0], row[1], row[2]) for row in conn.execute(statement)]


def discard_codes(conn: Connection, group_id: UUID) -> None:
    """Deletes a group's codes but those that were ever redeemed, and corrects the group's count of stored codes."""
    deleted = conn.execute(delete(CodeRow).where(CodeRow.group_id == group_id, CodeRow.redemptions_count == 0)).rowcount
    conn.execute(
        update(GroupRow).where(GroupRow.id == group_id).values(created_codes_count=GroupRow.created_codes_count - deleted)
    )


def delete_group(conn: Connection, group_id: UUID) -> bool:
    """Deletes a group with its chunks, items and codes, unless a code was ever redeemed; returns whether it did."""
    conn.execute(text("SELECT FROM code_groups WHERE id = :id FOR UPDATE"), {"id": group_id})
    redeemed = exists().where(CodeRow.group_id == group_id, CodeRow.redemptions_count > 0)
    if conn.scalar(select(redeemed)):
        return False
    conn.execute(delete(CodeRow).where(CodeRow.group_id == group_id))
    return conn.execute(delete(GroupRow).where(GroupRow.id == group_id)).rowcount > 0


_PULSE = text(
    """
    SELECT extract(epoch FROM clock_timestamp() - started_at)::float8 AS started_seconds_ago,
           extract(epoch FROM clock_timestamp() - progressed_at)::float8 AS idle_seconds,
           (SELECT count(*) FROM chunks WHERE group_id = :id AND state = 'pending' AND sent_at IS NULL) AS waiting,
           (SELECT count(*) FROM chunks WHERE group_id = :id AND state = 'pending' AND sent_at IS NOT NULL) AS queued,
           (SELECT count(*) FROM chunks WHERE group_id = :id AND state = 'running') AS running,
           (SELECT count(*) FROM workers WHERE seen_at > clock_timestamp() - make_interval(secs => :gone)) AS workers
    FROM code_groups WHERE id = :id
    """
)


def pulse(conn: Connection, group_id: UUID, *, worker_gone_seconds: float) -> Pulse:
    """What is under way for a group that exists."""
    return Pulse(**conn.execute(_PULSE, {"id": group_id, "gone": worker_gone_seconds}).one()._asdict())


def issued_codes(conn: Connection, length: int) -> list[Issued]:
    """How many generated codes of that length were promised so far, by code space; unfinished groups count in full."""
    statement = (
        select(GroupRow.alphabet, GroupRow.prefix, func.sum(GroupRow.total_codes_count).label("codes"))
        .where(GroupRow.code_length == length)
        .group_by(GroupRow.alphabet, GroupRow.prefix)
    )
    return [Issued(CodeSpace(Alphabet(row.alphabet), length, row.prefix or ""), row.codes) for row in conn.execute(statement)]


def lock_space(conn: Connection, length: int) -> None:
    """Makes acceptances of codes of that length take turns until the end of the transaction."""
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('mintage.space'), :length)"), {"length": length})


@cache
def _one_group(of_client: bool) -> Select[*tuple[Any, ...]]:
    """The group `wanted`, where asked only as one of the client `owner`.

    Made once: SQLAlchemy has to fit its compiled form to every new statement object, column by column.
    """
    statement = _groups().where(GroupRow.id == bindparam("wanted"))
    return statement.where(GroupRow.client_id == bindparam("owner")) if of_client else statement


@cache
def _groups() -> Select[*tuple[Any, ...]]:
    """All groups, each with its client's name and its items as one JSON array."""
    items = (
        select(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_array(CatalogItemRow.kind, CatalogItemRow.id, CatalogItemRow.name), GroupItemRow.position
                )
            )
        )
        .select_from(GroupItemRow)
        .join(CatalogItemRow, and_(CatalogItemRow.kind == GroupItemRow.kind, CatalogItemRow.id == GroupItemRow.item_id))
        .where(GroupItemRow.group_id == GroupRow.id)
        .scalar_subquery()
    )
    own = (getattr(GroupRow, name) for name in _OWN)
    client = (ClientRow.id.label("client_id"), ClientRow.name.label("client_name"))
    return select(*own, *client, items.label("items")).outerjoin(ClientRow, ClientRow.id == GroupRow.client_id)


def _group(row: Row[*tuple[Any, ...]]) -> Group:
    values = {name: row._mapping[name] for name in _OWN}
    values["status"] = GroupStatus(row.status)
    values["usage_type"] = UsageType(row.usage_type)
    values["alphabet"] = Alphabet(row.alphabet) if row.alphabet else None
    items = tuple(Item(ItemKind(kind), UUID(item_id), name) for kind, item_id, name in row.items or ())
    client = Client(row.client_id, row.client_name) if row.client_id else None
    return Group(**values, client=client, items=items)
