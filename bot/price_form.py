"""The form for what a deployment pays for a model: it asks again where a price looks like a slip."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from accounts.limit_sentences import plain as with_commas
from accounts.number_errors import NUMBER_ERRORS
from accounts.prices import Rates, plain
from bot import price_list
from bot.models import Price

PER_TOKENS = ("input", "cached", "output")
NAMES = {"input": "input", "cached": "cached input", "output": "output", "call": "each call"}
FAR = 100
# A millionth of a price for a million tokens is exact to what the ledger keeps of a cost.
DIGITS = 6
# Before that no prices were paid for tokens; a price that begins much later is a slip of the date.
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), timedelta(days=731)
# What somebody may have meant who is wrong by about so much.
_MEANT = {
    Decimal(1_000_000): "for one token",
    Decimal(1_000): "for a thousand tokens",
    Decimal(1) / 100: "in cents",
    Decimal(1) / 1_000: "for a thousand million tokens",
}
_ABOUT = 5


def _choices() -> list[tuple[str, str]]:
    return [(one.key, f"{one.model} ({one.provider_name})") for one in price_list.of_models()]


class PriceForm(forms.ModelForm):
    """A price of the deployment's own, from a moment on."""

    priced = forms.ChoiceField(
        choices=_choices,
        label="Model",
        widget=UnfoldAdminSelectWidget,
        help_text="One that is set up under Models, in every class in which it answers.",
    )
    is_free = forms.BooleanField(required=False, label="It really is free", widget=UnfoldBooleanWidget)
    is_right = forms.BooleanField(
        required=False, label="The price is right as it is", widget=UnfoldBooleanWidget
    )

    class Meta:
        model = Price
        fields = ["starts_at", "input", "cached", "output", "call", "note"]
        labels = {
            "starts_at": "Holds from (UTC)",
            "cached": "Cached input",
            "call": "Each call",
        }
        error_messages = dict.fromkeys(NAMES, NUMBER_ERRORS)
        help_texts = {
            "starts_at": "In the past, too: but calls that were charged already stay as they were charged.",
            "cached": "US dollars for a million tokens read from the provider's cache; empty: as input where "
            "that is given here, else the public list price.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["priced"] = price_list.key(self.instance.provider_id, self.instance.model)
            prices = {name: self.initial.get(name) for name in NAMES}
            self.initial.update({name: plain(price) for name, price in prices.items() if price is not None})

    def clean(self) -> dict[str, Any]:
        """1. Whose price, and when. 2. That there is one. 3. What looks like a slip."""
        cleaned = super().clean() or self.cleaned_data
        priced = next((p for p in price_list.of_models() if p.key == cleaned.get("priced")), None)
        starts_at = cleaned.get("starts_at")
        if priced is None or starts_at is None:
            return cleaned
        self.instance.provider_id, self.instance.model = priced.provider, priced.model
        if not EARLIEST <= starts_at <= timezone.now() + LATEST:
            self.add_error("starts_at", "A day from 2020 on, and at most two years from now.")
        others = Price.objects.filter(provider=priced.provider, model=priced.model).exclude(
            pk=self.instance.pk
        )
        if others.filter(starts_at=starts_at).exists():
            self.add_error("starts_at", "This model has a price from that moment on already.")
        given = {name: cleaned[name] for name in NAMES if cleaned.get(name) is not None}
        if not given and not self.errors:
            self.add_error(None, "Give at least one price; what is empty is charged by the public list.")
        usual: list[tuple[str, Rates | Price]] = []
        if priced.listed:
            usual.append(("the public list price", priced.listed))
        usual += [(f"your own price of {one.starts_at:%Y-%m-%d}", one) for one in others]
        self._check_free(given)
        self._check_size(given, usual)
        return cleaned

    def _check_free(self, given: dict[str, Decimal]) -> None:
        free = [NAMES[name] for name, price in given.items() if price == 0]
        if free and not self.cleaned_data["is_free"]:
            self.add_error(
                "is_free", f"Zero for {' and '.join(free)}: is that free? Tick here if so; else correct it."
            )

    def _check_size(self, given: dict[str, Decimal], usual: list[tuple[str, Rates | Price]]) -> None:
        sure = self.cleaned_data["is_right"]
        far = {name: said for name, price in given.items() if (said := _doubts(name, price, usual))}
        if far and not sure:
            for name, said in far.items():
                self.add_error(name, said)
            self.add_error("is_right", "Tick here if it is right all the same.")
        for name in PER_TOKENS:
            price = given.get(name)
            if price is not None and price != round(price, DIGITS) and (sure or name not in far):
                self.add_error(name, f"At most {DIGITS} digits after the point, so that every cost is exact.")

    def remarks(self) -> list[str]:
        """What to say of a price that was saved, beside that it was."""
        price: Price = self.instance
        said, rates = [], price_list.rates_by(price)
        if rates and rates.input is not None and rates.cached is not None and rates.cached > rates.input:
            said.append(
                f"Cached input costs more (${plain(rates.cached)}) than fresh input (${plain(rates.input)}): "
                "providers mostly charge less for it."
            )
        if price.starts_at < timezone.now():
            said.append(
                "It begins in the past. Calls that were charged already stay as they were charged: each "
                "keeps the prices it was charged by. New calls are charged by the price that began last."
            )
        return said


def _doubts(name: str, price: Decimal, usual: list[tuple[str, Rates | Price]]) -> str:
    """The first doubt about a price beside those that it may be compared with."""
    others = ((source, getattr(rates, name)) for source, rates in usual)
    said = (doubt(price, other, source, name in PER_TOKENS) for source, other in others if other)
    return next(filter(None, said), "")


def doubt(price: Decimal, usual: Decimal, source: str, of_tokens: bool = True) -> str:
    """What is strange about a price beside a usual one, and what was probably meant; empty if nothing is."""
    of = "a million tokens" if of_tokens else "a call"
    if price <= 0 or not usual or usual / FAR < price < usual * FAR:
        return ""
    times, how = (price / usual, "more") if price > usual else (usual / price, "less")
    said = f"This is {times:,.0f} times {how} than {source}, ${with_commas(usual)} for {of}."
    for factor, unit in _MEANT.items():
        if of_tokens and usual / _ABOUT <= price * factor <= usual * _ABOUT:
            return f"{said} Was it meant {unit}? Then write {plain(price * factor)}."
    return f"{said} It is in US dollars for {of}."
