"""What an upstream call costs: the provider's public list price, unless the deployment pays another."""

import time
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol, TypeAlias

import genai_prices
from genai_prices.types import ModelPrice, TieredPrices, calc_unit_price

MILLION = Decimal(1_000_000)
_NOTHING = genai_prices.Usage(input_tokens=0)


class Tokens(Protocol):
    """Tokens of one call; `cached_input` is part of `input` and `reasoning` part of `output`."""

    @property
    def input(self) -> int: ...
    @property
    def cached_input(self) -> int: ...
    @property
    def output(self) -> int: ...
    @property
    def reasoning(self) -> int: ...


@dataclass(frozen=True)
class Overrides:
    """US dollars per million tokens that this deployment pays; None: the list price."""

    input: Decimal | None = None
    cached: Decimal | None = None
    output: Decimal | None = None
    call: Decimal | None = None


LIST_PRICES = Overrides()


@dataclass(frozen=True)
class Rates:
    """What one call is charged by: US dollars per million tokens, and for the call itself; None: unknown."""

    input: Decimal | None
    cached: Decimal | None
    output: Decimal | None
    call: Decimal
    source: str

    def cost(self, tokens: Tokens) -> Decimal | None:
        """US dollars, exact; None when a price that it needs is unknown."""
        cached = min(tokens.cached_input, tokens.input)
        counts = ((tokens.input - cached, self.input), (cached, self.cached), (tokens.output, self.output))
        # Where nothing was read nobody has answered, and no fee is due.
        total = self.call if tokens.input or tokens.output else Decimal(0)
        for count, rate in counts:
            if count and rate is None:
                return None
            total += count * (rate or 0) / MILLION
        return total


def cost(model_name: str, tokens: Tokens, overrides: Overrides = LIST_PRICES) -> Decimal | None:
    """US dollars of one call, exact; None when a price is neither given nor listed."""
    return terms(model_name, overrides).cost(tokens)


def rates(
    model_name: str, input_tokens: int, overrides: Overrides = LIST_PRICES, base_url: str = ""
) -> Rates | None:
    """What a call with so many input tokens is charged by; None when no price is given or listed."""
    return terms(model_name, overrides, base_url).rates(input_tokens)


def plain(amount: Decimal) -> str:
    """A decimal without the zeros that its column adds."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def terms(model_name: str, overrides: Overrides = LIST_PRICES, base_url: str = "") -> "Terms":
    """What the model of the provider at this address is charged by as of now."""
    return Terms(overrides, _listed(model_name, base_url.lower(), int(time.time() // 60)))


Price: TypeAlias = Decimal | TieredPrices | None


@dataclass(frozen=True)
class Steps:
    """List prices of one model, of which some depend on how many tokens are read."""

    input: Price = None
    cached: Price = None
    output: Price = None
    call: Decimal | None = None


@dataclass(frozen=True)
class Terms:
    """What a model is charged by, as of one moment: the deployment's own prices before those of the list.

    A call keeps those that it was begun with: the list has prices by the time of day, and what was held for
    the call must suffice when it is over.
    """

    paid: Overrides = LIST_PRICES
    listed: Steps | None = None

    def rates(self, input_tokens: int) -> Rates | None:
        """For so many input tokens; None when no price is given or listed."""
        own = self.paid != LIST_PRICES
        if self.listed is None and not own:
            return None
        known = self.listed or Steps()
        return Rates(
            input=_either(self.paid.input, known.input, input_tokens),
            cached=_either(_cached(self.paid), known.cached, input_tokens),
            output=_either(self.paid.output, known.output, input_tokens),
            call=_either(self.paid.call, known.call, input_tokens) or Decimal(0),
            source="own" if own else "list",
        )

    def cost(self, tokens: Tokens) -> Decimal | None:
        """US dollars of one call, exact; None when a price is neither given nor listed."""
        charged = self.rates(tokens.input)
        return charged.cost(tokens) if charged else None


def _cached(overrides: Overrides) -> Decimal | None:
    """Who pays a price of their own for input pays it for cached input, too, unless they say otherwise."""
    return overrides.cached if overrides.cached is not None else overrides.input


def _either(own: Decimal | None, listed: Price, input_tokens: int) -> Decimal | None:
    if own is not None or listed is None:
        return own
    return calc_unit_price(listed, 1_000_000, input_tokens, 1_000_000)


@lru_cache(maxsize=200)
def _listed(model_name: str, base_url: str, minute: int) -> Steps | None:
    """The public list's prices; kept for a minute, for it has prices by the time of day."""
    found = _of_provider(model_name, base_url) or _of_anybody(model_name)
    if found is None:
        return None
    thousand_calls = found.requests_kcount
    return Steps(
        input=found.input_mtok,
        cached=found.input_mtok if found.cache_read_mtok is None else found.cache_read_mtok,
        output=found.output_mtok,
        call=thousand_calls / 1000 if isinstance(thousand_calls, Decimal) else None,
    )


def _of_provider(model_name: str, base_url: str) -> ModelPrice | None:
    """What this provider takes: the same model costs more at one than at another."""
    try:
        return genai_prices.calc_price(_NOTHING, model_name, provider_api_url=base_url).model_price
    except LookupError:
        return None


def _of_anybody(model_name: str) -> ModelPrice | None:
    """What is usual for a model of this name, for addresses that the list does not know."""
    try:
        return genai_prices.calc_price(_NOTHING, model_name).model_price
    except LookupError:
        return None
