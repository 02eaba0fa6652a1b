"""Groups of codes: what is asked for, what is stored, and the rules for asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.domain.alphabets import MIN_RANDOM_CHARACTERS, Alphabet, CodeSpace
from app.domain.items import Client, Item, ItemKind
from app.domain.states import GroupStatus
from app.errors import ValidationFailed

MAX_CODES = 10_000
"""Codes in one group, those added later counted in."""
MAX_LABEL = 255
MAX_ACCESS_DAYS = 36_500
MAX_REDEMPTIONS = 2_147_483_647

NOTHING_TO_OPEN = "Please choose at least one item to give access to, or select a license."
NO_LENGTH_OR_TOTAL = "Generated Redemption Code Groups must have a value for code length and total codes."


class UsageType(StrEnum):
    """How often one code may be redeemed."""

    SINGLE = "single"
    """Once."""
    MULTIPLE = "multiple"
    """As often as `maxRedemptions` allows, or without limit; each person at most once."""


def check_random_length(space: CodeSpace) -> None:
    """Refuses a prefix that leaves too little to chance. Raises ValidationFailed."""
    if space.random_length < MIN_RANDOM_CHARACTERS:
        raise ValidationFailed(
            f"prefix is counted in codeLength, and at least {MIN_RANDOM_CHARACTERS} random characters must remain: "
            f"use a codeLength of {len(space.prefix) + MIN_RANDOM_CHARACTERS} or more, or a shorter prefix.",
            field="prefix",
        )


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A group as it is asked for; every field is already of the right type and in its own range."""

    label: str
    total_codes_count: int
    space: CodeSpace
    items: Mapping[ItemKind, tuple[UUID, ...]]
    """In the order they were named, without repetitions."""
    client_id: UUID | None = None
    usage_type: UsageType = UsageType.SINGLE
    max_redemptions: int | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    access_days: int | None = None
    access_expires_at: datetime | None = None
    time_zone: str = "UTC"

    def check(self) -> None:
        """Checks the rules that join several fields, in the order that clients rely on.

        Raises ValidationFailed for the first one that is broken.
        """
        check_random_length(self.space)
        if self.max_redemptions is not None and self.usage_type is not UsageType.MULTIPLE:
            raise ValidationFailed("maxRedemptions can be given only with usageType multiple.", field="maxRedemptions")
        if self.starts_at and self.expires_at and self.starts_at >= self.expires_at:
            raise ValidationFailed("startDate must be before expirationDate.", field="startDate")
        if self.access_days is not None and self.access_expires_at is not None:
            raise ValidationFailed("Give either accessDays or accessExpirationDate, not both.", field="accessDays")
        if not any(self.items.values()):
            raise ValidationFailed(NOTHING_TO_OPEN)


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it is stored."""

    id: UUID
    label: str
    status: GroupStatus
    total_codes_count: int
    created_codes_count: int
    redeemed_codes_count: int
    """Codes redeemed at least once."""
    code_length: int | None
    alphabet: Alphabet | None
    prefix: str | None
    custom_name: str | None
    usage_type: UsageType
    max_redemptions: int | None
    starts_at: datetime | None
    expires_at: datetime | None
    access_days: int | None
    access_expires_at: datetime | None
    time_zone: str
    uploaded: bool
    gift: bool
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    client: Client | None = None
    items: tuple[Item, ...] = field(default=())

    @property
    def progress(self) -> float:
        """The share of the codes that is stored: 0 to 1, and 1 only once the group is completed."""
        share = self.created_codes_count / self.total_codes_count
        return share if self.status is GroupStatus.COMPLETED else min(share, 0.9999)

    @property
    def courses(self) -> tuple[Item, ...]:
        """The courses its codes open."""
        return self._opens(ItemKind.COURSE)

    @property
    def learning_paths(self) -> tuple[Item, ...]:
        """The learning paths its codes open."""
        return self._opens(ItemKind.LEARNING_PATH)

    @property
    def bundles(self) -> tuple[Item, ...]:
        """The bundles its codes open."""
        return self._opens(ItemKind.BUNDLE)

    @property
    def licenses(self) -> tuple[Item, ...]:
        """The licenses its codes open."""
        return self._opens(ItemKind.LICENSE)

    def _opens(self, kind: ItemKind) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind is kind)
