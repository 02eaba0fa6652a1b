"""What shows that a group is whole: counted and hashed, not looked up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from app.domain.access_keys import Principal
from app.domain.states import GroupStatus
from app.services import groups
from app.store.queries import codes


@dataclass(frozen=True, slots=True)
class Proof:
    """A group's numbers, all of one moment."""

    group_id: UUID
    status: GroupStatus
    asked: int
    """totalCodesCount."""
    stored: int
    """Rows in the database, counted."""
    unique: int
    """Different codes among them, whatever their case."""
    exported: int
    """Rows that an export holds, counted in the export itself."""
    sha256: str
    """Over the codes in ascending byte order, each followed by a line feed; hexadecimal."""

    @property
    def holds(self) -> bool:
        """Whether the group is completed and all the numbers are the same."""
        return self.status is GroupStatus.COMPLETED and self.asked == self.stored == self.unique == self.exported


def prove(conn: Connection, principal: Principal, group_id: UUID) -> Proof:
    """Counts and hashes a group's codes; belongs into a transaction that sees one snapshot. Raises NotFound."""
    group = groups.get(conn, principal, group_id)
    stored, unique = codes.count_unique(conn, group_id)
    digest = hashlib.sha256()
    for code in codes.sorted_codes(conn, group_id):
        digest.update(code.encode() + b"\n")
    exported = sum(block.count(b"\n") for block in codes.copy_out(conn, group_id)) - 1
    return Proof(group_id, group.status, group.total_codes_count, stored, unique, exported, digest.hexdigest())
