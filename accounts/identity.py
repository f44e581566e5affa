"""Who the browser at the other end is: a site's signed token becomes a session token of ours."""

import base64
import binascii
import ipaddress
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import jwt
from django.core import signing
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from accounts import contact, keys, lookups, sealing
from accounts.models import Customer, Site, Tier

AUDIENCE = "frontdesk"
LONGEST_LIFE = 600  # seconds from now to a token's exp, so that a leaked one is soon worthless
LEEWAY = 30  # seconds that the site's clock and ours may differ
TOKEN_MAX_BYTES = 4096
SESSION_LIFE = timedelta(days=7)
SESSION_MAX_CHARS = 200


class BadToken(Exception):
    """The token does not say who this is; the text is for logs, the browser is only told to drop it."""


@dataclass(frozen=True)
class Identity:
    """Whom a site vouches for. Name and e-mail are empty when the site does not tell them."""

    sub: str
    email: str
    name: str
    tier: str | None


def _printable(most: int) -> StringConstraints:
    return StringConstraints(max_length=most, pattern=r"^[^\x00-\x1f\x7f]*$", strict=True)


class _Claims(BaseModel):
    """The claims we read, checked; a site may add others."""

    model_config = ConfigDict(extra="ignore")

    sub: Annotated[str, _printable(200), StringConstraints(min_length=1)]
    email: Annotated[str, _printable(254)] | None = None
    name: Annotated[str, _printable(200)] | None = None
    tier: Annotated[str, _printable(50)] | None = None
    exp: Annotated[float, Field(strict=True, allow_inf_nan=False)]


def read_identity(site: Site, jwt_text: str) -> Identity:
    """The identity that a token signed by the site's server states, or BadToken."""
    claims = _claims(site, jwt_text)
    if claims.exp > time.time() + LONGEST_LIFE + LEEWAY:
        raise BadToken("exp is more than 10 minutes ahead")
    if not claims.sub.strip():
        raise BadToken("sub is blank")
    if claims.tier and not _may_name(site, claims.tier):
        raise BadToken("the site does not allow this tier")
    return Identity(claims.sub, claims.email or "", claims.name or "", claims.tier or None)


def _claims(site: Site, jwt_text: str) -> _Claims:
    if len(jwt_text) > TOKEN_MAX_BYTES or not jwt_text.isascii():
        raise BadToken("too long, or not a token")
    for secret in site.secrets:
        try:
            claims = jwt.decode(
                jwt_text,
                secret,
                algorithms=["HS256"],
                audience=AUDIENCE,
                leeway=LEEWAY,
                options={"require": ["sub", "exp", "aud"]},
            )
            return _Claims.model_validate(claims)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, RecursionError) as error:
            raise BadToken(str(error)) from None
        except ValidationError as error:
            wrong = ", ".join(str(e["loc"][0]) for e in error.errors())
            raise BadToken(f"wrong claims: {wrong}") from None
    raise BadToken("signed with none of the site's secrets")


def _may_name(site: Site, tier: str) -> bool:
    return site.default_tier.slug == tier or site.allowed_tiers.filter(slug=tier).exists()


def verified(site: Site, identity: Identity, locale: str = "") -> Customer:
    """The customer a site vouches for. What the token leaves out is forgotten: it is the whole truth."""
    customer = known_as(site, identity.sub)
    tier = Tier.objects.get(slug=identity.tier) if identity.tier else None
    changed = []
    if _opened(customer.sealed_name) != identity.name:
        customer.sealed_name = sealing.seal(identity.name)
        changed.append("sealed_name")
    if _opened(customer.sealed_email) != identity.email:
        customer.sealed_email = sealing.seal(identity.email)
        changed.append("sealed_email")
    if customer.token_tier != tier:
        customer.token_tier = tier
        changed.append("token_tier")
    if locale and customer.locale != locale:
        customer.locale = locale
        changed.append("locale")
    if changed:
        customer.save(update_fields=[*changed, "seen_at"])
    # Who was known before there were lookups has none.
    if "sealed_email" in changed or (identity.email and not getattr(customer, "findable", False)):
        contact.remember(customer)
    return customer


