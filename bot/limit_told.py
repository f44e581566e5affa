"""Which limit is in a customer's way and when there is more, as they are told it: never money."""

from django.utils import timezone

from accounts import limit_words
from accounts.models import Limit
from accounts.quota import FAR, Exhausted, Standing
from bot import words

_OF_THE_CUSTOMER = (Limit.Scope.CUSTOMER, Limit.Scope.ADDRESS)


def theirs(refused: Exhausted) -> Standing | None:
    """The limit in the way that resets last, where it is one of the customer's or their network's own."""
    last = max(refused.full, key=lambda one: one.resets_at or FAR)
    return last if last.rule.scope in _OF_THE_CUSTOMER else None


def sentence(full: Standing | None, locale: str) -> str:
    """Its name, and when there is more of it; empty where it is none of the customer's.

    Of a limit that nobody has used there is never more than the little that it allows.
    """
    if full is None:
        return ""
    key = "limit.actions" if full.rule.metric == Limit.Metric.ACTIONS else "limit.full"
    said = words.say(key, locale, limit=limit_words.named(full.rule, locale))
    if not full.used or full.resets_at is None:
        return said
    when = limit_words.until(full.resets_at, timezone.now(), locale)
    return words.say("limit.again", locale, said=said, when=when)
