"""Where an alert about limits and money sends its reader."""

from collections.abc import Callable
from typing import Any, TypeAlias

from bot.desk.said import address, row
from bot.models import Alert

Link: TypeAlias = tuple[str, str]
Facts: TypeAlias = dict[str, Any]


def of(alert: Alert) -> list[Link]:
    """Titles and addresses, the first one to look at first; empty for a rule that is not about money."""
    pages = _PAGES.get(alert.rule)
    return pages(alert.facts) if pages and alert.facts else []


def _of_limit(facts: Facts) -> list[Link]:
    return [_limit(facts), _calls(facts), _windows(facts), _switch()]


def _of_window(facts: Facts) -> list[Link]:
    return [_windows(facts), ("Upstream calls", address("accounts_usageentry"))]


def _of_call(facts: Facts) -> list[Link]:
    call = row("accounts_usageentry", facts["entry"])
    return [("The call", call), ("Prices", address("bot_price")), _tiers()]


def _of_hour(facts: Facts) -> list[Link]:
    return [("Upstream calls", address("accounts_usageentry")), _tiers(), _switch()]


def _limit(facts: Facts) -> Link:
    """Where it is raised: with its tier, whose page shows who uses most, or among the budgets."""
    if facts.get("tier_id"):
        return "The tier and who uses most", row("accounts_tier", facts["tier_id"])
    if facts.get("limit_id"):
        return "The budget", row("accounts_limit", facts["limit_id"])
    return _tiers()


def _tiers() -> Link:
    return "Tiers and limits", address("accounts_tier")


def _switch() -> Link:
    return "The switch that stops all spending", address("accounts_deployment")


def _calls(facts: Facts) -> Link:
    """Who has used it, call by call."""
    names = {"tier": facts.get("tier_slug"), "site": facts.get("site_key")}
    return "Upstream calls", address(
        "accounts_usageentry", **{of: name for of, name in names.items() if name}
    )


def _windows(facts: Facts) -> Link:
    searched = {"q": facts["window"]} if facts.get("window") else {}
    return "Windows", address("accounts_window", **searched)


_PAGES: dict[str, Callable[[Facts], list[Link]]] = {
    "budget": _of_limit,
    "many_refused": _of_limit,
    "overrun": _of_window,
    "call_cost": _of_call,
    "hour_cost": _of_hour,
}
