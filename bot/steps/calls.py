"""The upstream calls of a turn: each is held for before it is made, and charged whatever became of it."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from accounts import prices, quota, usage
from accounts.models import Limit, UsageEntry
from accounts.prices import MILLION
from bot import leases, metrics
from bot.errors import Fenced, GaveUp
from bot.llm.base import Request
from bot.llm.recorded import Call, CallRecord
from bot.models import Model
from bot.steps import ceilings, paid
from bot.steps.ceilings import Ceilings
from bot.steps.choice import Choice
from bot.steps.work import Work

# So long a restart of the database may take without a call's charge being lost.
CHARGE_SECONDS = 12.0
# Tokens of a sentence or two: an answer that may not even be so long is not worth its prompt.
LEAST_ANSWER = 100
# A token has about four Latin letters: good enough for an entry that is charged anew when its call is over.
LETTERS = 4
_BY_TOKENS = (Limit.Metric.INPUT, Limit.Metric.OUTPUT, Limit.Metric.TOTAL, Limit.Metric.MONEY)

log = structlog.get_logger(__name__)


@dataclass
class Calls:
    """The upstream calls of one turn and what they come to, with those of earlier attempts."""

    work: Work
    choice: Choice
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    # What calls of earlier attempts, whose end nobody has seen, may still come to.
    open_tokens: int = 0
    open_cost: Decimal = Decimal(0)
    # Whether a model has answered yet, and which was to be asked last.
    answered: bool = False
    wanted: Model | None = None
    # How long models were at work, in the calls that are over, and since when the present one is.
    model_seconds: float = 0
    asked_at: float = 0
    # What the calls under way are charged by: what their models cost when they began.
    terms: dict[UUID, prices.Terms] = field(default_factory=dict)
    # What limits the calls.
    bound: usage.Bound = field(default_factory=usage.Bound)

    @classmethod
    def begun(cls, work: Work, choice: Choice) -> "Calls":
        """Those of a turn that begins, or begins anew: what earlier attempts have cost counts."""
        calls = cls(work, choice)
        if work.attempt > 1:
            calls._go_on(UsageEntry.objects.filter(turn=work.turn.id))
        return calls

    @cached_property
    def ceilings(self) -> Ceilings:
        return ceilings.of(self.work.conversation.customer.effective_tier)

    @property
    def tokens_left(self) -> int:
        used = self.input_tokens + self.output_tokens + self.open_tokens
        return max(0, self.ceilings.turn_tokens - used)

    @property
    def money_left(self) -> Decimal:
        return max(Decimal(0), self.ceilings.turn_cost - (self.cost or 0) - self.open_cost)

    def room(self) -> int:
        """How many tokens the next prompt may have at most, with the longest answer to follow.

        Where such an answer would take more than half of what is left, it is the answer that is cut.
        """
        return min(self._room(model) for model in self.choice.models)

    def before(self, call: Call) -> Request:
        """Open the call's entry, then wait with no connection in hand: the pool belongs to those who work.

        Gives the request with an answer no longer than the turn may still cost; raises GaveUp when that is
        hardly any, Exhausted and SpendingStopped.
        """
        self.work.check_fence()
        if self.model:
            paid.refresh(self.choice.models)
        request, model = call.request, self._model(call)
        self.wanted = model
        wanted = request.settings.max_tokens or model.answer_tokens
        read, counted = self._prompt(request, model, wanted)
        if counted > self.ceilings.budget(counted):
            raise GaveUp("prompt tokens")
        written = self._longest_answer(model, read, wanted)
        self.terms[call.id] = model.terms
        begun = self._charge(call, usage.Counted(counted, 0), exact=False)
        usage.begin(begun, self._most(call, read, written), self.bound)
        connection.close()
        self.model = call.model
        self.asked_at = time.monotonic()
        return replace(request, settings=replace(request.settings, max_tokens=written))

    def after(self, record: CallRecord) -> None:
        """Charge the call, whatever became of it."""
        outcome = record.error or "ok"
        charge = self._charge(record.call, record.usage, record.usage.exact, outcome, record.seconds)
        self.terms.pop(record.call.id, None)
        self.answered = self.answered or record.error is None
        self.model_seconds += record.seconds
        self.input_tokens += record.usage.input
        self.output_tokens += record.usage.output
        if charge.cost is not None:
            self.cost = (self.cost or Decimal(0)) + charge.cost
            metrics.count("spent_dollars", float(charge.cost), provider=charge.provider, model=charge.model)
        _tell(record, outcome)
        _end(charge)

    def show(self) -> None:
        """Text of a model is about to be seen: from now on what the customer says makes the next turn."""
        work = self.work
        shown = leases.show(work.turn.id, work.attempt, model=self.model, model_class=self.choice.model_class)
        connection.close()
        if not shown:
            raise Fenced
        work.first_text_at = timezone.now()
        waited = (work.first_text_at - work.turn.queued_at).total_seconds()
        at_work = self.model_seconds + time.monotonic() - self.asked_at
        metrics.observe(
            "first_text_over_model_seconds", max(0, waited - at_work), model_class=self.choice.model_class
        )

    def _go_on(self, entries: Iterable[UsageEntry]) -> None:
        answer = max(self.ceilings.longest_answer(model.answer_tokens) for model in self.choice.models)
        for entry in entries:
            self.input_tokens += entry.input_tokens
            self.output_tokens += entry.output_tokens
            if entry.cost is not None:
                self.cost = (self.cost or Decimal(0)) + entry.cost
            if entry.outcome == usage.OPEN:
                self.open_tokens += answer
                self.open_cost += answer * (entry.output_price or 0) / MILLION

    def _room(self, model: Model) -> int:
        answer = self.ceilings.longest_answer(model.answer_tokens)
        tokens = self.tokens_left - min(answer, self.tokens_left // 2)
        rates = model.terms.rates(model.context_tokens)
        if rates is None or not rates.input:
            return tokens
        money = max(Decimal(0), self.money_left - rates.call)
        reply = min(answer * (rates.output or 0) / MILLION, money / 2)
        return min(tokens, int((money - reply) * MILLION / rates.input))

    def _prompt(self, request: Request, model: Model, wanted: int) -> tuple[int, int]:
        """Its tokens at most, and as well as they are known; counted where the bytes do not tell enough."""
        tally = self.work.tally
        most = tally.by_bytes(request)
        if self._counts_tokens(model) or not self._suffices(model, most, wanted):
            return tally.most_input_tokens(request), tally.input_tokens(request)
        return most, most // LETTERS

    def _counts_tokens(self, model: Model) -> bool:
        rules = self.bound.binding.for_model(self.choice.model_class, model.name)
        return any(rule.metric in _BY_TOKENS for rule in rules)

    def _suffices(self, model: Model, read: int, wanted: int) -> bool:
        """Whether the ceilings leave room for such a prompt and the answer after it."""
        paid = self._paid_for(model, read)
        rich = paid is None or paid >= wanted
        return rich and self.tokens_left - read >= wanted and read <= self.ceilings.budget(read)

    def _longest_answer(self, model: Model, read: int, wanted: int) -> int:
        """Of so many tokens that the turn's tokens and money suffice, once the prompt is read."""
        least = min(wanted, LEAST_ANSWER)
        longest = {"tokens": self.tokens_left - read, "cost": self._paid_for(model, read)}
        for reason, tokens in longest.items():
            if tokens is not None and tokens < least:
                raise GaveUp(reason)
        return min(wanted, *(tokens for tokens in longest.values() if tokens is not None))

    def _paid_for(self, model: Model, read: int) -> int | None:
        """Tokens of an answer that the turn's money pays for; None where nobody knows or nothing costs."""
        rates = model.terms.rates(read)
        cost = rates.cost(usage.Counted(read, 0)) if rates else None
        if rates is None or cost is None:
            return None
        if cost > self.money_left:
            return 0
        return int((self.money_left - cost) * MILLION / rates.output) if rates.output else None

    def _most(self, call: Call, read: int, written: int) -> quota.Most:
        """What the call may come to: its whole prompt and the longest answer.

        At the dearest price ahead, but for limits of this model alone, which no other is charged to.
        """
        own = _at_most(self.terms[call.id], read, written)
        costs = [own, *(_at_most(one.terms, read, written) for one in self.choice.models)]
        dearest = max((cost for cost in costs if cost is not None), default=None)
        return quota.Most(self.choice.model_class, call.model, read, written, dearest, own)

    def _model(self, call: Call) -> Model:
        named = (call.provider, call.model)
        return next(one for one in self.choice.models if (one.provider.name, one.name) == named)

    def _charge(
        self, call: Call, tokens: prices.Tokens, exact: bool, outcome: str = "ok", seconds: float = 0
    ) -> usage.CallCharge:
        conversation = self.work.conversation
        return usage.CallCharge(
            call=call.id,
            turn=self.work.turn.id,
            attempt=self.work.attempt,
            customer=conversation.customer_id,
            site=conversation.site.key,
            tier=conversation.customer.effective_tier.slug,
            provider=call.provider,
            model=call.model,
            model_class=self.choice.model_class,
            tokens=tokens,
            exact=exact,
            terms=self.terms.get(call.id) or self._model(call).terms,
            outcome=outcome,
            seconds=round(seconds, 3),
        )


