"""The tables. Migrations are checked against these."""

from app.store.models.access_keys import AccessKeyRow
from app.store.models.base import Base
from app.store.models.catalog import CatalogItemRow, ClientRow
from app.store.models.codes import CodeRow
from app.store.models.groups import ChunkRow, GroupItemRow, GroupRow
from app.store.models.idempotency import IdempotencyRow
from app.store.models.workers import WorkerRow

__all__ = [
    "AccessKeyRow",
    "Base",
    "CatalogItemRow",
    "ChunkRow",
    "ClientRow",
    "CodeRow",
    "GroupItemRow",
    "GroupRow",
    "IdempotencyRow",
    "WorkerRow",
]
