"""Windows of limits in memory, for turns that are replayed in the order of time."""

from datetime import UTC, datetime
from decimal import Decimal

from accounts.limits import Rule


class Meter:
    """The windows of one measure: what each subject has used in the present one."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._used: dict[str, Decimal | int] = {}
        self._ends = 0.0

    def used(self, subject: str, now: float) -> Decimal | int:
        """By now, in seconds since 1970, which never goes back."""
        if now >= self._ends:
            self._used.clear()
            span = self._rule.span(datetime.fromtimestamp(now, UTC))
            self._ends = span.ends_at.timestamp() if span else now
        return self._used.get(subject, 0)

    def ends(self, subject: str) -> float:
        """Of the window that was asked about last."""
        return self._ends

    def put(self, subject: str, used: Decimal | int, now: float) -> None:
        """What the subject has used of the present window."""
        self._used[subject] = used


class FirstUseMeter(Meter):
    """The same where the windows of each subject begin with its first use."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule)
        self._seconds = (rule.hours or 0) * 3600
        self._own_ends: dict[str, float] = {}

    def used(self, subject: str, now: float) -> Decimal | int:
        return self._used.get(subject, 0) if now < self._own_ends.get(subject, 0) else 0

    def ends(self, subject: str) -> float:
        return self._own_ends.get(subject, 0)

    def put(self, subject: str, used: Decimal | int, now: float) -> None:
        if used and now >= self._own_ends.get(subject, 0):
            self._own_ends[subject] = now + self._seconds
        self._used[subject] = used
