from accounts.models.audit import AuditEntry
from accounts.models.keys import DeploymentKey
from accounts.models.ledger import Hold, UsageEntry, Window
from accounts.models.lookup import Lookup
from accounts.models.people import LOCALES, Customer, Site, User
from accounts.models.tiers import Limit, Tier

__all__ = [
    "LOCALES",
    "AuditEntry",
    "Customer",
    "DeploymentKey",
    "Hold",
    "Limit",
    "Lookup",
    "Site",
    "Tier",
    "UsageEntry",
    "User",
    "Window",
]
