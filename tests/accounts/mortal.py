"""A worker that stops at a step of a turn, to be killed there; see test_quota_killed.py.

It reads orders, one JSON a line, and does each in a process of its own: so Django is loaded once.
"""

import json
import os
import sys
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import django

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
STEPS = ("opened", "begun", "ended", "settling", "settled")


def main() -> None:
    django.setup()
    print("ready", flush=True)
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            live(json.loads(line))
        os.waitpid(child, 0)
        print(json.dumps({"over": child}), flush=True)


def live(order: dict[str, str]) -> None:
    """One turn: hold, call, charge, settle. Where the order says so it waits, for its end or for a sign."""
    from django.db import transaction

    from accounts import limits, quota, usage
    from accounts.models import Customer
    from accounts.prices import Overrides, Terms
    from accounts.usage import Bound, CallCharge, Counted

    def at(step: str) -> None:
        if step == order["until"]:
            print(json.dumps({"pid": os.getpid(), "at": step}), flush=True)
            os.read(0, 1)

    customer = Customer.objects.select_related("site__default_tier").get(id=order["customer"])
    named = {"provider": "p", "model": "m-1", "model_class": "small", "site": "demo", "tier": "free"}
    call = CallCharge(
        UUID(order["call"]),
        UUID(order["turn"]),
        int(order["attempt"]),
        customer.id,
        **named,
        tokens=Counted(100, 100),
        exact=True,
        terms=Terms(Overrides(Decimal("0.15"), None, Decimal("0.6"), Decimal(0))),
    )
    at("opened")
    most = quota.Most("small", "m-1", 100, 100, call.cost)
    usage.begin(call, most, Bound(limits.binding(customer, NOON), 60), NOON)
    at("begun")
    usage.end(call)
    at("ended")
    with transaction.atomic():
        quota.settle(call.turn)
        at("settling")
    at("settled")
    os._exit(0)


if __name__ == "__main__":
    main()
