"""What is worth an e-mail to the admins, measured: each rule's value now and its bound.

Those in here, all but the last, look at the last 15 minutes. Turns are found through their conversations'
activity and upstream calls by their time, for these have indexes.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache, partial
from statistics import median

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet

from accounts.models import UsageEntry
from bot import line, metrics
from bot.desk import audit_night, budget_rules, ledger_night, nights, refusal_rules, spending_rules
from bot.desk.reading import Reading
from bot.llm.breaker import Thresholds
from bot.llm.redis_breakers import RedisBreakers
from bot.models import Model, Turn

WINDOW = timedelta(minutes=15)
# One failure at night wakes nobody.
LEAST_FAILURES = 3
LEAST_TURNS = 20
PAST_WEEKS = 4
LEAST_WEEKS = 2
# For so long a provider that refused us, or a model that was left alone, has to go well.
STEADY = timedelta(minutes=5)
# Outcomes of upstream calls that are no fault of the provider, and of ours none that is not mended.
NO_FAULT = ("ok", "stopped", "open", "lost", "content_refused", "context_too_long")


def _success(now: datetime) -> Iterator[Reading]:
    """Percent of turns that ended as they should; an allowance that is used up is no failure."""
    bad = Q(outcome="failed") | Q(outcome="degraded", reason="model_down")
    good = Q(outcome__in=["answered", "awaiting_approval", "handed_over", "stopped"])
    ended = _recent(now).filter(finished_at__gte=now - WINDOW)
    counts = ended.aggregate(good=Count("id", filter=good), bad=Count("id", filter=bad))
    if total := counts["good"] + counts["bad"]:
        share = 100 * counts["good"] / total
        yield Reading("", share, 95, share < 95 and counts["bad"] >= LEAST_FAILURES, back=share >= 97)


# Of each turn: from its message to its first text, less the time that models were at work for it.
_FIRST_TEXT = """
SELECT count(*), percentile_cont(0.95) WITHIN GROUP (ORDER BY
         extract(epoch FROM first_text_at - queued_at) - (
           SELECT coalesce(sum(extract(epoch FROM least(
                    call.created_at + call.seconds * interval '1 second', turn.first_text_at
                  ) - call.created_at)), 0)
             FROM accounts_usageentry call WHERE call.turn = turn.id AND call.created_at < turn.first_text_at
         ))
  FROM bot_turn turn JOIN bot_conversation conversation ON conversation.id = turn.conversation_id
 WHERE conversation.active_at >= %(since)s AND turn.first_text_at >= %(since)s
   AND turn.state = 'done' AND turn.answers_id IS NULL
"""


def _first_text(now: datetime) -> Iterator[Reading]:
    """The 95th percentile, in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_TEXT, {"since": now - WINDOW})
        count, p95 = cursor.fetchone()
    if count:
        yield Reading("", float(p95), 2, p95 > 2 and count >= LEAST_TURNS, back=p95 < 1.5)


def _upstream_errors(now: datetime) -> Iterator[Reading]:
    """By provider, percent of its calls that failed."""
    fault = ~Q(outcome__in=NO_FAULT)
    rows = _calls(now).exclude(outcome="open").values("provider")
    for row in rows.annotate(
        made=Count("id"), failed=Count("id", filter=fault), turns=Count("turn", filter=fault, distinct=True)
    ):
        share = 100 * row["failed"] / row["made"]
        crossed = share > 5 and row["turns"] >= LEAST_FAILURES
        yield Reading(row["provider"], share, 5, crossed, back=share <= 3)


def _refusal(outcome: str, now: datetime) -> Iterator[Reading]:
    """Calls that came back with `outcome`, by provider, or by model where it is about the model."""
    by = ("provider", "model") if outcome == "unknown_model" else ("provider",)
    refused, well = Q(outcome=outcome), Q(outcome="ok")
    rows = _calls(now).filter(refused | well).values(*by)
    for row in rows.annotate(
        count=Count("id", filter=refused),
        refused=Max("created_at", filter=refused),
        well=Max("created_at", filter=well),
    ):
        if row["count"]:
            since = row["well"] is not None and row["well"] > row["refused"]
            back = since and row["refused"] < now - STEADY
            yield Reading(": ".join(row[name] for name in by), row["count"], 0, not since, back)


