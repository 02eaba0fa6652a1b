"""Moments in time as clients write and read them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.errors import ValidationFailed

START_OF_DAY = time(0, 0, 0)
END_OF_DAY = time(23, 59, 59)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}(:?\d{2})?)", re.ASCII)
_RULE = "must be an ISO 8601 date such as 2026-12-31, or a date and time with an offset such as 2026-12-31T23:59:59Z"


@lru_cache(maxsize=1024)
def parse_time_zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name (Europe/Berlin). Raises ValidationFailed for any other text."""
    try:
        if not name or name != name.strip() or name in {"localtime", "Factory"}:
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationFailed(
            "timeZone must be the IANA name of a time zone, such as Europe/Berlin.", field="timeZone"
        ) from None


def parse_moment(text: str, zone: ZoneInfo, *, date_alone: time, field: str) -> datetime:
    """Reads a date with time and offset, or a date alone, and returns the moment in UTC, whole milliseconds.

    A date alone means `date_alone` on that day in `zone`: END_OF_DAY makes it last through the day. Where clocks are put
    back, an hour exists twice; the end of a day takes the later one and its start the earlier one, so that no part of the
    day is lost. Raises ValidationFailed naming `field` for anything else.
    """
    try:
        if _DATE.fullmatch(text):
            local = datetime.combine(date.fromisoformat(text), date_alone, tzinfo=zone)
            return local.replace(fold=int(date_alone > START_OF_DAY)).astimezone(UTC)
        if not _MOMENT.fullmatch(text):
            raise ValueError(text)
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationFailed(f"{field} {_RULE}.", field=field) from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def format_moment(moment: datetime | None) -> str | None:
    """UTC, ISO 8601 with milliseconds: 2025-06-30T23:59:59.000Z; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
