"""How often, how long and for what another try is made."""

import threading

import pytest

from bot.llm import errors
from bot.llm.base import Text
from bot.llm.retrying import RetryBudget, Retrying
from bot.llm.scripted import Scripted
from tests.bot.llm.conftest import a_request


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_budget_allows_a_few_retries_then_a_fifth_of_the_calls(clock):
    budget = RetryBudget(most=3, clock=clock)
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]
    for _ in range(11):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


def test_budget_fills_with_time_up_to_its_ceiling(clock):
    budget = RetryBudget(most=2, per_second=0.1, clock=clock)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    clock.now += 10
    assert [budget.spend(), budget.spend()] == [True, False]
    clock.now += 1000
    assert [budget.spend() for _ in range(3)] == [True, True, False]


def test_retry_is_not_made_when_the_budget_is_spent(clock):
    fault = errors.ServerFault("No.")
    asked = Scripted(*[fault] * 5)
    retrying = Retrying(asked, RetryBudget(share=0, most=3, clock=clock), lambda seconds, cancelled: None)
    for _ in range(2):
        with pytest.raises(errors.ServerFault):
            list(retrying.stream(a_request()))
    assert len(asked.requests) == 3 + 2


def test_failure_that_is_final_spends_no_budget(clock):
    budget = RetryBudget(share=0, most=1, clock=clock)
    retrying = Retrying(Scripted(errors.Refused("Key")), budget)
    with pytest.raises(errors.Refused):
        list(retrying.stream(a_request()))
    assert budget.spend()


def test_waiting_for_another_try_ends_when_the_request_is_cancelled():
    cancelled = threading.Event()
    cancelled.set()
    asked = Scripted(errors.RateLimited("Wait", retry_after=2.9), "Hello")
    stream = Retrying(asked, RetryBudget()).stream(a_request(cancelled=cancelled))
    done = threading.Event()
    reader = threading.Thread(target=lambda: (next(stream), done.set()))
    reader.start()
    assert done.wait(1)
    reader.join()


def test_closing_a_retried_stream_closes_the_call():
    asked = Scripted(errors.ServerFault("No."), ["one", "two"])
    stream = Retrying(asked, RetryBudget(), lambda seconds, cancelled: None).stream(a_request())
    assert next(stream) == Text("one")
    stream.close()
    assert asked.closed_early == 1