def _traffic(now: datetime) -> Iterator[Reading]:
    """Turns an hour at the pace of this window, against the same hour of past weeks."""
    usual = _usual(now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0))
    if usual is not None:
        turns = _recent(now).filter(queued_at__gte=now - WINDOW).count()
        pace = turns * (timedelta(hours=1) / WINDOW)
        crossed = pace > 1.5 * usual and turns >= LEAST_TURNS
        yield Reading("", pace, 1.5 * usual, crossed, back=pace <= 1.25 * usual)


@lru_cache(maxsize=1)
def _usual(middle: datetime) -> float | None:
    """Turns in the hour around `middle`, the median of past weeks; None without two weeks of history.

    It reads all turns, once in a quarter of an hour.
    """
    half = timedelta(minutes=30)
    weeks = [middle - timedelta(weeks=back) for back in range(1, PAST_WEEKS + 1)]
    hours = {
        f"week_{back}": Count("id", filter=Q(queued_at__gte=week - half, queued_at__lt=week + half))
        for back, week in enumerate(weeks, start=1)
    }
    facts = Turn.objects.filter(answers__isnull=True).aggregate(first=Min("queued_at"), **hours)
    counts = [
        facts[name]
        for name, week in zip(hours, weeks, strict=True)
        if facts["first"] and facts["first"] <= week - half
    ]
    return median(counts) if len(counts) >= LEAST_WEEKS else None


def _queue(now: datetime) -> Iterator[Reading]:
    """Seconds that the oldest message has waited for a worker."""
    waited = line.oldest_wait(now)
    yield Reading("", waited, 30, waited > 30, back=waited < 10)


def _breakers(now: datetime) -> Iterator[Reading]:
    """Failed calls of each model, and whether it is left alone for them. Raises RedisError."""
    fault = ~Q(outcome__in=NO_FAULT)
    rows = _calls(now).filter(fault).values_list("provider", "model")
    failed = {
        (provider, model): rest for provider, model, *rest in rows.annotate(Count("id"), Max("created_at"))
    }
    for (provider, model), is_open in open_breakers().items():
        count, last = failed.get((provider, model), (0, None))
        back = not is_open and (last is None or last < now - STEADY)
        yield Reading(f"{provider}: {model}", count, Thresholds().failures, is_open, back)


def _audit(now: datetime) -> Iterator[Reading]:
    """The first entry of the audit log that does not hold. Raises RedisError."""
    wrong = audit_night.wrong(now)
    yield Reading("", wrong or 0, 0, wrong is not None, back=wrong is None)


def _retention(now: datetime) -> Iterator[Reading]:
    """Hours since old text was last deleted, for the site that has waited longest."""
    if (hours := nights.hours_since(now)) is not None:
        late = hours > nights.LATE_HOURS
        yield Reading("", hours, nights.LATE_HOURS, late, back=not late)


def open_breakers() -> dict[tuple[str, str], bool]:
    """Of each model in use, by provider and model, whether it is left alone. Raises RedisError."""
    # Breakers themselves go on without Redis, by what this process has seen, which here is nothing.
    metrics.client().ping()
    breakers = RedisBreakers(metrics.client())
    rows = Model.objects.filter(enabled=True, provider__enabled=True).values_list("provider__name", "name")
    return {
        (provider, model): breakers.state(f"{provider}:{model}") != "closed"
        for provider, model in sorted(set(rows))
    }


def _recent(now: datetime) -> QuerySet[Turn]:
    """Turns for a customer's message in conversations with activity within the window."""
    return Turn.objects.filter(conversation__active_at__gte=now - WINDOW, answers__isnull=True)


def _calls(now: datetime) -> QuerySet[UsageEntry]:
    return UsageEntry.objects.filter(created_at__gte=now - WINDOW)


Rule = Callable[[datetime], Iterator[Reading]]

RULES: dict[str, Rule] = {
    "success": _success,
    "first_text": _first_text,
    "upstream_errors": _upstream_errors,
    "refused": partial(_refusal, "refused"),
    "quota_gone": partial(_refusal, "quota_gone"),
    "unknown_model": partial(_refusal, "unknown_model"),
    "traffic": _traffic,
    "queue": _queue,
    "breaker": _breakers,
    "audit": _audit,
    "retention": _retention,
    "budget": budget_rules.thresholds,
    "overrun": budget_rules.overruns,
    "many_refused": refusal_rules.many,
    "call_cost": spending_rules.dear_calls,
    "hour_cost": spending_rules.dear_hours,
    "unpriced": spending_rules.unpriced,
    "stopped": spending_rules.stopped,
    "ledger": ledger_night.readings,
}
