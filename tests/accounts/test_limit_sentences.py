"""Each combination of a limit reads as one plain sentence."""

from decimal import Decimal
from itertools import product

import pytest

from accounts.limit_sentences import listed, sentence
from accounts.models import CLASSES, Limit, Site, Tier

PLUS = Tier(name="Plus", slug="plus", classes=["reasoning", "large", "small"])
SHOP = Site(name="Harbor & Pine", key="demo")


def limit(**values: object) -> Limit:
    return Limit(**({"tier": PLUS, "amount": Decimal(10)} | values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {
                "amount": Decimal(150),
                "model_class": "large",
                "period": "first_use",
                "hours": 3,
                "when_full": "next",
            },
            "Each customer: at most 150 messages answered by large models in 3 hours from the first one. "
            "Then a small model answers.",
        ),
        (
            {
                "scope": "tier",
                "metric": "money",
                "period": "month",
                "amount": Decimal(20),
                "warn_at": [80, 70],
            },
            "All customers of this tier together: at most $20 a month, beginning on the 1st at 00:00 "
            "Europe/Berlin; the admins are told at 70% and 80%; at 100% answers come without a model.",
        ),
        (
            {
                "model_class": "reasoning",
                "period": "week",
                "week_starts": 6,
                "when_full": "next",
                "warn_at": [50],
            },
            "Each customer: at most 10 messages answered by reasoning models a week, beginning on Sunday at "
            "00:00 Europe/Berlin. Then a large model answers.",
        ),
        (
            {"scope": "deployment", "tier": None, "metric": "total_tokens", "period": "hour"},
            "All customers of all sites, together: at most 10 tokens read or written by models an hour. "
            "Then answers come without a model.",
        ),
        (
            {
                "scope": "site",
                "tier": None,
                "site": SHOP,
                "metric": "money",
                "model": "gpt-4o",
                "amount": Decimal("0.5"),
                "when_full": "next",
            },
            "All customers of Harbor & Pine, together: at most $0.50 for gpt-4o a day, beginning at 00:00 "
            "Europe/Berlin. Then the next cheaper class of the tier answers.",
        ),
        (
            {"scope": "address", "tier": None, "metric": "actions", "amount": Decimal(1), "period": "minute"},
            "The anonymous visitors of each network address, together: at most 1 tool action a minute. "
            "Then tools do nothing more, except to ask for a person; models go on answering.",
        ),
        (
            {
                "metric": "output_tokens",
                "amount": Decimal(1_500_000),
                "period": "first_use",
                "hours": 1,
                "when_full": "text",
                "words": {"en": "Back soon.", "zh": "稍后回来。"},
            },
            "Each customer: at most 1,500,000 tokens written by models in 1 hour from the first use. "
            "Then answers come without a model, with the text “Back soon.”.",
        ),
        (
            {
                "metric": "money",
                "amount": Decimal("0.001250"),
                "when_full": "text",
                "words": {"zh": "稍后。"},
            },
            "Each customer: at most $0.00125 a day, beginning at 00:00 Europe/Berlin. "
            "Then answers come without a model, with the text “稍后。”.",
        ),
    ],
)
def test_limit_reads_as_a_sentence(values: dict[str, object], said: str) -> None:
    assert sentence(limit(**values), "Europe/Berlin") == said


def test_every_combination_says_something_of_its_own() -> None:
    """Whom, what, which models and since when: whatever differs is heard."""
    said = {
        sentence(
            limit(
                scope=scope, tier=PLUS if scope in ("customer", "tier") else None,
                site=SHOP if scope == "site" else None, metric=metric, model_class=model_class, period=period,
                hours=3 if period == "first_use" else None,
            ),
            "UTC",
        )
        for scope, metric, model_class, period in product(
            Limit.Scope.values, set(Limit.Metric.values) - {"actions"}, ["", *CLASSES], Limit.Period.values
        )
    }  # fmt: skip
    assert len(said) == 5 * 5 * 4 * 6
    assert not any("None" in one or "{" in one for one in said)


@pytest.mark.parametrize(
    ("names", "said"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_people_do(names: list[str], said: str) -> None:
    assert listed(names) == said
