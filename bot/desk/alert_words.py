"""What an alert says, in sentences: for the e-mail and the admin."""

from dataclasses import replace
from typing import Any

from bot.desk import spending_pages, spending_words
from bot.desk.said import Said, address
from bot.models import Alert

_CALLS = ("Upstream calls", "accounts_usageentry")
_PROVIDERS = ("Providers", "bot_provider")
_MODELS = ("Models", "bot_model")
_ALERTS = ("Alerts", "bot_alert")
_AUDIT = ("Audit log", "accounts_auditentry")
_NIGHTS = ("Deletions", "bot_retentionrun")

_WORDS: dict[str, Said] = {
    "success": Said(
        "Answers fail",
        "{value:.1f} % of turns ended well in the last 15 minutes",
        "less than {bound:.0f} %",
        "Customers get prepared answers, help pages or an apology where a model should have answered.",
        "See which upstream calls failed, and why. If all went well, look at the logs for “scrubber down”: "
        "without it nothing goes to a model.",
        *_CALLS,
    ),
    "first_text": Said(
        "Answers begin late",
        "the slowest 5 % began after {value:.1f} s, the model’s time not counted",
        "more than {bound:.0f} s",
        "The time is lost on our side: in the line for a worker, in the database, in tools or in scrubbing.",
        "Compare the workers’ busy places with their number on /metrics, and start another worker if all are "
        "busy. Otherwise look at the database and the load of the machines.",
        *_ALERTS,
    ),
    "upstream_errors": Said(
        "Calls of {subject} fail",
        "{value:.1f} % of its calls failed in the last 15 minutes",
        "more than {bound:.0f} %",
        "Other models of the same class answer where there are any; customers may wait longer.",
        "See which errors they are, and look at the provider’s own status page.",
        *_CALLS,
    ),
    "refused": Said(
        "{subject} refuses our key",
        "{value:.0f} calls were refused with 401 or 403 in the last 15 minutes",
        "the first one",
        "The key is wrong, expired or lacks a right. Until that is changed none of its models answers.",
        "Put a valid key in, and use “Test connection”.",
        *_PROVIDERS,
    ),
    "quota_gone": Said(
        "The account at {subject} is used up",
        "{value:.0f} calls were refused for want of quota or credit in the last 15 minutes",
        "the first one",
        "No model of this provider answers until the account has credit again.",
        "Top up the account or raise its limit with the provider.",
        *_PROVIDERS,
    ),
    "unknown_model": Said(
        "{subject} does not exist",
        "{value:.0f} calls were answered with 404 in the last 15 minutes",
        "the first one",
        "The provider does not offer a model of this name, or does not offer it to this key.",
        "Correct the model’s name, or take the model out of use.",
        *_MODELS,
    ),
    "traffic": Said(
        "Unusually many messages",
        "{value:.0f} turns an hour at the pace of the last 15 minutes",
        "more than {bound:.0f}, 1.5 times what is usual at this hour",
        "A campaign, an incident that makes customers write, or somebody who abuses the chat.",
        "See in the desk what is asked, and in the windows whether few customers or addresses use up much.",
        "Windows",
        "accounts_window",
    ),
    "queue": Said(
        "Messages wait for a worker",
        "the oldest one has waited for {value:.0f} s",
        "more than {bound:.0f} s",
        "There are too few workers for what is asked, or one does not take work any more.",
        "/health/ready says whether a worker lives and takes work. If it does, start another one.",
        *_ALERTS,
    ),
    "breaker": Said(
        "{subject} is left alone",
        "{value:.0f} of its calls failed in the last 15 minutes",
        "{bound:.0f} within 30 s, or one refusal",
        "It failed too often and is asked only now and then. Other models of its class answer meanwhile.",
        "See which errors they are. It is asked again by itself once a call goes well.",
        *_CALLS,
    ),
    "audit": Said(
        "The audit log was changed",
        "entry {value:.0f} is missing or is not as it was written",
        "the first one",
        "Somebody changed the log in the database itself, or an older backup was restored.",
        "Find out who could write to the database. `manage.py verify_audit` checks the log again; with a "
        "head that was kept outside it also tells whether the end was cut off.",
        *_AUDIT,
    ),
    "retention": Said(
        "Old text is not deleted",
        "the last whole run was {value:.0f} h ago",
        "more than {bound:.0f} h",
        "What customers said is kept for longer than their site promises.",
        "See whether beat and a worker run: they do it every day. `manage.py forget_old` does it now.",
        *_NIGHTS,
    ),
    **spending_words.WORDS,
}


class _Facts(dict[str, Any]):
    """What an alert of an earlier version does not know is left out."""

    def __missing__(self, name: str) -> str:
        return "?"


def say(alert: Alert) -> Said:
    """An alert in words; one of a rule that is no more by its bare name."""
    words = _WORDS.get(alert.rule) or Said(alert.rule, "{value:g}", "{bound:g}", "", "", *_ALERTS)
    facts = _Facts(alert.facts, subject=alert.subject, value=alert.value, bound=alert.bound)
    first, *more = spending_pages.of(alert) or [
        (words.page_title, address(words.page, **_filters(alert, words.page)))
    ]
    said = {
        name: getattr(words, name).format_map(facts)
        for name in ("title", "measured", "bound", "meaning", "look")
    }
    return replace(words, **said, page_title=first[0], page=first[1], links=tuple(more))


def _filters(alert: Alert, page: str) -> dict[str, str]:
    """The calls of the provider that the alert is about."""
    provider = alert.subject.partition(": ")[0]
    return {"provider": provider} if provider and page == "accounts_usageentry" else {}
