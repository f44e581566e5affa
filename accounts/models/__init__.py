from accounts.models.ledger import Hold, UsageEntry, Window
from accounts.models.people import LOCALES, Customer, Site, User
from accounts.models.tiers import Limit, Tier

__all__ = ["LOCALES", "Customer", "Hold", "Limit", "Site", "Tier", "UsageEntry", "User", "Window"]
