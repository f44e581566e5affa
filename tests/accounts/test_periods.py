"""When windows begin and end: month ends, leap days, and days on which clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import hypothesis
import pytest
from hypothesis import strategies as st

from accounts.periods import Span, span

ZONES = sorted(available_timezones() - {"localtime"})
PERIODS = ["minute", "hour", "day", "week", "month"]


def on(zone: str, *when: int) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo(zone))


def hours(found: Span) -> float:
    return (found.ends_at - found.starts_at) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ((2026, 1, 31, 23, 59), 31),
        ((2026, 2, 28, 12), 28),
        ((2028, 2, 29, 12), 29),
        ((2100, 2, 28, 12), 28),
        ((2026, 12, 31, 23, 59), 31),
        ((2026, 4, 1), 30),
    ],
)
def test_month_is_as_long_as_the_calendar_says(now: tuple[int, ...], days: int):
    found = span("month", on("UTC", *now), "UTC")
    assert found.starts_at == on("UTC", now[0], now[1], 1)
    assert hours(found) == 24 * days


def test_leap_day_is_a_day_of_its_own():
    found = span("day", on("UTC", 2028, 2, 29, 23), "UTC")
    assert (found.starts_at, found.ends_at) == (on("UTC", 2028, 2, 29), on("UTC", 2028, 3, 1))


@pytest.mark.parametrize(
    ("zone", "day", "long"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Europe/Berlin", (2026, 7, 1), 24),
        ("America/New_York", (2026, 3, 8), 23),
        ("Australia/Lord_Howe", (2026, 10, 4), 23.5),
        ("Asia/Shanghai", (2026, 3, 29), 24),
        # Clocks go from midnight to one o'clock: the day begins with one o'clock.
        ("Africa/Cairo", (2026, 4, 24), 23),
        ("Asia/Beirut", (2026, 3, 29), 23),
        ("America/Havana", (2026, 3, 8), 23),
        # At the end of the evening before its last hour comes again, or its first in the morning.
        ("Africa/Cairo", (2026, 10, 29), 25),
        ("Asia/Beirut", (2026, 10, 24), 25),
        ("America/Havana", (2026, 11, 1), 25),
    ],
)
def test_day_is_as_long_as_the_clocks_make_it(zone: str, day: tuple[int, int, int], long: float):
    found = span("day", on(zone, *day, 12), zone)
    assert hours(found) == long
    assert found.starts_at.astimezone(ZoneInfo(zone)).date() == on(zone, *day).date()


def test_day_that_has_no_midnight_begins_when_the_clocks_skip_it():
    found = span("day", on("Africa/Cairo", 2026, 4, 24, 12), "Africa/Cairo")
    assert found.starts_at.astimezone(ZoneInfo("Africa/Cairo")).isoformat() == "2026-04-24T01:00:00+03:00"


def test_day_that_a_country_left_out_is_nobody_s():
    """Samoa went from the 29th to the 31st of December."""
    before = span("day", on("Pacific/Apia", 2011, 12, 29, 12), "Pacific/Apia")
    after = span("day", on("Pacific/Apia", 2011, 12, 31, 12), "Pacific/Apia")
    assert before.ends_at == after.starts_at


def test_day_in_which_the_clocks_come_back_to_the_day_before_has_begun():
    """In St John's a minute after midnight was followed by the last hour of the evening, until 2011."""
    zone = ZoneInfo("America/St_Johns")
    just_after = datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC)
    again = just_after + timedelta(minutes=30)
    assert just_after.astimezone(zone).date() != again.astimezone(zone).date()
    assert span("day", just_after, zone.key) == span("day", again, zone.key)


def test_hours_do_not_come_twice_when_clocks_go_back():
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    spans = [span("hour", first.replace(fold=fold), "Europe/Berlin") for fold in (0, 1)]
    assert spans[0].ends_at == spans[1].starts_at


@pytest.mark.parametrize("starts", range(7))
def test_week_begins_on_its_day(starts: int):
    for hour in range(0, 24 * 15, 5):
        now = on("Europe/Berlin", 2026, 3, 20) + timedelta(hours=hour)
        found = span("week", now, "Europe/Berlin", starts)
        begins = found.starts_at.astimezone(ZoneInfo("Europe/Berlin"))
        assert (begins.weekday(), begins.hour) == (starts, 0)
        assert found.starts_at <= now < found.ends_at
        assert hours(found) in (167, 168)


def test_sunday_s_week_resets_on_sunday_at_midnight():
    found = span("week", on("UTC", 2026, 3, 31, 9), "UTC", 6)
    assert (found.starts_at, found.ends_at) == (on("UTC", 2026, 3, 29), on("UTC", 2026, 4, 5))


def test_unknown_period_is_refused():
    with pytest.raises(KeyError):
        span("year", on("UTC", 2026, 1, 1), "UTC")


moments = st.integers(int(on("UTC", 1975, 1, 1).timestamp()), int(on("UTC", 2037, 12, 1).timestamp()))


@hypothesis.given(st.sampled_from(ZONES), moments, st.sampled_from(PERIODS), st.integers(0, 6))
@hypothesis.settings(max_examples=200, deadline=None)
def test_spans_tile_time(zone: str, moment: int, period: str, starts: int):
    """Without a gap, without overlap, and every moment of a span finds the same one."""
    now = datetime.fromtimestamp(moment, UTC)
    found = span(period, now, zone, starts)
    assert found.starts_at <= now < found.ends_at
    assert found.number == found.starts_at.timestamp()
    for inside in (found.starts_at, found.ends_at - timedelta(microseconds=1)):
        assert span(period, inside, zone, starts) == found
    assert span(period, found.ends_at, zone, starts).starts_at == found.ends_at
    assert span(period, found.starts_at - timedelta(microseconds=1), zone, starts).ends_at == found.starts_at


@pytest.mark.thorough
@pytest.mark.parametrize("zone", ZONES[::40])
def test_days_tile_sixty_years(zone: str):
    now, last = on("UTC", 1975, 1, 1), on("UTC", 2037, 12, 1)
    while now < last:
        found = span("day", now, zone)
        assert found.starts_at <= now < found.ends_at
        now = found.ends_at
