"""Limits as plain sentences, for admins: who may use how much, of what, since when, and what comes then."""

from decimal import Decimal

from accounts.models import CLASSES, Limit

Metric, Period, Scope, WhenFull = Limit.Metric, Limit.Period, Limit.Scope, Limit.WhenFull

_COUNTED = {
    Metric.MESSAGES: ("message answered by {models}", "messages answered by {models}"),
    Metric.INPUT: ("token read by {models}", "tokens read by {models}"),
    Metric.OUTPUT: ("token written by {models}", "tokens written by {models}"),
    Metric.TOTAL: ("token read or written by {models}", "tokens read or written by {models}"),
    Metric.ACTIONS: ("tool action", "tool actions"),
}
_PERIODS = {Period.MINUTE: "a minute", Period.HOUR: "an hour"}
# Windows of these begin on the clocks of the deployment.
_ON_THE_CLOCK = {
    Period.DAY: "a day, beginning at 00:00 {zone}",
    Period.WEEK: "a week, beginning on {weekday} at 00:00 {zone}",
    Period.MONTH: "a month, beginning on the 1st at 00:00 {zone}",
}


def sentence(limit: Limit, zone: str) -> str:
    """Such as "Each customer: at most 10 messages answered by models a minute. Then …"."""
    rule = f"{_who(limit)}: at most {_what(limit)} {_period(limit, zone)}"
    then = _then(limit)
    # Of what each one uses nobody is told.
    if not limit.warn_at or limit.scope in Limit.OF_EACH:
        return f"{rule}. Then {then}."
    told = listed([f"{percent}%" for percent in sorted(limit.warn_at)])
    return f"{rule}; the admins are told at {told}; at 100% {then}."


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def cheaper(limit: Limit) -> str:
    """The class that answers when the limit's own is full; empty where there is none, or many may be."""
    if limit.tier is None or not limit.model_class:
        return ""
    below = CLASSES[: CLASSES.index(limit.model_class)]
    return next((name for name in reversed(below) if name in limit.tier.classes), "")


def amount(metric: str, number: Decimal) -> str:
    """$20, $0.05 or 1,500."""
    if metric != Metric.MONEY:
        return plain(number)
    cents = number == number.quantize(Decimal("0.01"))
    return f"${number:,.2f}".removesuffix(".00") if cents else f"${plain(number)}"


def plain(number: Decimal) -> str:
    """With commas, and without the zeros that a column adds."""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _who(limit: Limit) -> str:
    match limit.scope:
        case Scope.TIER:
            return "All customers of this tier together"
        case Scope.ADDRESS:
            return f"The anonymous visitors of each network address{_of_site(limit)}, together"
        case Scope.SITE:
            return f"All customers{_of_site(limit)}, together"
        case Scope.DEPLOYMENT:
            return "All customers of all sites, together"
    return "Each customer"


def _of_site(limit: Limit) -> str:
    return f" of {limit.site.name}" if limit.site else ""


def _what(limit: Limit) -> str:
    number = amount(limit.metric, limit.amount)
    if limit.metric == Metric.MONEY:
        return f"{number} for {_models(limit)}" if limit.model or limit.model_class else number
    one, many = _COUNTED[Metric(limit.metric)]
    return f"{number} {(one if limit.amount == 1 else many).format(models=_models(limit))}"


def _models(limit: Limit) -> str:
    if limit.model:
        return limit.model
    return f"{limit.model_class} models" if limit.model_class else "models"


def _period(limit: Limit, zone: str) -> str:
    if limit.period == Period.FIRST_USE:
        hours = limit.hours or 0
        first = "one" if limit.metric in (Metric.MESSAGES, Metric.ACTIONS) else "use"
        return f"in {hours} hour{'' if hours == 1 else 's'} from the first {first}"
    if said := _PERIODS.get(Period(limit.period)):
        return said
    weekday = limit.get_week_starts_display()
    return _ON_THE_CLOCK[Period(limit.period)].format(zone=zone, weekday=weekday)


def _then(limit: Limit) -> str:
    if limit.metric == Metric.ACTIONS:
        return "tools do nothing more, except to ask for a person; models go on answering"
    match limit.when_full:
        case WhenFull.NEXT:
            one = cheaper(limit)
            return f"a {one} model answers" if one else "the next cheaper class of the tier answers"
        case WhenFull.TEXT:
            said = limit.words.get("en") or limit.words.get("zh") or "…"
            return f"answers come without a model, with the text “{said}”"
    return "answers come without a model"
