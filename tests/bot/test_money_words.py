"""Money and counts as admins read them."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import live_usage, periods
from accounts.models import Customer, Limit, Tier, Window
from bot import limit_pages
from bot.desk.budget_names import much
from bot.desk.dollars import dollars
from bot.limit_pages import shortly


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("0", "$0"),
        ("0.0000126", "$0.000013"),
        ("0.0075", "$0.0075"),
        ("0.00468", "$0.0047"),
        ("0.005", "$0.005"),
        ("0.00999", "$0.01"),
        ("0.0149", "$0.01"),
        ("1234.5", "$1,234.50"),
    ],
)
def test_less_than_a_cent_has_two_digits(amount: str, said: str) -> None:
    assert shortly("money", Decimal(amount)) == said


def test_mails_and_books_say_money_as_finely() -> None:
    assert [dollars(Decimal(one)) for one in ("0", "0.0000126", "0.0075", "0.0171", "0.5", "1234.5")] == [
        *("$0.00", "$0.000013", "$0.0075", "$0.0171", "$0.50", "$1,234.50")
    ]


def test_one_is_not_many() -> None:
    assert much("messages", Decimal(1)) == "1 message"
    assert much("input_tokens", Decimal("1.000000")) == "1 token read"
    assert much("actions", Decimal(0)) == "0 tool actions"
    assert much("output_tokens", Decimal(1500)) == "1,500 tokens written"
    assert much("money", Decimal(1)) == "$1.00"


@pytest.mark.django_db
def test_one_customer_has_used_something(alice: Customer, carol: Customer, free: Tier) -> None:
    limit = Limit.objects.create(tier=free, metric="messages", period="month", amount=5)
    assert "none of the customers have used" in limit_pages.usage(limit, "UTC")
    now = live_usage.rule(limit, "UTC")
    Customer.objects.filter(pk=carol.pk).update(tier=free)
    for customer, said in ((alice, "<b>1</b> customer has used"), (carol, "<b>2</b> customers have used")):
        opened(now.key, customer)
        assert said in limit_pages.usage(limit, "UTC")


def opened(rule: str, customer: Customer) -> None:
    span = periods.span("month", timezone.now(), "UTC")
    Window.objects.create(
        rule=rule, subject=f"customer:{customer.pk}", number=span.number, starts_at=span.starts_at,
        ends_at=span.ends_at, settled=1,
    )  # fmt: skip
