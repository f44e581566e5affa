"""Where a customer may be written to: what the site says of them, and what they have left themselves."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import lookups, sealing
from accounts.models import Customer

LONGEST = 254


class BadAddress(Exception):
    """Not an address that anybody could write to."""


def leave(customer: Customer, address: str) -> bool:
    """Store where the customer wants a later answer; False where that was known. Raises BadAddress."""
    address = _checked(address)
    # Another tab may have left it meanwhile.
    customer.refresh_from_db(fields=["sealed_contact"])
    if customer.contact == address:
        return False
    customer.sealed_contact = sealing.seal(address)
    with transaction.atomic():
        customer.save(update_fields=["sealed_contact", "seen_at"])
        remember(customer)
    return True


def hand_over(visitor: Customer, known: Customer) -> None:
    """Let who a visitor turns out to be be written to where the visitor wished, and the visitor no more."""
    visitor.refresh_from_db(fields=["sealed_contact"])
    known.refresh_from_db(fields=["sealed_contact"])
    if visitor.contact and not known.contact:
        leave(known, visitor.contact)
    visitor.sealed_contact = b""
    visitor.save(update_fields=["sealed_contact"])
    remember(visitor)


def remember(customer: Customer) -> None:
    """Let staff find the customer by the addresses in force, and by no earlier ones."""
    with transaction.atomic():
        # What another tab or an erasure has changed meanwhile is in force.
        now = Customer.objects.select_for_update(no_key=True).get(id=customer.id)
        lookups.forget(customer, None)
        addresses = [address for address in (now.email, now.contact) if address]
        lookups.remember(customer, None, [("email", address) for address in addresses])


def _checked(address: str) -> str:
    address = address.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise BadAddress from None
    if len(address) > LONGEST:
        raise BadAddress
    return address
