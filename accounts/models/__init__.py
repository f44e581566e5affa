from accounts.models.audit import AuditEntry
from accounts.models.keys import DeploymentKey
from accounts.models.ledger import Grant, Hold, UsageEntry, Window
from accounts.models.lookup import Lookup
from accounts.models.people import LOCALES, Customer, Site, User
from accounts.models.tiers import CLASSES, Deployment, Limit, Tier

__all__ = [
    "CLASSES",
    "LOCALES",
    "AuditEntry",
    "Customer",
    "Deployment",
    "DeploymentKey",
    "Grant",
    "Hold",
    "Limit",
    "Lookup",
    "Site",
    "Tier",
    "UsageEntry",
    "User",
    "Window",
]
