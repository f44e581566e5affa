"""What is held for one question before it is answered: a limit below that lets nobody be answered."""

from collections.abc import Iterable
from decimal import Decimal

from accounts.limit_sentences import plain
from accounts.models import Limit, Tier
from accounts.usage import Counted
from bot import offers
from bot.models import Model
from bot.offers import Offered

# What a prompt usually has: instructions, tools, some of the conversation, a passage of the help pages.
PROMPT_TOKENS = 2_000
_BY_CALL = (Limit.Metric.INPUT, Limit.Metric.OUTPUT, Limit.Metric.TOTAL, Limit.Metric.MONEY)


def too_little(limit: Limit, classes: Iterable[str], tier: Tier | None) -> str:
    """Why a limit may refuse the very first question, by the model that takes most; else empty."""
    if limit.metric not in _BY_CALL or not limit.amount:
        # None at all is what is meant.
        return ""
    takes = [(take, one.model) for one, take in _takes(limit, classes, tier) if take > limit.amount]
    if not takes:
        return ""
    most, model = max(takes)
    if limit.metric == Limit.Metric.MONEY:
        said = f"${plain(most.quantize(Decimal('0.000001')))}"
    else:
        said = f"{plain(most)} tokens"
    return f"A question to {model} usually holds about {said} until it is answered: with less it is refused."


def _takes(limit: Limit, classes: Iterable[str], tier: Tier | None) -> Iterable[tuple[Offered, Decimal]]:
    """What each model that the limit counts holds of it; nothing is known of one without a price."""
    models = Model.objects.values_list("provider__name", "name", "answer_tokens")
    longest = {(provider, name): tokens for provider, name, tokens in models}
    offered = offers.by_class()
    for one in (model for name in classes for model in offered.get(name, [])):
        if limit.model not in ("", one.model) or limit.model_class not in ("", one.model_class):
            continue
        written = longest[one.provider, one.model]
        if tier and tier.answer_tokens:
            written = min(written, tier.answer_tokens)
        take = _take(limit.metric, one, Counted(PROMPT_TOKENS, written))
        if take is not None:
            yield one, take


def _take(metric: str, model: Offered, call: Counted) -> Decimal | None:
    if metric == Limit.Metric.MONEY:
        rates = model.rates(call.input)
        return rates.cost(call) if rates else None
    counts = {Limit.Metric.INPUT: call.input, Limit.Metric.OUTPUT: call.output}
    return Decimal(counts.get(Limit.Metric(metric), call.input + call.output))
