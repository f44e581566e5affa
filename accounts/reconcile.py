"""The ledger beside what a provider says was used: by day and model, and how far they are apart."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.usage_export import MEASURES, ByDayAndModel, Export, Used

# Exports round dollars: what is less apart is not.
CENT = Decimal("0.01")
# As of gpt-4o-mini-2024-07-18: providers name the version that has answered, we the one that was asked.
_DATED = re.compile(r"-\d{4}-?\d{2}-?\d{2}$")
# Requests are calls that came to something: what a provider refused it does not count.
_LEDGER = """
SELECT ((created_at AT TIME ZONE 'UTC') + %(offset)s)::date, model, sum(input_tokens), sum(cached_tokens),
       sum(output_tokens), count(*) FILTER (WHERE input_tokens + output_tokens > 0), coalesce(sum(cost), 0),
       coalesce(sum(input_tokens + output_tokens) FILTER (WHERE confidence = 'estimated'), 0),
       coalesce(sum(cost) FILTER (WHERE confidence = 'estimated'), 0), count(*) FILTER (WHERE cost IS NULL)
  FROM accounts_usageentry
 WHERE provider = %(provider)s AND outcome <> 'open'
   AND created_at >= (%(first)s::timestamp - %(offset)s) AT TIME ZONE 'UTC'
   AND created_at < (%(after)s::timestamp - %(offset)s) AT TIME ZONE 'UTC'
 GROUP BY 1, 2
"""


@dataclass
class Ledger:
    """What was counted here; estimated is what no provider has counted for us."""

    used: ByDayAndModel = field(default_factory=dict)
    estimated_tokens: int = 0
    estimated_cost: Decimal = Decimal(0)
    unpriced_calls: int = 0


@dataclass(frozen=True)
class Difference:
    """One measure of one day and model; None: that side knows nothing of it."""

    day: date
    model: str
    measure: str
    here: Decimal | None
    there: Decimal | None

    @property
    def apart(self) -> Decimal:
        return (self.here or Decimal(0)) - (self.there or Decimal(0))

    @property
    def share(self) -> Decimal | None:
        """Of what the provider says, signed; None where it says nothing."""
        return self.apart / self.there if self.there else None

    def beyond(self, tolerance: Decimal) -> bool:
        """Whether it is more than so many percent; always when one side knows nothing of it."""
        if self.measure == "cost" and abs(self.apart) < CENT:
            return False
        if self.here is None or not self.share:
            return bool(self.apart)
        return abs(self.share) * 100 > tolerance


def ledger(provider: str, first: date, last: date, offset: timedelta = timedelta()) -> Ledger:
    """What the calls of a provider have used by day and model; days begin `offset` before those of UTC."""
    facts: dict[str, Any] = {
        "provider": provider,
        "first": first,
        "after": last + timedelta(days=1),
        "offset": offset,
    }
    found = Ledger()
    with connection.cursor() as cursor:
        cursor.execute(_LEDGER, facts)
        for day, model, *counts, tokens, cost, unpriced in cursor.fetchall():
            found.used[day, model] = dict(zip(MEASURES, map(Decimal, counts), strict=True))
            found.estimated_tokens += int(tokens)
            found.estimated_cost += cost
            found.unpriced_calls += unpriced
    return found


def differences(here: ByDayAndModel, export: Export) -> list[Difference]:
    """Each measure of the export where the two are not the same, by day and model."""
    there = _as_we_say(export.used, {model for _, model in here})
    return [
        difference
        for day, model in sorted(here.keys() | there.keys())
        for difference in _compare(
            day, model, here.get((day, model)), there.get((day, model)), export.measures
        )
        if difference.apart
    ]


def total(used: Iterable[Used], measure: str) -> Decimal:
    return sum((one[measure] for one in used), Decimal(0))


def within(export: Export, first: date, last: date) -> Export:
    """Of those days alone."""
    used = {key: counts for key, counts in export.used.items() if first <= key[0] <= last}
    return Export(export.measures, used, export.offset)


def _compare(
    day: date, model: str, here: Used | None, there: Used | None, measures: list[str]
) -> Iterator[Difference]:
    for measure in measures:
        yield Difference(
            day, model, measure, here[measure] if here else None, there[measure] if there else None
        )


def _as_we_say(used: ByDayAndModel, ours: set[str]) -> ByDayAndModel:
    """Dated versions of a model that is asked by its plain name count as that."""
    renamed: ByDayAndModel = {}
    for (day, model), counts in used.items():
        plain = _DATED.sub("", model)
        name = plain if model not in ours and plain in ours else model
        sums = renamed.setdefault((day, name), dict.fromkeys(counts, Decimal(0)))
        for measure, count in counts.items():
            sums[measure] += count
    return renamed
