"""How far each limit that binds one customer is used, for admins: what is settled and what is held."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.safestring import SafeString

from accounts import limits, quota, spending
from accounts.limit_sentences import sentence
from accounts.live_usage import Bar
from accounts.models import Customer, Limit, Window
from bot import limit_pages

NOTHING = Decimal(0)
PER_ADDRESS = "The anonymous visitors of this network address together, as the environment says."


@dataclass(frozen=True)
class Use:
    """One limit, as a sentence and as a bar."""

    own: bool
    sentence: str
    bar: SafeString


def of(customer: Customer) -> list[Use]:
    """Those of the customer alone first, then those they share."""
    now, zone = timezone.now(), spending.zone()
    rules = sorted(limits.binding(customer, now).rules, key=lambda rule: (not rule.own, rule.key))
    known = Limit.objects.select_related("tier", "site").in_bulk([rule.limit for rule in rules if rule.limit])
    held = _held({rule.subject for rule in rules}, now)
    uses = []
    for one in quota.standing(rules, now):
        part = min(one.used, held.get((one.rule.key, one.rule.subject), NOTHING))
        bar = Bar(one.used - part, part, one.rule.amount, one.resets_at, [])
        said = sentence(known[one.rule.limit], zone) if one.rule.limit else PER_ADDRESS
        uses.append(Use(one.rule.own, said, limit_pages.bar(bar, one.rule.metric, zone)))
    return uses


def _held(subjects: set[str], now: datetime) -> dict[tuple[str, str], Decimal]:
    """By what is counted and for whom, how much is held in the windows of now."""
    windows = Window.objects.filter(subject__in=subjects, starts_at__lte=now, ends_at__gt=now, held__gt=0)
    return {(window.rule, window.subject): window.held for window in windows.order_by("number")}
