"""The demo as a customer of Frontdesk: its site, staff, model endpoint and texts."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from accounts import sealing
from accounts.models import Site, User
from bot.management import starting_tiers
from bot.models import Article, CannedReply
from demo import content

KEY = "demo"
# e-mail: name, role
STAFF = {"admin@example.com": ("Dana", "admin"), "agent@example.com": ("Bob", "agent")}
LOOK: dict[str, Any] = {
    "name": "Harbor & Pine",
    "assistant": "Piney",
    "colour": "#1f6f5c",
    "greeting": {
        "en": "Hello! I am the assistant of Harbor & Pine. Ask me about your orders, returns or our gear.",
        "zh": "您好！我是 Harbor & Pine 的智能助手，订单、退货和商品的问题都可以问我。",
    },
    "suggestions": {
        "en": ["Where is my order?", "How do I return something?", "How long does shipping take?"],
        "zh": ["我的订单到哪了？", "怎么退货？", "配送要多久？"],
    },
}


@transaction.atomic
def create(identity_secret: str) -> tuple[Site, bool]:
    """The demo's site, and whether it is new. Its look stays; addresses and secret become this start's."""
    tiers = starting_tiers.create()
    site, new = Site.objects.get_or_create(key=KEY, defaults={**LOOK, "default_tier": tiers["free"]})
    if new:
        site.allowed_tiers.set([tiers["plus"], tiers["vip"]])
    # An admin may have added origins of their own: ours come on top.
    site.origins = [*dict.fromkeys([*site.origins, *_origins()])]
    site.privacy_url = f"{settings.PUBLIC_URL}/privacy/"
    if site.secrets[:1] != [identity_secret]:
        site.sealed_secret = sealing.seal(identity_secret)
    site.save()
    return site, new


def welcome_staff(password: str, *, change: bool) -> None:
    """Create who is missing; `change` gives those who are there this password, too."""
    there = list(User.objects.filter(email__in=STAFF))
    # Checking is slow on purpose: the first one's password tells whether this start has another.
    if change and there and not there[0].check_password(password):
        for user in there:
            user.set_password(password)
            user.save()
    for email in STAFF.keys() - {user.email for user in there}:
        name, role = STAFF[email]
        User.objects.create_user(email, password, name=name, role=role)


@transaction.atomic
def publish(site: Site) -> None:
    """Articles and canned replies that are missing; of those there are, only an article's address."""
    there = {(article.slug, article.locale): article for article in site.articles.defer("body")}
    for page in content.articles():
        url = settings.PUBLIC_URL + page.path
        known = there.get((page.slug, page.locale))
        if known is None:
            Article.objects.create(
                site=site, slug=page.slug, locale=page.locale, title=page.title, body=page.body, url=url
            )
        elif known.url != url:
            Article.objects.filter(pk=known.pk).update(url=url)
    prepared = set(site.canned_replies.values_list("title", "locale"))
    CannedReply.objects.bulk_create(
        CannedReply(
            site=site,
            title=reply.title,
            locale=reply.locale,
            questions=list(reply.questions),
            answer=reply.answer,
            tool=reply.tool or "",
            answers_first=reply.answers_first,
        )
        for reply in content.prepared_answers()
        if (reply.title, reply.locale) not in prepared
    )


def _origins() -> list[str]:
    """The shop's own two addresses, on both names of this machine."""
    port = urlsplit(settings.PUBLIC_URL).port or 8000
    ours = [f"http://{host}:{each}" for each in (port, port + 1) for host in ("127.0.0.1", "localhost")]
    return list(dict.fromkeys([settings.PUBLIC_URL, *ours]))
