"""Dates and times as clients write and read them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.moments import END_OF_DAY, START_OF_DAY, format_moment, parse_moment, parse_time_zone
from app.errors import ValidationFailed

SKIPPED_DAYS = {("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Fakaofo", date(2011, 12, 30))}
"""Days that were never there: these islands moved across the date line."""
UTC_ZONE = ZoneInfo("UTC")
SECOND = timedelta(seconds=1)
zones = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
days = st.dates(date(2000, 1, 1), date(2037, 12, 31))


def begin(day: str, zone: str) -> str | None:
    return format_moment(parse_moment(day, ZoneInfo(zone), date_alone=START_OF_DAY, field="startDate"))


def end(day: str, zone: str) -> str | None:
    return format_moment(parse_moment(day, ZoneInfo(zone), date_alone=END_OF_DAY, field="expirationDate"))


@pytest.mark.parametrize(
    ("day", "zone", "begins", "ends"),
    [
        ("2025-06-30", "UTC", "2025-06-30T00:00:00.000Z", "2025-06-30T23:59:59.000Z"),
        ("2026-01-15", "Europe/Berlin", "2026-01-14T23:00:00.000Z", "2026-01-15T22:59:59.000Z"),
        ("2026-07-15", "Europe/Berlin", "2026-07-14T22:00:00.000Z", "2026-07-15T21:59:59.000Z"),
        pytest.param("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.000Z", id="23-hours"),
        pytest.param("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.000Z", id="25-hours"),
        pytest.param("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z", "2018-11-05T01:59:59.000Z", id="no-midnight"),
        pytest.param("2018-02-17", "America/Sao_Paulo", "2018-02-17T02:00:00.000Z", "2018-02-18T02:59:59.000Z", id="23h-twice"),
        pytest.param("2026-03-29", "Asia/Beirut", "2026-03-28T22:00:00.000Z", "2026-03-29T20:59:59.000Z", id="beirut-gap"),
        pytest.param("2026-10-24", "Asia/Beirut", "2026-10-23T21:00:00.000Z", "2026-10-24T21:59:59.000Z", id="beirut-twice"),
        pytest.param("2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00.000Z", "2026-04-24T20:59:59.000Z", id="cairo-gap"),
        pytest.param("2026-10-29", "Africa/Cairo", "2026-10-28T21:00:00.000Z", "2026-10-29T21:59:59.000Z", id="cairo-twice"),
        pytest.param("2026-03-28", "America/Nuuk", "2026-03-28T02:00:00.000Z", "2026-03-29T00:59:59.000Z", id="no-last-hour"),
        ("2026-12-31", "Pacific/Apia", "2026-12-30T11:00:00.000Z", "2026-12-31T10:59:59.000Z"),
        pytest.param("2011-12-29", "Pacific/Apia", "2011-12-29T10:00:00.000Z", "2011-12-30T09:59:59.000Z", id="before-no-day"),
        pytest.param("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00.000Z", "2011-12-30T09:59:59.000Z", id="no-such-day"),
        pytest.param("2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00.000Z", "2011-12-31T09:59:59.000Z", id="after-no-day"),
        ("2024-02-29", "Asia/Kathmandu", "2024-02-28T18:15:00.000Z", "2024-02-29T18:14:59.000Z"),
    ],
)
def test_a_date_alone_lasts_from_its_first_to_its_last_second(day: str, zone: str, begins: str, ends: str) -> None:
    """Computed by hand from the rules of each zone, clock changes at midnight among them."""
    assert (begin(day, zone), end(day, zone)) == (begins, ends)


@given(days, zones)
def test_no_part_of_a_day_is_lost_in_any_zone(day: date, name: str) -> None:
    """The second before the start and the one after the end belong to other days; both ends belong to this one."""
    zone = ZoneInfo(name)
    first = parse_moment(day.isoformat(), zone, date_alone=START_OF_DAY, field="startDate")
    last = parse_moment(day.isoformat(), zone, date_alone=END_OF_DAY, field="expirationDate")
    if (name, day) in SKIPPED_DAYS:
        return
    assert first.astimezone(zone).date() == last.astimezone(zone).date() == day
    assert (first - SECOND).astimezone(zone).date() < day < (last + SECOND).astimezone(zone).date()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-06-30T23:59:59Z", "2025-06-30T23:59:59.000Z"),
        ("2025-06-30t23:59:59z", "2025-06-30T23:59:59.000Z"),
        ("2025-06-30 23:59:59Z", "2025-06-30T23:59:59.000Z"),
        ("2025-06-30T23:59Z", "2025-06-30T23:59:00.000Z"),
        ("2025-06-30T23:59:59.1Z", "2025-06-30T23:59:59.100Z"),
        ("2025-06-30T23:59:59,25Z", "2025-06-30T23:59:59.250Z"),
        ("2025-06-30T23:59:59.9999Z", "2025-06-30T23:59:59.999Z"),
        ("2025-06-30T23:59:59.123456789Z", "2025-06-30T23:59:59.123Z"),
        ("2025-06-30T23:59:59+02:00", "2025-06-30T21:59:59.000Z"),
        ("2025-06-30T23:59:59+0530", "2025-06-30T18:29:59.000Z"),
        ("2025-06-30T23:59:59-08", "2025-07-01T07:59:59.000Z"),
        ("2025-06-30T23:59:59-00:00", "2025-06-30T23:59:59.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_with_an_offset_is_the_same_in_every_zone(text: str, moment: str) -> None:
    for zone in ("UTC", "Pacific/Apia", "America/Sao_Paulo"):
        assert end(text, zone) == begin(text, zone) == moment


REFUSED = [
    "",
    " ",
    "now",
    "infinity",
    "1751327999",
    "2025-06-31",
    "2025-02-29",
    "2025-13-01",
    "2025-00-10",
    "0000-01-01",
    "10000-01-01",
    "25-06-30",
    "2025-6-30",
    "20250630",
    "2025-W26-1",
    "2025-181",
    "2025/06/30",
    "30.06.2025",
    " 2025-06-30",
    "2025-06-30\n",
    "２０２５-06-30",
    "2025-06-30T23:59:59",
    "2025-06-30T23:59:59 UTC",
    "2025-06-30T23:59:59[Europe/Berlin]",
    "2025-06-30T24:00:00Z",
    "2025-06-30T23:60:00Z",
    "2025-06-30T23:59:60Z",
    "2025-06-30T23Z",
    "2025-06-30T23:59:59.Z",
    "2025-06-30T23:59:59.1234567890Z",
    "2025-06-30T23:59:59+24:00",
    "2025-06-30T23:59:59+02:00:30",
    "2025-06-30T23:59:59ZZ",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]


@pytest.mark.parametrize("text", REFUSED)
def test_every_other_form_is_refused_by_the_field_s_name(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        end(text, "UTC")
    assert refused.value.field == "expirationDate"
    assert refused.value.message == (
        "expirationDate must be an ISO 8601 date such as 2026-12-31, "
        "or a date and time with an offset such as 2026-12-31T23:59:59Z."
    )


def test_days_that_reach_beyond_the_calendar_are_refused() -> None:
    """The first day begins earlier east of Greenwich, the last one ends later west of it."""
    with pytest.raises(ValidationFailed):
        begin("0001-01-01", "Pacific/Apia")
    with pytest.raises(ValidationFailed):
        end("9999-12-31", "America/New_York")


@given(st.text(max_size=40))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    with suppress(ValidationFailed):
        assert parse_moment(text, UTC_ZONE, date_alone=END_OF_DAY, field="expirationDate").tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_back_to_the_millisecond(moment: datetime) -> None:
    written = format_moment(moment)
    assert written is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    read = parse_moment(written, UTC_ZONE, date_alone=END_OF_DAY, field="expirationDate")
    assert read == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(st.floats(-2e9, 4e9), zones)
def test_a_moment_is_written_in_utc_whatever_its_zone(seconds: float, name: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert format_moment(moment.astimezone(ZoneInfo(name))) == format_moment(moment)


def test_no_moment_is_written_as_none() -> None:
    assert format_moment(None) is None


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_iana_names_are_read(name: str) -> None:
    assert parse_time_zone(name).key == name


@pytest.mark.parametrize(
    "name",
    ["", " ", " UTC", "UTC ", "Mars/Olympus", "+02:00", "Europe", "/etc/passwd", "../UTC", "UTC\0", "zone.tab", "localtime",
     "Factory", "a" * 5000, "Europe\\Berlin", "\ud800"],
)  # fmt: skip
def test_anything_else_is_refused_as_a_time_zone(name: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_time_zone(name)
    assert refused.value.message == "timeZone must be the IANA name of a time zone, such as Europe/Berlin."
    assert refused.value.field == "timeZone"


@given(st.text(max_size=30))
def test_any_text_is_a_time_zone_or_refused(name: str) -> None:
    with suppress(ValidationFailed):
        assert parse_time_zone(name).key == name
