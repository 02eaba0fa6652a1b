"""What the service answers, as frozen values: snake_case attributes, parsed times, and the wire's own mapping in `raw`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Self, TypeVar

from mintage.errors import UnexpectedAnswer

Wire = Mapping[str, Any]
Model = TypeVar("Model")
AlphabetName = Literal["readable", "alphanumeric", "letters", "digits"]


class GroupStatus(StrEnum):
    """Where a group stands; the last three are final until somebody resumes it or adds codes."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the service is done with the group."""
        return self in (GroupStatus.COMPLETED, GroupStatus.FAILED, GroupStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Named:
    """A client or an item that a group gives access to; `name` is a course's title."""

    id: str
    name: str

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From `{id, name}` or `{id, title}`."""
        return cls(id=wire["id"], name=wire["title"] if "title" in wire else wire["name"])


@dataclass(frozen=True, slots=True)
class Group:
    """One group of codes as it stood when it was asked for; times are aware, in UTC, and counts are codes."""

    id: str
    label: str
    status: GroupStatus
    total_codes_count: int
    created_codes_count: int
    redeemed_codes_count: int
    progress: float
    code_length: int | None
    alphabet: str | None
    prefix: str | None
    custom_name: str | None
    usage_type: str | None
    max_redemptions: int | None
    start_date: datetime | None
    expiration_date: datetime | None
    access_days: int | None
    access_expiration_date: datetime | None
    time_zone: str | None
    client: Named | None
    courses: tuple[Named, ...]
    bundles: tuple[Named, ...]
    licenses: tuple[Named, ...]
    learning_paths: tuple[Named, ...]
    error: str | None
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    raw: Wire = field(repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Whether the group is completed, failed or cancelled."""
        return self.status.final

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From the service's answer; raises KeyError or ValueError where it is not a group."""
        return cls(
            id=wire["id"],
            label=wire["label"],
            status=GroupStatus(wire["status"]),
            total_codes_count=wire["totalCodesCount"],
            created_codes_count=wire["createdCodesCount"],
            redeemed_codes_count=wire.get("redeemedCodesCount") or 0,
            progress=float(wire["progress"]),
            code_length=wire.get("codeLength"),
            alphabet=wire.get("alphabet"),
            prefix=wire.get("prefix"),
            custom_name=wire.get("customName"),
            usage_type=wire.get("usageType"),
            max_redemptions=wire.get("maxRedemptions"),
            start_date=_moment(wire.get("startDate")),
            expiration_date=_moment(wire.get("expirationDate")),
            access_days=wire.get("accessDays"),
            access_expiration_date=_moment(wire.get("accessExpirationDate")),
            time_zone=wire.get("timeZone"),
            client=Named.from_wire(wire["client"]) if wire.get("client") else None,
            courses=_all_named(wire.get("courses")),
            bundles=_all_named(wire.get("bundles")),
            licenses=_all_named(wire.get("licenses")),
            learning_paths=_all_named(wire.get("learningPaths")),
            error=wire.get("error"),
            created_at=_moment(wire.get("createdAt")),
            started_at=_moment(wire.get("startedAt")),
            finished_at=_moment(wire.get("finishedAt")),
            raw=wire,
        )


@dataclass(frozen=True, slots=True)
class Redeemer:
    """One person who redeemed a code, and when."""

    id: str | None
    name: str | None
    email: str | None
    redeemed_at: datetime | None

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From an entry of a code's `redeemedBy`."""
        return cls(wire.get("id"), wire.get("name"), wire.get("email"), _moment(wire.get("redeemedAt")))


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a group; `status` is used or unused, `max_redemptions` None where there is no limit."""

    id: str
    code: str
    status: str
    active: bool
    usage_type: str | None
    max_redemptions: int | None
    redemptions_count: int
    created_at: datetime | None
    start_date: datetime | None
    expiration_date: datetime | None
    redeemed_by: tuple[Redeemer, ...]
    raw: Wire = field(repr=False, compare=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From an entry of a page of codes; raises KeyError or ValueError where it is not one."""
        return cls(
            id=str(wire["id"]),
            code=wire["code"],
            status=wire["status"],
            active=wire["active"],
            usage_type=wire.get("usageType"),
            max_redemptions=wire.get("maxRedemptions"),
            redemptions_count=wire.get("redemptionsCount") or 0,
            created_at=_moment(wire.get("createdAt")),
            start_date=_moment(wire.get("startDate")),
            expiration_date=_moment(wire.get("expirationDate")),
            redeemed_by=tuple(Redeemer.from_wire(entry) for entry in wire.get("redeemedBy") or ()),
            raw=wire,
        )


def parsed(parse: Callable[[Wire], Model], wire: Any) -> Model:
    """`parse(wire)`; raises UnexpectedAnswer where the answer lacks what every version of the service sends."""
    try:
        return parse(wire)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnexpectedAnswer(f"The service sent an answer of another shape ({type(error).__name__}: {error}).") from error


def wire_date(value: date | datetime | str | None) -> str | None:
    """A date or a moment as the service takes it; a date alone stays one, for the service to read in the group's time zone.

    Raises ValueError for a datetime without an offset, which could be anybody's hour.
    """
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; pass an aware datetime, or a date for the whole day.")
    return value.isoformat() if isinstance(value, date) else value


def id_of(thing: object) -> str:
    """The id of anything that has one: a model of this module, or the id itself."""
    return str(getattr(thing, "id", thing))


def ids_of(things: Iterable[object]) -> Sequence[str]:
    """The ids of several; one string is refused with TypeError, since it would be taken apart letter by letter."""
    if isinstance(things, str):
        raise TypeError("A list of ids was expected, not one string.")
    return [id_of(thing) for thing in things]


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _all_named(entries: Iterable[Wire] | None) -> tuple[Named, ...]:
    return tuple(Named.from_wire(entry) for entry in entries or ())
