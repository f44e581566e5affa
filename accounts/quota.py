"""How much may still be used: what is held before it is used, and settled to what it was.

A use is a turn's message, an upstream call or a tool action. Each step is one SQL statement (the functions of
migrations/0004_ledger.sql): it is all or nothing, waits for no network, and locks in one order. A use that
neither settles nor releases what it holds loses it when the hold expires.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts import limit_words, limits
from accounts.limits import Binding, Rule
from accounts.models import Customer, Limit

HOLD = "SELECT * FROM accounts_hold_quota(%(claims)s, %(uses)s, %(turn)s, %(customer)s, %(now)s, %(expires)s)"
# Whatever became of its holds, what a call has cost is counted.
SETTLE = "accounts_end_quota(ARRAY[%(use)s], %(used)s, 'settled', '{held,expired,released,settled}')"
_END = "SELECT accounts_end_quota(%s, %s, %s, %s)"
_STANDING = """
SELECT coalesce(w.held + w.settled, 0), w.ends_at, coalesce(w.usual, 0)
  FROM jsonb_array_elements(%(measures)s) WITH ORDINALITY AS m(measure, place)
  LEFT JOIN LATERAL (
      SELECT * FROM accounts_window
       WHERE rule = measure->>'rule' AND subject = measure->>'subject'
         AND CASE WHEN measure->>'number' IS NULL THEN ends_at > %(now)s AND held + settled > 0
                  ELSE number = (measure->>'number')::bigint END
       ORDER BY number DESC LIMIT 1) w ON true
 ORDER BY place
"""


FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Standing:
    """How far a rule's window is used, with what is held; `resets_at` is None before a first use.

    `usual` is what was last held: one more use may take as much.
    """

    rule: Rule
    used: Decimal
    resets_at: datetime | None
    usual: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.rule.amount - self.used)


class SpendingStopped(Exception):
    """An admin has stopped all spending."""


class Exhausted(Exception):
    """Limits that have no room; the text is the one that resets last, in the customer's language."""

    def __init__(self, full: list[Standing], locale: str) -> None:
        told = max(full, key=lambda standing: standing.resets_at or FAR)
        self.label = limit_words.label(told.rule, locale)
        super().__init__(self.label)
        self.full = full
        self.amount = told.rule.amount
        self.resets_at = told.resets_at
        self.steps_down = any(one.rule.when_full == Limit.WhenFull.NEXT for one in full)
        texts = [one.rule.words for one in full if one.rule.when_full == Limit.WhenFull.TEXT]
        self.text = next((said for words in texts if (said := words.get(locale) or words.get("en", ""))), "")


@dataclass(frozen=True)
class Most:
    """What one upstream call may come to at most; costs in US dollars, None where nobody knows a price.

    `cost` is that of the dearest model that may yet be asked; `own_cost` that of this one, if it differs.
    """

    model_class: str
    model: str
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    own_cost: Decimal | None = None

    def of(self, rule: Rule) -> Decimal | None:
        """What it may take of what the rule limits; None where it takes nothing."""
        return {
            Limit.Metric.INPUT.value: Decimal(self.input_tokens),
            Limit.Metric.OUTPUT.value: Decimal(self.output_tokens),
            Limit.Metric.TOTAL.value: Decimal(self.input_tokens + self.output_tokens),
            Limit.Metric.MONEY.value: self.cost if self.own_cost is None or not rule.model else self.own_cost,
        }.get(rule.metric)


@dataclass(frozen=True)
class Claim:
    """What a use wants of one rule's window."""

    rule: Rule
    use: UUID
    take: Decimal
    model_class: str = ""

    def as_json(self, place: int, now: datetime) -> dict[str, Any]:
        rule = self.rule
        return _measure(rule, now) | {
            "place": place,
            "use": str(self.use),
            "metric": rule.metric,
            "model_class": self.model_class,
            "take": str(self.take),
            "limit_id": rule.limit,
            "amount": str(rule.amount),
            "own": rule.own,
        }


def message_claims(binding: Binding, turn: UUID, model_class: str = "", model: str = "") -> list[Claim]:
    """One message in each window that counts messages of this class and model."""
    rules = [r for r in binding.for_model(model_class, model) if r.metric == Limit.Metric.MESSAGES]
    return [Claim(rule, turn, Decimal(1), model_class) for rule in limits.ordered(rules)]


def call_claims(binding: Binding, call: UUID, most: Most) -> list[Claim]:
    """Tokens and money of an upstream call in each window that counts them."""
    rules = limits.ordered(binding.for_model(most.model_class, most.model))
    takes = ((rule, most.of(rule)) for rule in rules)
    return [Claim(rule, call, take, most.model_class) for rule, take in takes if take is not None]


