"""What must be true of the database after any fault, asked in SQL: the same questions for real processes and for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from redis import Redis
from redis.cluster import RedisCluster
from sqlalchemy import Connection, text

_NO_GROUPS: Mapping[UUID, int] = {}

_TWICE = "SELECT count(*) - count(DISTINCT lower(code)) AS twice FROM codes"
_ORPHANS = "SELECT count(*) FROM codes WHERE NOT EXISTS (SELECT FROM code_groups WHERE id = codes.group_id)"
_BOOKS = """
    SELECT id, status, total_codes_count AS total, created_codes_count AS created,
           (SELECT count(*) FROM codes WHERE group_id = code_groups.id) AS stored,
           (SELECT coalesce(sum(codes_count), 0) FROM chunks WHERE group_id = code_groups.id AND state = 'done') AS done,
           (SELECT coalesce(sum(codes_count), 0) FROM chunks
            WHERE group_id = code_groups.id AND state IN ('pending', 'running')) AS open,
           error IS NOT NULL AS explained, finished_at IS NOT NULL AS dated
    FROM code_groups
"""
_AGAIN = """
    SELECT id, fence FROM chunks
    WHERE group_id = ANY(:groups) AND fence > 1 ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """The codes of some groups, counted in the table itself."""

    asked: int
    stored: int
    unique: int

    @property
    def duplicates(self) -> int:
        """How many rows say what another one says."""
        return self.stored - self.unique


def violations(
    conn: Connection, *, accepted: Mapping[UUID, int] = _NO_GROUPS, discarded: Mapping[UUID, int] = _NO_GROUPS
) -> list[str]:
    """One sentence for each promise that the database breaks, whatever is under way; empty where all is well.

    `accepted` are the groups that must be there, with their totals; `discarded` is how many codes of a group were deleted
    on purpose after they were made.
    """
    found = [*_duplicates(conn), *_orphans(conn)]
    books = _rows(conn, _BOOKS)
    for row in books:
        found += _in_one_group(row, discarded.get(row.id, 0))
    totals = {row.id: row.total for row in books}
    found += [f"group {group_id} was accepted and is not there" for group_id in accepted if group_id not in totals]
    return found + [
        f"group {group_id} was accepted for {total} codes and is kept for {totals[group_id]}"
        for group_id, total in accepted.items()
        if totals.get(group_id, total) != total
    ]


def unfinished(conn: Connection, groups: Iterable[UUID]) -> list[UUID]:
    """Which of the groups are not in a terminal state; one that is not there counts as finished."""
    statement = "SELECT id FROM code_groups WHERE id = ANY(:groups) AND status IN ('pending', 'processing')"
    return [row.id for row in _rows(conn, statement, groups=list(groups))]


def failed(conn: Connection, groups: Iterable[UUID]) -> dict[UUID, str | None]:
    """Which of the groups failed, and the reason that is told."""
    statement = "SELECT id, error FROM code_groups WHERE id = ANY(:groups) AND status = 'failed'"
    return {row.id: row.error for row in _rows(conn, statement, groups=list(groups))}


def claimed_again(conn: Connection, groups: Iterable[UUID]) -> list[str]:
    """Chunks that were claimed more than once; where nobody died and nothing was away, no chunk may be."""
    rows = _rows(conn, _AGAIN, groups=list(groups))
    return [f"chunk {row.id} was claimed {row.fence} times" for row in rows]


def tally(conn: Connection, groups: Sequence[UUID]) -> Tally:
    """Asked, stored and different codes of the groups."""
    (row,) = _rows(
        conn,
        "SELECT count(*) AS stored, count(DISTINCT lower(code)) AS uniq FROM codes WHERE group_id = ANY(:groups)",
        groups=list(groups),
    )
    asked = conn.scalar(
        text("SELECT coalesce(sum(total_codes_count), 0) FROM code_groups WHERE id = ANY(:groups)"), {"groups": list(groups)}
    )
    return Tally(int(asked or 0), row.stored, row.uniq)


def reservations(redis: Redis | RedisCluster) -> list[str]:
    """The keys of all reservations that are left."""
    return sorted(key.decode() for key in redis.scan_iter("mintage:reserved:*"))


def _duplicates(conn: Connection) -> list[str]:
    twice = conn.scalar(text(_TWICE)) or 0
    return [f"{twice} codes are stored more than once"] if twice else []


def _orphans(conn: Connection) -> list[str]:
    orphans = conn.scalar(text(_ORPHANS)) or 0
    return [f"{orphans} codes belong to no group"] if orphans else []


def _in_one_group(row: Any, discarded: int) -> list[str]:
    """What is wrong inside one group's books."""
    whole, under_way = row.status == "completed", row.status in ("pending", "processing")
    missing = row.total - row.created
    rules = {
        f"says {row.created} codes and has {row.stored}": row.created == row.stored,
        f"is completed with {row.stored} of {row.total} codes": not whole or row.stored == row.total,
        f"is completed and has chunks for {row.open} more codes": not whole or row.open == 0,
        f"has {row.stored} codes, and its chunks made {row.done - discarded}": row.done - discarded == row.stored,
        f"lacks {missing} codes, and has chunks for {row.open}": not under_way or row.open == missing,
        "failed without a reason": row.status != "failed" or row.explained,
        f"is {row.status} and has {'an' if row.dated else 'no'} end": row.dated != under_way,
    }
    return [f"group {row.id} {sentence}" for sentence, holds in rules.items() if not holds]


def _rows(conn: Connection, statement: str, **values: Any) -> list[Any]:
    return list(conn.execute(text(statement), values))
