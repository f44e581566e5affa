"""What an upstream call costs: the provider's public list price, unless the deployment pays another."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from typing import Protocol

import genai_prices

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


LIST_PRICES = Overrides()


def cost(model_name: str, tokens: Tokens, overrides: Overrides = LIST_PRICES) -> Decimal | None:
    """US dollars of one call, exact; None when a price is neither given nor listed."""
    cached = min(tokens.cached_input, tokens.input)
    fresh = tokens.input - cached
    if overrides == LIST_PRICES:
        return _listed(model_name, tokens.input, cached, tokens.output)
    cached_price = overrides.cached if overrides.cached is not None else overrides.input
    parts = (
        _part(fresh, overrides.input, partial(_listed, model_name, fresh, 0, 0)),
        _part(cached, cached_price, partial(_listed, model_name, cached, cached, 0)),
        _part(tokens.output, overrides.output, partial(_listed, model_name, 0, 0, tokens.output)),
    )
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def _part(tokens: int, per_million: Decimal | None, listed: Callable[[], Decimal | None]) -> Decimal | None:
    if tokens == 0:
        return Decimal(0)
    return listed() if per_million is None else per_million * tokens / MILLION


def _listed(model_name: str, tokens_in: int, cached: int, tokens_out: int) -> Decimal | None:
    if rates := _rates(model_name, int(time.time() // 60)):
        fresh_rate, cached_rate, output_rate = rates
        return (tokens_in - cached) * fresh_rate + cached * cached_rate + tokens_out * output_rate
    return _computed(model_name, tokens_in, cached, tokens_out)


@lru_cache(maxsize=100)
def _rates(model_name: str, minute: int) -> tuple[Decimal, Decimal, Decimal] | None:
    """What one fresh, one cached and one produced token cost; None where that depends on how many there are.

    Kept for a minute, for the list takes longer than a statement, and has prices by the time of day.
    """
    one = (_computed(model_name, 1, 0, 0), _computed(model_name, 1, 1, 0), _computed(model_name, 0, 0, 1))
    fresh, cached, output = one
    if fresh is None or cached is None or output is None:
        return None
    many = 6_000_000 * fresh + 4_000_000 * cached + 10_000_000 * output
    return (
        (fresh, cached, output) if _computed(model_name, 10_000_000, 4_000_000, 10_000_000) == many else None
    )


def _computed(model_name: str, tokens_in: int, cached: int, tokens_out: int) -> Decimal | None:
    usage = genai_prices.Usage(input_tokens=tokens_in, cache_read_tokens=cached, output_tokens=tokens_out)
    try:
        return genai_prices.calc_price(usage, model_name).total_price
    except LookupError:
        return None
