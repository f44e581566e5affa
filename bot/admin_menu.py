"""How the admin looks and what its menu offers, in the order of a person's work."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _page(title: str, icon: str, name: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}_changelist")}


def _group(title: str, *pages: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(pages)}


def _at_tiers(request: HttpRequest) -> bool:
    """The estimator stands below the tiers' address, and has an entry of its own."""
    tiers, estimator = reverse("admin:accounts_tier_changelist"), reverse("admin:estimator")
    return request.path.startswith(tiers) and request.path != estimator


# The accent of bot/static/widget/tokens.css at 600, and its lighter and darker relatives.
ACCENT = {
    "50": "#eff4ff",
    "100": "#dbe6fe",
    "200": "#bfd3fd",
    "300": "#9db8ff",
    "400": "#6b91f2",
    "500": "#4a74e0",
    "600": "#2f5bc7",
    "700": "#2549a0",
    "800": "#223f84",
    "900": "#1e3566",
    "950": "#142243",
}

MENU: list[dict[str, Any]] = [
    _group(
        "Service levels",
        _page("Tiers and limits", "stairs", "accounts_tier") | {"active": _at_tiers},
        _page("Budgets", "savings", "accounts_limit"),
        _page("Grants", "redeem", "accounts_grant"),
        _page("Deployment", "tune", "accounts_deployment"),
        {"title": "Estimator", "icon": "calculate", "link": reverse_lazy("admin:estimator")},
    ),
    _group(
        "Knowledge",
        _page("Articles", "article", "bot_article"),
        _page("Canned replies", "quickreply", "bot_cannedreply"),
    ),
    _group(
        "Models",
        _page("Models", "neurology", "bot_model"),
        _page("Providers", "dns", "bot_provider"),
        _page("Prices", "payments", "bot_price"),
    ),
    _group(
        "People",
        _page("Sites", "language", "accounts_site"),
        _page("Customers", "groups", "accounts_customer"),
        _page("Staff", "badge", "accounts_user"),
    ),
    _group(
        "Watch",
        _page("Alerts", "notifications", "bot_alert"),
        _page("Audit log", "fact_check", "accounts_auditentry"),
        _page("Deletions", "auto_delete", "bot_retentionrun"),
    ),
    _group(
        "Ledger",
        _page("Upstream calls", "receipt_long", "accounts_usageentry"),
        _page("Windows", "date_range", "accounts_window"),
        _page("Holds", "lock_clock", "accounts_hold"),
    ),
]

MENU[0]["separator"] = False

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Frontdesk",
    "SITE_HEADER": "Frontdesk",
    "SITE_SUBHEADER": "Settings",
    "SITE_SYMBOL": "support_agent",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("desk/icon.svg")}
    ],
    "SITE_URL": reverse_lazy("desk:inbox"),
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {"primary": ACCENT},
    "SIDEBAR": {"show_search": False, "navigation": MENU},
    "ACCOUNT": {"navigation": [{"title": "The desk", "link": reverse_lazy("desk:inbox")}]},
}