def known_as(site: Site, sub: str) -> Customer:
    """The customer with this id on the site, made where there is none yet."""
    known = Customer.objects.select_related("site__default_tier", "tier", "token_tier")
    known = known.annotate(findable=lookups.findable())
    digest = sub_digest(sub)
    customer, _ = known.get_or_create(
        site=site, sub_digest=digest, defaults={"sealed_sub": sealing.seal(sub)}
    )
    if _opened(customer.sealed_sub) != sub:
        customer.sealed_sub = sealing.seal(sub)
        customer.save(update_fields=["sealed_sub", "seen_at"])
    return customer


def sub_digest(sub: str) -> str:
    """What a customer is found by, whose id on the site is known."""
    return keys.digest("sub", sub)


def _opened(sealed: sealing.Stored) -> str | None:
    """The sealed text; None when its key is gone, so that a fresh value takes its place."""
    try:
        return sealing.unseal(sealed) if sealed else ""
    except sealing.CannotUnseal:
        return None


def anonymous(site: Site, locale: str, address: str) -> Customer:
    """A new visitor; `address` is their network_address."""
    return Customer.objects.create(site=site, locale=locale, address=address)


def issue(customer: Customer) -> str:
    """A session token: who, since when, signed."""
    who = base64.urlsafe_b64encode(customer.id.bytes).rstrip(b"=").decode()
    return _signer().sign(who)


def read_session(site: Site, token: str) -> Customer:
    """The customer a session token of this site was issued to, with what their tier needs; or BadToken."""
    if len(token) > SESSION_MAX_CHARS or not token.isascii():
        raise BadToken("too long, or not a token")
    try:
        who = _signer().unsign(token, max_age=SESSION_LIFE)
        customer_id = uuid.UUID(bytes=base64.urlsafe_b64decode(who + "=="))
        customer = Customer.objects.select_related("site__default_tier", "tier", "token_tier").get(
            id=customer_id, site=site
        )
    except signing.SignatureExpired:
        raise BadToken("the session is over") from None
    except (signing.BadSignature, binascii.Error, ValueError):
        raise BadToken("not a token of ours") from None
    except Customer.DoesNotExist:
        raise BadToken("no such customer on this site") from None
    check_not_erased(customer, token)
    return customer


def check_not_erased(customer: Customer, token: str) -> None:
    """Raise BadToken where the customer was erased after a session token of ours was issued."""
    if customer.erased_at and signing.b62_decode(token.split(":")[1]) <= int(customer.erased_at.timestamp()):
        raise BadToken("the customer was erased")


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="frontdesk.session")


def network_address(headers: Iterable[tuple[bytes, bytes]], peer: str, trusted_proxies: int) -> str:
    """A keyed digest of the client's network address, from an ASGI scope's headers and peer."""
    return sealing.fingerprint("address", client_network(headers, peer, trusted_proxies))


def client_network(headers: Iterable[tuple[bytes, bytes]], peer: str, trusted_proxies: int) -> str:
    """The client's network address itself; `unknown` where it is none.

    Each trusted proxy appends the address it was called from to X-Forwarded-For; whatever stands further
    left was written by the client, who may write anything.
    """
    forwarded = b",".join(value for name, value in headers if name == b"x-forwarded-for")
    hops = [*(hop.strip() for hop in forwarded.decode("latin-1").split(",") if hop.strip()), peer]
    return _network(hops[max(0, len(hops) - 1 - trusted_proxies)])


def _network(address: str) -> str:
    """One subscriber: an IPv4 address, or the /64 that an IPv6 host picks its addresses from."""
    bare = address.partition("]")[0].lstrip("[") if address.startswith("[") else address
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)
