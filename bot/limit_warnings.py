"""What a limit may be, but may surprise whoever sets it."""

from collections.abc import Sequence

from accounts.limit_sentences import listed
from accounts.models import CLASSES, Limit, Tier
from bot import one_question, unpriced


def of(limit: Limit, tier: Tier | None) -> str:
    """Empty where nothing surprises."""
    classes = tier.classes if tier else CLASSES
    if limit.model_class and limit.model_class not in classes:
        return f"The tier uses no {limit.model_class} models: this limit counts nothing."
    warnings = (_nothing(limit), _unpriced(limit, classes), one_question.too_little(limit, classes, tier))
    return " ".join(filter(None, warnings))


def _nothing(limit: Limit) -> str:
    if limit.amount:
        return ""
    if limit.metric == Limit.Metric.ACTIONS:
        return "At most none: tools do nothing, except to ask for a person."
    models = limit.model or (f"{limit.model_class} models" if limit.model_class else "a model")
    granted = " beyond what they are granted" if limit.scope == Limit.Scope.CUSTOMER else ""
    return f"At most none: nobody is answered by {models}{granted}."


def _unpriced(limit: Limit, classes: Sequence[str]) -> str:
    names = unpriced.names(classes) if limit.metric == Limit.Metric.MONEY else []
    if not names:
        return ""
    return (
        f"No price is known of {listed(names)}: customers whom a limit on money binds are not answered by it."
    )
