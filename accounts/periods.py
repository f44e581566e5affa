"""When a period begins and ends, on the clocks of a time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_LENGTHS = {"minute": 60, "hour": 3600}


@dataclass(frozen=True, slots=True)
class Span:
    """One period; `number` tells it from the others of its kind: when it began, in seconds since 1970."""

    number: int
    starts_at: datetime
    ends_at: datetime


def span(period: str, now: datetime, zone: str, week_starts: int = 0) -> Span:
    """The minute, hour, day, week or month around `now`; weeks begin on `week_starts`, Monday being 0.

    Days are as long as the clocks make them: 23 or 25 hours where these change. Minutes and hours are counted
    in UTC, so that none comes twice when clocks go back. Raises KeyError for another period.
    """
    if seconds := _LENGTHS.get(period):
        starts = int(now.timestamp()) // seconds * seconds
        return _span(starts, starts + seconds)
    today = now.astimezone(ZoneInfo(zone)).date()
    tomorrow = today + timedelta(days=1)
    # Where clocks went back over midnight, a day that has begun goes on while they show the day before.
    if now.timestamp() >= _midnight(tomorrow, zone):
        today = tomorrow
    return _of_days(period, today, zone, week_starts)


@lru_cache(maxsize=1000)
def _of_days(period: str, today: date, zone: str, week_starts: int) -> Span:
    first, after = _DAYS[period](today, week_starts)
    return _span(_midnight(first, zone), _midnight(after, zone))


def _day(today: date, week_starts: int) -> tuple[date, date]:
    return today, today + timedelta(days=1)


def _week(today: date, week_starts: int) -> tuple[date, date]:
    first = today - timedelta(days=(today.weekday() - week_starts) % 7)
    return first, first + timedelta(days=7)


def _month(today: date, week_starts: int) -> tuple[date, date]:
    first = today.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


_DAYS = {"day": _day, "week": _week, "month": _month}


@lru_cache(maxsize=1000)
def _midnight(day: date, zone: str) -> int:
    """The first moment of a day; where clocks skip midnight, the moment they do so."""
    return int(datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).timestamp())


def _span(starts: int, ends: int) -> Span:
    return Span(starts, datetime.fromtimestamp(starts, UTC), datetime.fromtimestamp(ends, UTC))