def _at_most(terms: prices.Terms, read: int, written: int) -> Decimal | None:
    """What a call costs whose prompt is new, or in the provider's cache where that is dearer."""
    costs = (terms.cost(usage.Counted(read, written, cached)) for cached in (0, read))
    return max((cost for cost in costs if cost is not None), default=None)


def _tell(record: CallRecord, outcome: str) -> None:
    call, failure = record.call, record.failure
    provider, model = call.provider, call.model
    metrics.count("upstream_calls", outcome=outcome, provider=provider, model=model)
    if (first := record.first_token_seconds) is not None:
        metrics.observe("upstream_first_token_seconds", first, provider=provider, model=model)
    if failure and failure.needs_operator:
        log.error(
            "provider refuses us", provider=provider, model=model, kind=failure.kind, status=failure.status
        )


def _end(charge: usage.CallCharge) -> None:
    """Close the call's entry, patiently; what cannot be written stays open, a floor of what the call cost."""
    gives_up, wait = time.monotonic() + CHARGE_SECONDS, 0.05
    while True:
        try:
            usage.end(charge)
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if time.monotonic() + wait > gives_up:
                log.error("call not charged", call=str(charge.call), error=type(error).__name__)  # noqa: TRY400
                return
            threading.Event().wait(wait)
            wait = min(wait * 1.6, 1.0)
        else:
            return
