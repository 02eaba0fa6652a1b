"""Codes as they are stored and shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.groups import UsageType


class CodeStatus(StrEnum):
    """Whether a code was ever redeemed."""

    USED = "used"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Code:
    """One code, with the group's values where it has none of its own."""

    id: int
    code: str
    created_at: datetime
    starts_at: datetime | None
    expires_at: datetime | None
    usage_type: UsageType
    max_redemptions: int | None
    active: bool
    redemptions_count: int

    @property
    def status(self) -> CodeStatus:
        """Used from the first redemption on."""
        return CodeStatus.USED if self.redemptions_count else CodeStatus.UNUSED
