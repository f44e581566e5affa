"""Limits in the words of customers: what is counted and in which period, never money."""

from accounts.limits import Rule
from accounts.models import Limit

_METRICS = {
    Limit.Metric.MESSAGES: {"en": "messages", "zh": "消息"},
    Limit.Metric.INPUT: {"en": "tokens read", "zh": "读取量"},
    Limit.Metric.OUTPUT: {"en": "tokens written", "zh": "生成量"},
    Limit.Metric.TOTAL: {"en": "tokens", "zh": "文字量"},
    Limit.Metric.MONEY: {"en": "usage", "zh": "用量"},
    Limit.Metric.ACTIONS: {"en": "lookups and actions", "zh": "查询与操作"},
}
_PERIODS = {
    Limit.Period.MINUTE: {"en": "this minute", "zh": "本分钟"},
    Limit.Period.HOUR: {"en": "this hour", "zh": "本小时"},
    Limit.Period.FIRST_USE: {"en": "in {hours} hours", "zh": "{hours} 小时内"},
    Limit.Period.DAY: {"en": "today", "zh": "今日"},
    Limit.Period.WEEK: {"en": "this week", "zh": "本周"},
    Limit.Period.MONTH: {"en": "this month", "zh": "本月"},
}
_CLASSES = {
    "small": {"en": "quick", "zh": "快速"},
    "large": {"en": "detailed", "zh": "详细"},
    "reasoning": {"en": "in-depth", "zh": "深入思考"},
}
_ORDER = {"en": "{model}{metric} {period}", "zh": "{period}{model}{metric}"}
_EXTRA = {"en": "extra {said}", "zh": "额外{said}"}
_NETWORK = {"en": "{said} from your network", "zh": "您所在网络的{said}"}
_TOGETHER = {"en": "{said}, of everybody", "zh": "全体用户的{said}"}


def label(rule: Rule, locale: str) -> str:
    """Such as "messages today"; languages without words of their own get English."""
    language = locale if locale in _ORDER else "en"
    about = rule.model or _CLASSES.get(rule.model_class, {}).get(language, "")
    space = " " if language == "en" and about else ""
    said = _ORDER[language].format(
        model=about + space,
        metric=_METRICS[Limit.Metric(rule.metric)][language],
        period=_PERIODS[Limit.Period(rule.period)][language].format(hours=rule.hours),
    )
    if rule.scope == Limit.Scope.ADDRESS:
        return _NETWORK[language].format(said=said)
    return said if rule.own else _TOGETHER[language].format(said=said)


def granted(metric: str, model_class: str, locale: str) -> str:
    """Such as "extra messages"."""
    language = locale if locale in _ORDER else "en"
    about = _CLASSES.get(model_class, {}).get(language, "")
    space = " " if language == "en" and about else ""
    return _EXTRA[language].format(said=about + space + _METRICS[Limit.Metric(metric)][language])
