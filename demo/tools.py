"""What the assistant may do at Harbor & Pine: look up the customer's own orders, cancel one not yet sent."""

from datetime import date
from typing import Annotated, Any

from django.conf import settings
from django.db.models import QuerySet
from django.templatetags.static import static
from pydantic import BaseModel

from bot.tools.registry import Card, Private, Proposal, ToolContext, ToolError, ToolResult, tool
from demo.models import Order
from demo.wording import say

CURRENCY = "USD"
MOST_ORDERS = 10
Number = Annotated[str, "order number such as HP-10423"]


class Item(BaseModel):
    title: str
    quantity: int
    price: str


class OrderFacts(BaseModel):
    """One order as the model reads it."""

    number: str
    status: str
    placed_on: date
    eta: date | None
    delivered_on: date | None
    items: list[Item]
    total: str
    currency: str = CURRENCY
    recipient: Annotated[str, Private("PERSON")]
    phone: Annotated[str, Private("PHONE")]
    address: Annotated[str, Private("ADDRESS")]


class OrderList(BaseModel):
    orders: list[OrderFacts]


class Cancelled(BaseModel):
    """How a cancellation went."""

    cancelled: bool
    number: str
    already_cancelled: bool = False
    note: str = ""


@tool(verified=True)
def my_orders(context: ToolContext) -> ToolResult:
    """List the customer's latest orders with status, items and delivery dates."""
    orders = list(_orders_of(context)[:MOST_ORDERS])
    cards = [_card(order, context.locale) for order in orders]
    facts = OrderList(orders=[_facts(order, context.locale) for order in orders])
    return ToolResult(facts, Card("orders", {"orders": cards}) if cards else None)


@tool(verified=True)
def order_status(context: ToolContext, number: Number) -> ToolResult:
    """Look up one order of the customer: status, items, delivery date."""
    order = _order(context, number)
    return ToolResult(_facts(order, context.locale), Card("order", _card(order, context.locale)))


def propose_cancel(context: ToolContext, number: str) -> Proposal:
    """The question before an order is cancelled; a ToolError when there is nothing to cancel any more."""
    order = _order(context, number)
    _refuse_if_gone(order, context.locale)
    lines = [f"{item.quantity} × {item.product.title_in(context.locale)}" for item in order.items.all()]
    lines.append(say(context.locale, "cancel_total", total=order.total))
    lines.append(say(context.locale, "cancel_refund"))
    return Proposal(say(context.locale, "cancel_title", number=order.number), tuple(lines))


@tool(verified=True, changes=propose_cancel)
def cancel_order(context: ToolContext, number: Number) -> ToolResult:
    """Cancel one order of the customer that has not been sent yet. The customer is asked to confirm first."""
    order = _order(context, number)
    changed = Order.objects.filter(pk=order.pk, status=Order.Status.PROCESSING).update(
        status=Order.Status.CANCELLED, cancelled_by=context.key, eta=None
    )
    order = _order(context, number)
    _refuse_if_gone(order, context.locale, cancelled_counts=False)
    ours = changed == 1 or order.cancelled_by == context.key
    outcome = Cancelled(
        cancelled=ours,
        number=order.number,
        already_cancelled=not ours,
        note=say(context.locale, "cancel_note") if ours else "",
    )
    return ToolResult(outcome, Card("order", _card(order, context.locale)))


def _orders_of(context: ToolContext) -> QuerySet[Order]:
    return Order.objects.filter(shopper__sub=context.customer or "").prefetch_related("items__product")


def _order(context: ToolContext, number: str) -> Order:
    """The customer's own order; somebody else's and one that does not exist answer alike."""
    wanted = number.strip().lstrip("#").upper()
    wanted = f"HP-{wanted}" if wanted.isdigit() else wanted
    order = _orders_of(context).filter(number=wanted).first()
    if order is None:
        raise ToolError(say(context.locale, "no_order", number=wanted[:20]))
    return order


def _refuse_if_gone(order: Order, locale: str, *, cancelled_counts: bool = True) -> None:
    """A ToolError for an order that has left the warehouse, or (where that counts) is cancelled already."""
    gone = {Order.Status.SHIPPED, Order.Status.DELIVERED}
    if cancelled_counts:
        gone.add(Order.Status.CANCELLED)
    if order.status in gone:
        raise ToolError(say(locale, f"gone_{order.status}", number=order.number))


def _facts(order: Order, locale: str) -> OrderFacts:
    items = [
        Item(title=item.product.title_in(locale), quantity=item.quantity, price=str(item.price))
        for item in order.items.all()
    ]
    return OrderFacts(
        number=order.number,
        status=order.status,
        placed_on=order.placed_on,
        eta=order.eta,
        delivered_on=order.delivered_on,
        items=items,
        total=str(order.total),
        recipient=order.recipient,
        phone=order.phone,
        address=order.address,
    )


def _card(order: Order, locale: str) -> dict[str, Any]:
    """The order as the widget shows it."""
    card: dict[str, Any] = {
        "number": order.number,
        "status": order.status,
        "placed_on": order.placed_on.isoformat(),
        "items": [
            {
                "title": item.product.title_in(locale),
                "quantity": item.quantity,
                "price": str(item.price),
                "image": settings.PUBLIC_URL + static(item.product.image),
            }
            for item in order.items.all()
        ],
        "total": str(order.total),
        "currency": CURRENCY,
        "url": f"{settings.PUBLIC_URL}/orders/#{order.number}",
    }
    if order.eta:
        card["eta"] = order.eta.isoformat()
    if order.delivered_on:
        card["delivered_on"] = order.delivered_on.isoformat()
    return card


TOOLS = [my_orders, order_status, cancel_order]
