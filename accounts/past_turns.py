"""The turns of the ledger, oldest first: what the upstream calls of each have used together."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

# The newest are read; so many pass two books in less than ten seconds.
MOST = 200_000
_AT_ONCE = 5_000

# The class is that of the last call. A turn counts as answered when its last call wrote something and was no
# error: what was shown the ledger does not know, and that is as near as calls can tell. Those under way are
# not charged yet.
_TURNS = """
SELECT newest.customer, site, tier,
       CASE WHEN c.sub_digest = '' THEN c.address ELSE '' END,
       model_class, model, input, cached, output, reasoning, cost, calls, answered, started
  FROM (
      SELECT customer, max(site) AS site, max(tier) AS tier,
             (array_agg(model_class ORDER BY id DESC))[1] AS model_class,
             (array_agg(model ORDER BY id DESC))[1] AS model,
             sum(input_tokens) AS input, sum(cached_tokens) AS cached,
             sum(output_tokens) AS output, sum(reasoning_tokens) AS reasoning,
             sum(cost) AS cost, count(*) AS calls,
             (array_agg(outcome IN ('ok', 'stopped') AND output_tokens > 0 ORDER BY id DESC))[1] AS answered,
             min(created_at) AS started
        FROM accounts_usageentry
       WHERE created_at >= %(since)s AND outcome <> 'open'
       GROUP BY turn, customer
       ORDER BY started DESC LIMIT %(most)s) newest
  LEFT JOIN accounts_customer c ON c.id = newest.customer
 ORDER BY started
"""


class TurnUse(NamedTuple):
    """One turn. Its tokens are prices.Tokens, too: cached are part of input, reasoning of output."""

    customer: UUID
    site: str
    tier: str
    # A digest, of the anonymous; empty for those whom their site has named.
    address: str
    model_class: str
    model: str
    input: int
    cached_input: int
    output: int
    reasoning: int
    # US dollars; None when no call of it had a known price.
    cost: Decimal | None
    calls: int
    # A model's text was shown, so that it counts as a message.
    answered: bool
    started_at: datetime


def since(moment: datetime, most: int = MOST) -> Iterator[TurnUse]:
    """Turns that began since then, the newest `most` of them; read piece by piece from one statement."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_TURNS, {"since": moment, "most": most})
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from map(_turn, rows)


def _turn(row: tuple[Any, ...]) -> TurnUse:
    customer, site, tier, address, *rest = row
    return TurnUse(customer, site, tier, address or "", *rest)
