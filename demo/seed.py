"""Stock the shop: products, shoppers, and orders dated from today. A second run changes nothing."""

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from demo.models import Order, OrderItem, Product, Shopper

DATA = Path(__file__).parent / "data"


@transaction.atomic
def seed_shop() -> None:
    """Bring products and shoppers up to date; of an order only the dates, where nobody changed it."""
    products = _products()
    today = timezone.localdate()
    for shopper in _read("shoppers"):
        orders, address = shopper.pop("orders"), shopper.pop("address")
        person, _ = Shopper.objects.update_or_create(sub=shopper["sub"], defaults=shopper)
        for order in orders:
            _order(person, address, order, products, today)


def _products() -> dict[str, Product]:
    return {
        data["slug"]: Product.objects.update_or_create(
            slug=data["slug"], defaults={**data, "position": position}
        )[0]
        for position, data in enumerate(_read("products"))
    }


def _order(
    shopper: Shopper, address: str, data: dict[str, Any], products: dict[str, Product], today: date
) -> None:
    dates = {
        field: today + timedelta(days=data[key]) if key in data else None
        for field, key in (("placed_on", "placed"), ("eta", "eta"), ("delivered_on", "delivered"))
    }
    order, made = Order.objects.get_or_create(
        number=data["number"],
        defaults={
            "shopper": shopper,
            "status": data["status"],
            "recipient": shopper.name,
            "phone": shopper.phone,
            "address": address,
            **dates,
        },
    )
    if made:
        OrderItem.objects.bulk_create(
            OrderItem(order=order, product=products[slug], quantity=quantity, price=products[slug].price)
            for slug, quantity in data["items"]
        )
    else:
        Order.objects.filter(pk=order.pk, status=data["status"]).update(**dates)


def _read(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((DATA / f"{name}.toml").read_text("utf-8"))[name]
    return rows
