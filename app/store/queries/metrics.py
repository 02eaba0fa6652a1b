"""Counts over the whole instance, none of which reads the table of codes."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.domain.states import GroupStatus


def groups_by_status(conn: Connection) -> dict[GroupStatus, int]:
    """How many groups stand in each status that occurs."""
    rows = conn.execute(text("SELECT status, count(*) AS groups FROM code_groups GROUP BY status"))
    return {GroupStatus(row.status): row.groups for row in rows}


def open_chunks(conn: Connection) -> tuple[int, int, int]:
    """How many chunks wait for their turn, were sent and not claimed, are being made."""
    statement = text(
        """
        SELECT (SELECT count(*) FROM chunks WHERE state = 'pending' AND sent_at IS NULL),
               (SELECT count(*) FROM chunks WHERE state = 'pending' AND sent_at IS NOT NULL),
               (SELECT count(*) FROM chunks WHERE state = 'running')
        """
    )
    row = conn.execute(statement).one()
    return row[0], row[1], row[2]


def oldest_idle_seconds(conn: Connection) -> float:
    """For how long nothing happened to the unfinished group that moved longest ago."""
    statement = text(
        """
        SELECT coalesce(extract(epoch FROM clock_timestamp() - min(progressed_at)), 0)::float8
        FROM code_groups WHERE status IN ('pending', 'processing')
        """
    )
    return float(conn.scalar(statement) or 0)


def codes_stored(conn: Connection) -> int:
    """How many codes are stored, by the groups' own counts."""
    return int(conn.scalar(text("SELECT coalesce(sum(created_codes_count), 0) FROM code_groups")) or 0)


def chunks_done_by_worker(conn: Connection, within_seconds: float) -> dict[str, int]:
    """Chunks done by each worker that reported itself within that time."""
    statement = text("SELECT name, chunks_done FROM workers WHERE seen_at > clock_timestamp() - make_interval(secs => :seconds)")
    return {row.name: row.chunks_done for row in conn.execute(statement, {"seconds": within_seconds})}
