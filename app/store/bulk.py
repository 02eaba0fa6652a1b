"""Storing many codes at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from psycopg import Connection as DriverConnection
from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, text

_COPY = "COPY codes (group_id, code) FROM STDIN"
_INSERT_FREE = text(
    """
    INSERT INTO codes (group_id, code)
    SELECT :group_id, code FROM unnest(CAST(:codes AS text[])) AS code
    ON CONFLICT (lower(code)) DO NOTHING
    RETURNING code
    """
)


class CodeTaken(Exception):  # says what is the case, as all errors of this code base
    """One of the codes is stored already; the transaction cannot go on."""


def copy_codes(conn: Connection, group_id: UUID, codes: Sequence[str]) -> None:
    """Stores all `codes` for a group by COPY, the fastest way there is.

    The codes hold a-z, 0-9 and hyphens only, so that COPY's text format needs no escaping. Raises CodeTaken when one of
    them is stored already, whoever owns it; the transaction is then aborted and nothing was stored.
    """
    driver: DriverConnection = conn.connection.driver_connection  # type: ignore[assignment]  # psycopg is the only driver
    prefix = f"{group_id}\t"
    try:
        with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.write(prefix + f"\n{prefix}".join(codes) + "\n")
    except UniqueViolation as error:
        raise CodeTaken from error


def insert_free_codes(conn: Connection, group_id: UUID, codes: Sequence[str]) -> list[str]:
    """Stores those of `codes` that nobody has and returns them; the others are left to their owners.

    `codes` must be in ascending order: two unordered batches that overlap could wait for each other for ever.
    """
    return list(conn.execute(_INSERT_FREE, {"group_id": group_id, "codes": list(codes)}).scalars())
