"""What an upstream call costs: the provider's public list price, unless the deployment pays another."""

import time
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol, TypeAlias

import genai_prices
from genai_prices.types import TieredPrices, calc_unit_price

MILLION = Decimal(1_000_000)


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
    charged = rates(model_name, tokens.input, overrides)
    return charged.cost(tokens) if charged else None


def rates(model_name: str, input_tokens: int, overrides: Overrides = LIST_PRICES) -> Rates | None:
    """What a call with so many input tokens is charged by; None when no price is given or listed."""
    listed = _listed(model_name, int(time.time() // 60))
    own = overrides != LIST_PRICES
    if listed is None and not own:
        return None
    known = listed or Steps()
    return Rates(
        input=_either(overrides.input, known.input, input_tokens),
        cached=_either(_cached(overrides), known.cached, input_tokens),
        output=_either(overrides.output, known.output, input_tokens),
        call=_either(overrides.call, known.call, input_tokens) or Decimal(0),
        source="own" if own else "list",
    )


def plain(amount: Decimal) -> str:
    """A decimal without the zeros that its column adds."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


Price: TypeAlias = Decimal | TieredPrices | None


@dataclass(frozen=True)
class Steps:
    """List prices of one model, of which some depend on how many tokens are read."""

    input: Price = None
    cached: Price = None
    output: Price = None
    call: Decimal | None = None


def _cached(overrides: Overrides) -> Decimal | None:
    """Who pays a price of their own for input pays it for cached input, too, unless they say otherwise."""
    return overrides.cached if overrides.cached is not None else overrides.input


def _either(own: Decimal | None, listed: Price, input_tokens: int) -> Decimal | None:
    if own is not None or listed is None:
        return own
    return calc_unit_price(listed, 1_000_000, input_tokens, 1_000_000)


@lru_cache(maxsize=200)
def _listed(model_name: str, minute: int) -> Steps | None:
    """The public list's prices; kept for a minute, for it has prices by the time of day."""
    try:
        found = genai_prices.calc_price(genai_prices.Usage(input_tokens=0), model_name).model_price
    except LookupError:
        return None
    thousand_calls = found.requests_kcount
    return Steps(
        input=found.input_mtok,
        cached=found.input_mtok if found.cache_read_mtok is None else found.cache_read_mtok,
        output=found.output_mtok,
        call=thousand_calls / 1000 if isinstance(thousand_calls, Decimal) else None,
    )
