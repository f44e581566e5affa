"""Limits in the words of customers: what is counted and in which period, never money.

They are read behind a number, as in "3 of 10 messages today" and "今日消息已用 3 / 10".
"""

import math
from datetime import datetime

from accounts.limits import Rule
from accounts.models import Limit

_METRICS = {
    Limit.Metric.MESSAGES: {"en": "messages", "zh": "消息"},
    Limit.Metric.INPUT: {"en": "tokens read", "zh": "读取量"},
    Limit.Metric.OUTPUT: {"en": "tokens written", "zh": "生成量"},
    Limit.Metric.TOTAL: {"en": "tokens", "zh": "文字总量"},
    Limit.Metric.MONEY: {"en": "usage", "zh": "用量"},
    Limit.Metric.ACTIONS: {"en": "lookups and actions", "zh": "查询与操作"},
}
# What a message to a class of models is to who sends it.
_ANSWERS = {
    "small": {"en": "quick answers", "zh": "快速回答"},
    "large": {"en": "detailed answers", "zh": "详细回答"},
    "reasoning": {"en": "in-depth answers", "zh": "深入思考回答"},
}
_OF_ANSWERS = {"en": "{metric} for {answers}", "zh": "{answers}的{metric}"}
_OF_MODEL = {"en": "{metric} with {model}", "zh": " {model} 的{metric}"}
_PERIODS = {
    Limit.Period.MINUTE: {"en": "this minute", "zh": "本分钟"},
    Limit.Period.HOUR: {"en": "this hour", "zh": "本小时"},
    Limit.Period.DAY: {"en": "today", "zh": "今日"},
    Limit.Period.WEEK: {"en": "this week", "zh": "本周"},
    Limit.Period.MONTH: {"en": "this month", "zh": "本月"},
}
_HOURS = {"en": "within {count} hours", "zh": "{count} 小时内的"}
_DAYS = {"en": "within {count} days", "zh": "{count} 天内的"}
_ONE_HOUR = {"en": "within an hour", "zh": "1 小时内的"}
_ORDER = {"en": "{counted} {period}", "zh": "{period}{counted}"}
_EXTRA = {"en": "extra {said}", "zh": "额外{said}"}
_NETWORK = {"en": "{said} from your network", "zh": "您所在网络的{said}"}
_TOGETHER = {"en": "{said}, shared by all customers", "zh": "全体用户共用的{said}"}
_TWO_DAYS = 48
_MINUTES_OF_TWO_HOURS = 120
# Behind how much of what: "10 messages today", "今日消息（10）".
_AMOUNT = {"en": "{amount:,} {said}", "zh": "{said}（{amount:,}）"}
_IN_MINUTES = {"en": "in {count} minutes", "zh": "{count} 分钟后"}
_IN_ONE_MINUTE = {"en": "in a minute", "zh": "1 分钟后"}
_IN_HOURS = {"en": "in {count} hours", "zh": "{count} 小时后"}
_IN_DAYS = {"en": "in {count} days", "zh": "{count} 天后"}


def label(rule: Rule, locale: str) -> str:
    """Such as "messages today"; languages without words of their own get English."""
    language = locale if locale in _ORDER else "en"
    counted = _counted(rule.metric, rule.model_class, rule.model, language)
    said = _ORDER[language].format(counted=counted, period=_period(rule, language))
    if rule.scope == Limit.Scope.ADDRESS:
        return _NETWORK[language].format(said=said)
    return said if rule.own else _TOGETHER[language].format(said=said)


def named(rule: Rule, locale: str) -> str:
    """The limit with its amount, such as "10 messages today"; of money no amount is told."""
    said, amount = label(rule, locale), int(rule.amount)
    if rule.metric == Limit.Metric.MONEY or amount <= 1:
        return said
    return _AMOUNT[locale if locale in _ORDER else "en"].format(amount=amount, said=said)


def until(moment: datetime, now: datetime, locale: str) -> str:
    """Such as "in 3 hours"; rounded up, so that nobody comes back too early."""
    language = locale if locale in _ORDER else "en"
    minutes = max(1, math.ceil((moment - now).total_seconds() / 60))
    hours = math.ceil(minutes / 60)
    if minutes == 1:
        return _IN_ONE_MINUTE[language]
    if minutes < _MINUTES_OF_TWO_HOURS:
        return _IN_MINUTES[language].format(count=minutes)
    if hours < _TWO_DAYS:
        return _IN_HOURS[language].format(count=hours)
    return _IN_DAYS[language].format(count=math.ceil(hours / 24))


def granted(metric: str, model_class: str, locale: str) -> str:
    """Such as "extra messages"."""
    language = locale if locale in _ORDER else "en"
    return _EXTRA[language].format(said=_counted(metric, model_class, "", language))


def _counted(metric: str, model_class: str, model: str, language: str) -> str:
    named = _METRICS[Limit.Metric(metric)][language]
    if model:
        return _OF_MODEL[language].format(metric=named, model=model)
    if not model_class:
        return named
    answers = _ANSWERS[model_class][language]
    if metric == Limit.Metric.MESSAGES:
        return answers
    return _OF_ANSWERS[language].format(metric=named, answers=answers)


def _period(rule: Rule, language: str) -> str:
    if not rule.hours:
        return _PERIODS[Limit.Period(rule.period)][language]
    if rule.hours == 1:
        return _ONE_HOUR[language]
    if rule.hours >= _TWO_DAYS and rule.hours % 24 == 0:
        return _DAYS[language].format(count=rule.hours // 24)
    return _HOURS[language].format(count=rule.hours)
