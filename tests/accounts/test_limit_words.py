"""Customers read these: they must make sense behind a number, and never speak of money."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

from accounts import limit_words
from accounts.limits import Rule
from accounts.models import Limit

CLASSES = [("", ""), ("small", ""), ("large", ""), ("reasoning", ""), ("", "gpt-4o-mini")]
PERIODS = [(period, None) for period in Limit.Period.values if period != "first_use"]
PERIODS += [("first_use", hours) for hours in (1, 3, 24, 36, 48, 168)]


def rule(metric: str = "messages", **named: object) -> Rule:
    values = {"scope": "customer", "model_class": "", "model": "", "period": "day", "hours": None}
    whose = {"week_starts": 0, "amount": Decimal(1), "when_full": "degrade", "words": {}, "subject": "x"}
    return Rule(limit=1, metric=metric, **(values | whose | named))


def every(scope: str) -> Iterator[Rule]:
    for metric, (model_class, model), (period, hours) in product(Limit.Metric.values, CLASSES, PERIODS):
        yield rule(metric, scope=scope, model_class=model_class, model=model, period=period, hours=hours)


@pytest.mark.parametrize(
    ("counts", "en", "zh"),
    [
        (rule(), "messages today", "今日消息"),
        (rule(period="minute"), "messages this minute", "本分钟消息"),
        (rule(model_class="small"), "quick answers today", "今日快速回答"),
        (
            rule(model_class="large", period="first_use", hours=3),
            "detailed answers within 3 hours",
            "3 小时内的详细回答",
        ),
        (rule(period="first_use", hours=1), "messages within an hour", "1 小时内的消息"),
        (rule(period="first_use", hours=168), "messages within 7 days", "7 天内的消息"),
        (rule(period="first_use", hours=24), "messages within 24 hours", "24 小时内的消息"),
        (
            rule(model_class="reasoning", period="week"),
            "in-depth answers this week",
            "本周深入思考回答",
        ),
        (
            rule("output_tokens", model_class="small", period="month"),
            "tokens written for quick answers this month",
            "本月快速回答的生成量",
        ),
        (
            rule("input_tokens", model="gpt-4o-mini", period="hour"),
            "tokens read with gpt-4o-mini this hour",
            "本小时 gpt-4o-mini 的读取量",
        ),
        (rule("total_tokens"), "tokens today", "今日文字总量"),
        (rule("money"), "usage today", "今日用量"),
        (rule("actions"), "lookups and actions today", "今日查询与操作"),
        (rule(scope="address"), "messages today from your network", "您所在网络的今日消息"),
        (rule(scope="tier"), "messages today, shared by all customers", "全体用户共用的今日消息"),
    ],
)
def test_label_reads_well(counts: Rule, en: str, zh: str):
    assert limit_words.label(counts, "en") == en
    assert limit_words.label(counts, "zh") == zh


@pytest.mark.parametrize(
    ("metric", "model_class", "en", "zh"),
    [
        ("messages", "", "extra messages", "额外消息"),
        ("messages", "large", "extra detailed answers", "额外详细回答"),
        ("total_tokens", "", "extra tokens", "额外文字总量"),
        ("output_tokens", "small", "extra tokens written for quick answers", "额外快速回答的生成量"),
        ("actions", "", "extra lookups and actions", "额外查询与操作"),
    ],
)
def test_grant_reads_well(metric: str, model_class: str, en: str, zh: str):
    assert limit_words.granted(metric, model_class, "en") == en
    assert limit_words.granted(metric, model_class, "zh") == zh


@pytest.mark.parametrize(
    ("counts", "en", "zh"),
    [
        (rule(amount=Decimal(10)), "10 messages today", "今日消息（10）"),
        (rule("total_tokens", amount=Decimal(20_000)), "20,000 tokens today", "今日文字总量（20,000）"),
        (rule(amount=Decimal(1)), "messages today", "今日消息"),
        (rule(amount=Decimal(0)), "messages today", "今日消息"),
        (rule("money", amount=Decimal("2.5")), "usage today", "今日用量"),
    ],
)
def test_limit_is_named_with_its_amount_but_for_money(counts: Rule, en: str, zh: str):
    assert limit_words.named(counts, "en") == en
    assert limit_words.named(counts, "zh") == zh


@pytest.mark.parametrize(
    ("after", "en", "zh"),
    [
        (timedelta(seconds=-5), "in a minute", "1 分钟后"),
        (timedelta(seconds=60), "in a minute", "1 分钟后"),
        (timedelta(seconds=61), "in 2 minutes", "2 分钟后"),
        (timedelta(minutes=119), "in 119 minutes", "119 分钟后"),
        (timedelta(hours=2), "in 2 hours", "2 小时后"),
        (timedelta(hours=2, seconds=1), "in 3 hours", "3 小时后"),
        (timedelta(hours=47), "in 47 hours", "47 小时后"),
        (timedelta(hours=47, minutes=1), "in 2 days", "2 天后"),
        (timedelta(days=2, minutes=1), "in 3 days", "3 天后"),
    ],
)
def test_nobody_is_told_to_come_back_too_early(after: timedelta, en: str, zh: str):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert limit_words.until(now + after, now, "en") == en
    assert limit_words.until(now + after, now, "zh") == zh


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("scope", Limit.Scope.values)
def test_every_label_is_tidy_and_speaks_of_no_money(scope: str, locale: str):
    for counts in every(scope):
        said = limit_words.label(counts, locale)
        assert said == " ".join(said.split()), said
        assert not re.search(
            r"[${}]|money|dollar|usd|cost|price|budget|credit|none|美元|费|钱|价", said.lower()
        )


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_labels_tell_limits_apart(locale: str):
    labels = [limit_words.label(counts, locale) for counts in every("customer")]
    assert len(labels) == len(set(labels))


def test_language_without_words_gets_english():
    assert limit_words.label(rule(), "de") == "messages today"
    assert limit_words.granted("messages", "", "de") == "extra messages"