def hold(
    turn: UUID, customer: Customer, *, seconds: float, now: datetime | None = None, model_class: str = ""
) -> None:
    """Reserve the turn's message in each of the customer's windows, or in none and raise Exhausted.

    A use counts once: while it is held, and after it was settled, holding it again changes nothing. After it
    was released or has expired, or when other limits count it by now, it is held anew if there is still room.
    """
    claims = message_claims(limits.binding(customer, now), turn, model_class)
    _hold(claims, turn, turn, customer, seconds, now)


def hold_action(
    action: UUID,
    turn: UUID,
    customer: Customer,
    *,
    seconds: float,
    now: datetime | None = None,
    binding: Binding | None = None,
    model_class: str = "",
    model: str = "",
) -> bool:
    """Reserve one action of a tool that a model, if any, asks for; False where no limit counts it.

    Raises Exhausted.
    """
    binding = limits.binding(customer, now) if binding is None else binding
    counting = [r for r in binding.for_model(model_class, model) if r.metric == Limit.Metric.ACTIONS]
    claims = [Claim(rule, action, Decimal(1), model_class) for rule in limits.ordered(counting)]
    if claims:
        _hold(claims, action, turn, customer, seconds, now)
    return bool(claims)


def _hold(
    claims: list[Claim], use: UUID, turn: UUID, customer: Customer, seconds: float, now: datetime | None
) -> None:
    facts = hold_facts(claims, [use], turn, customer.id, seconds, now or timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(HOLD, facts)
        refuse(cursor.fetchall(), claims, customer.locale)


def hold_facts(
    claims: list[Claim], uses: list[UUID], turn: UUID, customer: UUID, seconds: float, now: datetime
) -> dict[str, Any]:
    """The values of HOLD: one of `uses` that claims nothing gives back what it holds."""
    ordered = _in_order(claims)
    return {
        "claims": json.dumps([claim.as_json(place, now) for place, claim in enumerate(ordered)]),
        "uses": uses,
        "turn": turn,
        "customer": customer,
        "now": now,
        "expires": now + timedelta(seconds=seconds),
    }


def refuse(rows: list[tuple[Any, ...]], claims: list[Claim], locale: str) -> None:
    """Raise what HOLD's answer says: Exhausted, SpendingStopped, or nothing."""
    if not rows:
        return
    if rows[0][0] < 0:
        raise SpendingStopped
    ordered = _in_order(claims)
    full = [
        Standing(replace(ordered[place].rule, amount=amount), used, ends)
        for place, used, amount, ends in rows
    ]
    raise Exhausted(full, locale)


def settle(use: UUID) -> None:
    """Turn what this use holds into used. After the hold expired it still counts, as overrun."""
    _end([use], None, "settled", ["held", "expired"])


def release(*uses: UUID) -> None:
    """Give back what these uses hold, in one statement; what was settled stays counted."""
    _end([*uses], "{}", "released", ["held"])


def lock(*uses: UUID) -> None:
    """Have these uses for oneself until the transaction ends; whoever locks more does so before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_lock_uses(%s)", [[*uses]])


def expire(now: datetime | None = None) -> int:
    """Give back what was held too long; the number of holds that ended so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_expire_quota(%s)", [now or timezone.now()])
        return int(cursor.fetchone()[0])


def standing(rules: Iterable[Rule], now: datetime | None = None) -> list[Standing]:
    """How far the window of each rule is used."""
    now, rules = now or timezone.now(), list(rules)
    if not rules:
        return []
    with connection.cursor() as cursor:
        measures = json.dumps([_measure(rule, now) for rule in rules])
        cursor.execute(_STANDING, {"measures": measures, "now": now})
        rows = cursor.fetchall()
    spans = [rule.span(now) for rule in rules]
    return [
        Standing(rule, used, span.ends_at if span else ends, usual)
        for rule, span, (used, ends, usual) in zip(rules, spans, rows, strict=True)
    ]


def _measure(rule: Rule, now: datetime) -> dict[str, Any]:
    """The rule's window, in the words of the statements."""
    span = rule.span(now)
    named = {"rule": rule.key, "subject": rule.subject}
    if span is None:
        return named | {"number": None, "hours": rule.hours}
    starts, ends = span.starts_at.isoformat(), span.ends_at.isoformat()
    return named | {"number": span.number, "starts": starts, "ends": ends}


def _in_order(claims: list[Claim]) -> list[Claim]:
    return sorted(claims, key=lambda claim: (claim.rule.key, claim.rule.subject))


def _end(uses: list[UUID], used: str | None, becomes: str, was: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_END, [uses, used, becomes, was])
