from dataclasses import dataclass
from decimal import Decimal

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import prices
from accounts.prices import Overrides, cost


@dataclass(frozen=True)
class Tokens:
    input: int = 0
    cached_input: int = 0
    output: int = 0
    reasoning: int = 0


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_args: object) -> None:
        raise AssertionError("prices must not use the network")

    monkeypatch.setattr("socket.socket.connect", refuse)


def test_cost_of_a_thousand_small_calls_is_the_list_price():
    calls = [cost("gpt-4o-mini", Tokens(input=100, output=300)) for _ in range(1000)]
    assert sum(calls) == Decimal("0.195")


def test_cost_counts_cached_input_as_part_of_input():
    assert cost("gpt-4o-mini", Tokens(input=1_000_000)) == Decimal("0.15")
    assert cost("gpt-4o-mini", Tokens(input=1_000_000, cached_input=1_000_000)) == Decimal("0.075")
    assert cost("gpt-4o-mini", Tokens(input=1_000_000, cached_input=400_000)) == Decimal("0.12")


def test_cost_counts_reasoning_as_part_of_output():
    plain = cost("o4-mini", Tokens(input=10, output=500))
    assert cost("o4-mini", Tokens(input=10, output=500, reasoning=480)) == plain


def test_cost_of_more_cached_than_input_is_that_of_the_input():
    assert cost("gpt-4o-mini", Tokens(input=100, cached_input=900)) == Decimal("0.0000075")


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4o", "o4-mini", "gpt-4o-mini-2024-07-18"])
def test_cost_of_usual_models_is_known(model: str):
    known = cost(model, Tokens(input=1, output=1))
    assert known is not None
    assert known > 0


def test_cost_is_unknown_when_nobody_lists_the_model():
    assert cost("harbor-and-pine-7b", Tokens(input=100, output=300)) is None


def test_cost_of_an_unlisted_model_is_what_the_deployment_pays():
    paid = Overrides(input=Decimal(2), output=Decimal(8))
    assert cost("harbor-and-pine-7b", Tokens(1_000_000, 500_000, 1_000_000), paid) == Decimal(10)
    paid = Overrides(input=Decimal(2), cached=Decimal(1), output=Decimal(8))
    assert cost("harbor-and-pine-7b", Tokens(1_000_000, 500_000, 1_000_000), paid) == Decimal("9.5")


def test_cost_is_unknown_when_only_half_of_it_is_given():
    assert cost("harbor-and-pine-7b", Tokens(input=1, output=1), Overrides(input=Decimal(2))) is None
    assert cost("harbor-and-pine-7b", Tokens(input=1), Overrides(input=Decimal(2))) == Decimal("0.000002")


def test_cost_takes_the_list_price_for_what_is_not_overridden():
    paid = Overrides(output=Decimal(1))
    assert cost("gpt-4o-mini", Tokens(1_000_000, 1_000_000, 1_000_000), paid) == Decimal("1.075")


def test_cost_of_a_free_model_is_zero_not_unknown():
    assert cost("harbor-and-pine-7b", Tokens(9, 0, 9), Overrides(Decimal(0), None, Decimal(0))) == 0


def listed(model: str, **by: str) -> list[Decimal | None]:
    found = genai_prices.calc_price(genai_prices.Usage(input_tokens=0), model, **by).model_price
    return [found.input_mtok, found.output_mtok]


class TestProviders:
    """The same name costs more at one provider than at another."""

    @pytest.mark.parametrize(
        ("model", "base_url"),
        [
            ("gpt-oss-120b", "https://api.cerebras.ai/v1"),
            ("openai/gpt-4o-mini", "https://openrouter.ai/api/v1"),
            ("anthropic/claude-sonnet-4", "https://openrouter.ai/api/v1"),
            ("llama-3.3-70b-versatile", "https://API.groq.com/openai/v1"),
        ],
    )
    def test_price_is_that_of_the_provider_at_the_address(self, model: str, base_url: str):
        found = prices.rates(model, 0, base_url=base_url)
        assert found is not None
        assert [found.input, found.output] == listed(model, provider_api_url=base_url.lower())
        assert found != prices.rates(model, 0)

    @pytest.mark.parametrize("base_url", ["", "http://127.0.0.1:9/v1", "https://api.groq.com/openai/v1"])
    def test_address_that_does_not_tell_leaves_it_to_the_name(self, base_url: str):
        found = prices.rates("gpt-4o-mini", 0, base_url=base_url)
        assert found is not None
        assert [found.input, found.output] == listed("gpt-4o-mini")

    def test_model_that_nobody_lists_has_no_price_anywhere(self):
        assert prices.rates("harbor-and-pine-7b", 0, base_url="https://openrouter.ai/api/v1") is None


def test_terms_stay_as_they_were_but_for_how_long_the_prompt_is(monkeypatch: pytest.MonkeyPatch):
    begun = prices.terms("gemini-2.5-pro")
    short, long = begun.rates(1000), begun.rates(300_000)
    assert short.input < long.input
    monkeypatch.setattr(prices, "_listed", lambda *named: None)
    assert (begun.rates(1000), begun.rates(300_000)) == (short, long)
    assert prices.rates("gemini-2.5-pro", 1000) is None


counts = st.integers(0, 10_000_000)


@given(counts, counts, counts, st.sampled_from(["gpt-4o-mini", "gpt-4o", "unlisted"]))
def test_cost_fits_the_ledger(tokens_in: int, cached: int, tokens_out: int, model: str):
    paid = prices.LIST_PRICES if model != "unlisted" else Overrides(Decimal("0.3"), None, Decimal("1.1"))
    found = cost(model, Tokens(tokens_in, cached, tokens_out), paid)
    assert found is not None
    assert found >= 0
    assert found == found.quantize(Decimal("1e-12"))


@given(
    st.integers(0, 2_000_000),
    st.integers(0, 2_000_000),
    st.sampled_from(["gpt-4o-mini", "o4-mini", "gemini-2.5-pro", "claude-sonnet-4-5", "deepseek-chat"]),
)
def test_cost_is_what_the_list_computes_with_and_without_steps(tokens_in: int, tokens_out: int, model: str):
    """Some models cost more a token in long prompts, or at certain hours."""
    cached = tokens_in // 3
    computed = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=tokens_in, cache_read_tokens=cached, output_tokens=tokens_out), model
    )
    assert cost(model, Tokens(tokens_in, cached, tokens_out)) == computed.total_price
