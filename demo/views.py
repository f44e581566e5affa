"""The shop's pages."""

from collections.abc import Callable
from functools import cache
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from markdown_it import MarkdownIt

from accounts.models import Site
from demo import content, deployment, visitor
from demo.models import Order, Product, Shopper

CATEGORIES = ("camp", "footwear", "clothing", "packs")
STEPS = (Order.Status.PROCESSING, Order.Status.SHIPPED, Order.Status.DELIVERED)
FEATURED_HELP = content.SLUGS[:4]
TRY = ("try_1", "try_2", "try_3", "try_4")

# What the widget's script adds to a page comes from Frontdesk's own address.
WIDGET_SOURCES = {
    name: [settings.PUBLIC_URL] for name in ("script-src", "style-src", "img-src", "font-src", "connect-src")
}


def shop_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """A page that carries the widget: never cached, because the token in it is fresh and somebody's own."""
    return never_cache(csp_update(WIDGET_SOURCES)(view))


@require_safe
@shop_page
def home(request: HttpRequest) -> HttpResponse:
    featured = Product.objects.filter(featured=True)
    return _show(request, "home", featured=featured, tries=TRY)


@require_safe
@shop_page
def products(request: HttpRequest) -> HttpResponse:
    category = request.GET.get("category", "")
    shown = Product.objects.all()
    if category in CATEGORIES:
        shown = shown.filter(category=category)
    return _show(request, "products", products=shown, categories=CATEGORIES, category=category)


@require_safe
@shop_page
def product(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Product, slug=slug)
    also = Product.objects.exclude(pk=shown.pk).order_by("-featured", "position")
    same, others = also.filter(category=shown.category), also.exclude(category=shown.category)
    return _show(request, "product", product=shown, also=[*same, *others][:4])


@require_safe
@shop_page
def help_index(request: HttpRequest) -> HttpResponse:
    locale = visitor.locale_of(request)
    return _show(request, "help_index", articles=[content.article(slug, locale) for slug in content.SLUGS])


@require_safe
@shop_page
def help_article(request: HttpRequest, slug: str) -> HttpResponse:
    if slug not in content.SLUGS:
        raise Http404
    return _article(request, slug)


@require_safe
@shop_page
def privacy(request: HttpRequest) -> HttpResponse:
    return _article(request, content.PRIVACY)


@require_safe
@shop_page
def orders(request: HttpRequest) -> HttpResponse:
    shopper = visitor.shopper_of(request)
    found: QuerySet[Order] | None = None
    if shopper is not None:
        found = shopper.orders.prefetch_related("items__product")
    return _show(request, "orders", orders=found, steps=STEPS, shoppers=Shopper.objects.order_by("pk"))


@shop_page
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        visitor.remember(request, get_object_or_404(Shopper, sub=request.POST.get("sub", "")))
        return redirect("demo:orders" if request.POST.get("next") == "orders" else "demo:home")
    return _show(request, "sign_in", shoppers=Shopper.objects.order_by("pk"))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    visitor.forget(request)
    return redirect("demo:home")


def _article(request: HttpRequest, slug: str) -> HttpResponse:
    locale = visitor.locale_of(request)
    others = [content.article(other, locale) for other in content.SLUGS if other != slug]
    article = content.article(slug, locale)
    return _show(request, "help_article", article=article, body=_html(slug, locale), others=others)


def _show(request: HttpRequest, page: str, **context: Any) -> HttpResponse:
    shopper = visitor.shopper_of(request)
    locale = visitor.locale_of(request)
    frame = {
        "locale": locale,
        "other_locale": "en" if locale == "zh" else "zh",
        "page": page,
        "shopper": shopper,
        "identity": visitor.identity_token(shopper) if shopper else "",
        "public_url": settings.PUBLIC_URL,
        "accent": Site.objects.values_list("colour", flat=True).filter(key=deployment.KEY).first(),
        "stand_in": settings.OFFLINE_MODEL,
        "featured_help": [content.article(slug, locale) for slug in FEATURED_HELP],
    }
    return render(request, f"demo/{page}.html", {**frame, **context})


@cache
def _html(slug: str, locale: str) -> SafeString:
    """An article as HTML; the files are the shop's own, and raw HTML in them is shown as text."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    html = str(markdown.render(content.article(slug, locale).body))
    return SafeString(html)
