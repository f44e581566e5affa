"""Finding a customer by an address or number that is known exactly; only keyed digests are kept of it."""

import unicodedata
from collections.abc import Iterable
from typing import Literal, TypeAlias
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import keys, phones
from accounts.models import Customer, Lookup, Site

Kind: TypeAlias = Literal["email", "phone", "order"]

LONGEST = 254
# What is shorter is no phone number, and would find strangers.
LEAST_DIGITS = 7


def remember(customer: Customer, conversation_uuid: UUID | None, values: Iterable[tuple[Kind, str]]) -> None:
    """Let the customer be found by these values, said in this conversation or told by the site (None)."""
    regions = customer.site.phone_regions or phones.REGIONS
    written = {(kind, _one_spelling(kind, value, regions)) for kind, value in values}
    Lookup.objects.bulk_create(
        [
            Lookup(customer=customer, conversation=conversation_uuid, kind=kind, digest=_digest(kind, value))
            for kind, value in sorted(written)
            if value
        ],
        ignore_conflicts=True,
    )


def forget(customer: Customer, conversation_uuid: UUID | None) -> None:
    """Let the customer no longer be found by what was said there, or by what the site told (None)."""
    Lookup.objects.filter(customer=customer, conversation=conversation_uuid).delete()


def hand_over(conversation_uuid: UUID, customer: Customer) -> None:
    """Let this customer be found by what was said in a conversation that is theirs from now on."""
    Lookup.objects.filter(conversation=conversation_uuid).update(customer=customer)


def findable() -> Exists:
    """Of a query for customers: whether one is found by an e-mail address that is not of a conversation."""
    return Exists(Lookup.objects.filter(customer=OuterRef("pk"), conversation=None, kind="email"))


def find(term: str) -> QuerySet[Customer]:
    """Customers of all sites with exactly this e-mail, phone or order number, or this id on their site."""
    term = term.strip()
    if not term or len(term) > LONGEST:
        return Customer.objects.none()
    told = Lookup.objects.filter(_told(term)).values("customer")
    # By site and digest there is an index, by digest alone there is none.
    named = Customer.objects.filter(site__in=Site.objects.values("id"), sub_digest=keys.digest("sub", term))
    return Customer.objects.filter(id__in=told.union(named.values("id")))


def _told(term: str) -> Q:
    """What kind of value a term is, its shape says; digits may be a phone or an order."""
    if "@" in term:
        return Q(kind="email", digest=_digest("email", _email(term)))
    found = Q(kind="order", digest=_digest("order", _order(term)))
    if sum(char.isdecimal() for char in term) >= LEAST_DIGITS:
        numbers = phones.readings(term, _all_regions())
        found |= Q(kind="phone", digest__in=[_digest("phone", number) for number in numbers])
    return found


def _all_regions() -> list[str]:
    sites = Site.objects.values_list("phone_regions", flat=True)
    return sorted({*phones.REGIONS, *(region for regions in sites for region in regions)})


def _one_spelling(kind: Kind, value: str, regions: Iterable[str]) -> str:
    """What all spellings of a value share; empty where it is none."""
    if kind == "phone":
        number = phones.significant(value, regions)
        return number if len(number) >= LEAST_DIGITS else ""
    return _email(value) if kind == "email" else _order(value)


def _email(value: str) -> str:
    return unicodedata.normalize("NFKC", value).strip().lower()


def _order(value: str) -> str:
    return "".join(unicodedata.normalize("NFKC", value).upper().replace("#", "").split())


def _digest(kind: str, value: str) -> str:
    return keys.digest(kind, value)
