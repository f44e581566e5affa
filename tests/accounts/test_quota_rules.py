"""I5 against a plain model of it: whatever is done in whatever order, the ledger agrees."""

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis.stateful import run_state_machine_as_test

from accounts.models import Customer, Site, Tier
from tests.accounts.quota_machine import PER_ADDRESS, Books


@pytest.fixture
def customers(site: Site, free: Tier, settings) -> list[Customer]:
    """Alice, and two visitors of one network."""
    settings.ANONYMOUS_PER_ADDRESS = PER_ADDRESS
    free.limits.all().delete()
    visitors = [Customer.objects.create(site=site, address="a" * 32) for _ in range(2)]
    return [Customer.objects.create(site=site, sub_digest="b" * 32), *visitors]


def agrees(site: Site, free: Tier, customers: list[Customer], examples: int, steps: int) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    profile = hypothesis.settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=checks
    )
    run_state_machine_as_test(lambda: Books(site, free, customers), settings=profile)


@pytest.mark.django_db
def test_ledger_agrees_with_the_rules_whatever_happens(site: Site, free: Tier, customers: list[Customer]):
    agrees(site, free, customers, examples=12, steps=35)


@pytest.mark.thorough
@pytest.mark.django_db
def test_ledger_agrees_with_the_rules_for_long(site: Site, free: Tier, customers: list[Customer]):
    agrees(site, free, customers, examples=100, steps=60)
