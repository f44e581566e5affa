"""Limits and their windows by name, for admins."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts import limit_sentences
from accounts.limits import Rule
from accounts.models import Limit, Window
from bot.desk.budget import Budget
from bot.desk.dollars import dollars

_COUNTED = {
    "messages": "messages",
    "input_tokens": "tokens read",
    "output_tokens": "tokens written",
    "total_tokens": "tokens",
    "actions": "tool actions",
}
_PERIODS = {"minute": "a minute", "hour": "an hour", "day": "a day", "week": "a week", "month": "a month"}
_ONE = {
    "messages": "message",
    "input_tokens": "token read",
    "output_tokens": "token written",
    "total_tokens": "token",
    "actions": "tool action",
}
# Of an address nothing but its digest is known: so much of it tells one from another.
_DIGITS = 8
# As Rule.key puts it together; a model's name may have colons of its own.
_KEY = re.compile(r"(\w+):(.*):(minute|hour|day|month|week:\d|first:\d+h)")
THEN = {
    Limit.WhenFull.NEXT: "the next cheaper class answers where it has room, and otherwise no model",
    Limit.WhenFull.DEGRADE: "no model answers: customers get prepared answers and help pages",
    Limit.WhenFull.TEXT: "no model answers: customers get the text that the limit names",
}


def name(limit: Limit) -> str:
    """Such as "The deployment, $20 a month"."""
    about = limit.model or limit.model_class
    on = f" on {about}" if about else ""
    return f"{_whose(limit)}, {_amount(limit)} {period(limit.period, limit.hours)}{on}"


def period(length: str, hours: int | None = None) -> str:
    return f"in {hours} h from first use" if hours else _PERIODS[length]


def much(metric: str, number: Any) -> str:
    """$1.20, 1 message, 1,500 tokens read."""
    said = _number(metric, number)
    if metric == Limit.Metric.MONEY:
        return said
    return f"{said} {(_ONE if number == 1 else _COUNTED)[metric]}"


def _number(metric: str, number: Any) -> str:
    return dollars(number) if metric == Limit.Metric.MONEY else limit_sentences.plain(number)


def moment(at: datetime, zone: str) -> str:
    """On the deployment's clocks."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def facts(one: Budget) -> dict[str, Any]:
    """What words about a shared limit name."""
    limit = one.limit
    return limit_facts(limit) | {
        "used": _number(limit.metric, one.used),
        "amount": much(limit.metric, limit.amount),
        "share": round(one.percent, 1),
        "ends": moment(one.ends_at, one.rule.zone) if one.ends_at else "",
        "window": one.rule.subject,
    }


def limit_facts(limit: Limit) -> dict[str, Any]:
    return {
        "limit": name(limit),
        "limit_id": limit.id,
        "tier_id": limit.tier_id,
        "tier_slug": limit.tier.slug if limit.tier else "",
        "site_key": limit.site.key if limit.site else "",
    }


def rule_facts(rule: Rule) -> dict[str, Any]:
    """Of a limit without a row: the environment sets it."""
    return {
        "limit": f"Each network address, {much(rule.metric, rule.amount)} {period(rule.period, rule.hours)}"
    }


def window_facts(window: Window, zone: str) -> dict[str, Any]:
    """What words about a window name, whether or not its limit is still there."""
    what, metric = measure(window.rule)
    return {
        "limit": f"{subject(window.subject)}, {what}",
        "over": much(metric, window.overrun),
        "used": much(metric, window.settled),
        "ends": moment(window.ends_at, zone),
        "window": window.subject,
    }


def measure(key: str) -> tuple[str, str]:
    """What a rule's key counts, in words, and its metric."""
    found = _KEY.fullmatch(key)
    if not found:
        return key, "messages"
    metric, about, length = found.groups()
    of = "" if about == "any" else f" on {about.removeprefix('model=')}"
    kind, _, rest = length.partition(":")
    lasts = period("", int(rest[:-1])) if kind == "first" else _PERIODS[kind]
    return f"{counted(metric)} {lasts}{of}", metric


def counted(metric: str) -> str:
    return "money" if metric == Limit.Metric.MONEY else _COUNTED.get(metric, metric)


def subject(counted_for: str) -> str:
    """Such as "Tier plus", "The deployment" or "Network address 327a90bc"; of a customer the number."""
    kind, _, rest = counted_for.partition(":")
    if kind == "address":
        *site, digest = rest.split(":")
        return f"Network address {digest[:_DIGITS]}{', at one site' if site else ''}"
    return f"{kind.capitalize()} {rest}" if rest else f"The {kind}"


def _whose(limit: Limit) -> str:
    match limit.scope:
        case Limit.Scope.TIER:
            return f"Tier {limit.tier} together"
        case Limit.Scope.SITE:
            return f"Site {limit.site}"
        case Limit.Scope.CUSTOMER:
            return f"Each customer of {limit.tier}"
        case Limit.Scope.ADDRESS:
            return "Each network address"
    return "The deployment"


def _amount(limit: Limit) -> str:
    """As it was entered: dollars without cents that are none."""
    money = limit.metric == Limit.Metric.MONEY
    return limit_sentences.amount(limit.metric, limit.amount) if money else much(limit.metric, limit.amount)
