"""The turns of the ledger, oldest first: what the upstream calls of each have used together."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

# The newest are read; so many pass two books in less than ten seconds.
MOST = 200_000
_AT_ONCE = 5_000

# A turn has the class of its last call, and counts as answered when that wrote something and was no error:
# what was shown the ledger does not know, and this is as near as calls tell it. Those under
# way are not charged yet.
_TURNS = """
SELECT turns.customer::text, last.site, last.tier,
       CASE WHEN c.sub_digest = '' THEN c.address ELSE '' END,
       last.model_class, last.model, input, cached, output, reasoning, turns.cost, calls,
       last.outcome IN ('ok', 'stopped') AND last.output_tokens > 0,
       extract(epoch FROM began)::float
  FROM (
      SELECT customer, max(id) AS last, count(*) AS calls, min(created_at) AS began, sum(cost) AS cost,
             sum(input_tokens) AS input, sum(cached_tokens) AS cached, sum(output_tokens) AS output,
             sum(reasoning_tokens) AS reasoning
        FROM accounts_usageentry
       WHERE created_at >= %(since)s AND outcome <> 'open'
       GROUP BY turn, customer
       ORDER BY began DESC LIMIT %(most)s) turns
  JOIN accounts_usageentry last ON last.id = turns.last
  LEFT JOIN accounts_customer c ON c.id = turns.customer
 ORDER BY began
"""


class TurnUse(NamedTuple):
    """One turn. Its tokens are prices.Tokens, too: cached are part of input, reasoning of output."""

    customer: str
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
    # When its first call did, in seconds since 1970.
    began: float


def since(moment: datetime, most: int | None = None) -> Iterator[TurnUse]:
    """Turns that began since then, the newest `most` (or MOST) of them; read in pieces, by one statement."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_TURNS, {"since": moment, "most": most or MOST})
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from map(TurnUse._make, rows)
