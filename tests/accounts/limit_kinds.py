"""Limits worth a try: as an admin sets them, and what their windows are called."""

from dataclasses import dataclass

from accounts.models import Site, Tier


@dataclass(frozen=True)
class Kind:
    """A limit as an admin sets it, what its windows are called, and which amounts are worth a try."""

    metric: str
    scope: str
    rule: str
    amounts: tuple[str, ...]
    model_class: str = ""
    model: str = ""
    seconds: int = 0
    hours: int = 0

    def columns(self, free: Tier, site: Site) -> dict[str, object]:
        named = {60: "minute", 3600: "hour", 86400: "day", 0: "first_use"}
        return {
            "scope": self.scope,
            "tier": free if self.scope in ("customer", "tier") else None,
            "site": site if self.scope == "site" else None,
            "metric": self.metric,
            "model_class": self.model_class,
            "model": self.model,
            "period": named[self.seconds],
            "hours": self.hours or None,
        }


FEW, TOKENS, DOLLARS = ("0", "1", "2", "3"), ("0", "100", "250", "1000"), ("0", "0.0001", "0.0003", "2")
KINDS = [
    Kind("messages", "customer", "messages:any:day", FEW, seconds=86400),
    Kind("messages", "customer", "messages:large:first:3h", FEW, model_class="large", hours=3),
    Kind("messages", "address", "messages:any:hour", FEW, seconds=3600),
    Kind("messages", "deployment", "messages:any:hour", FEW, seconds=3600),
    Kind("input_tokens", "tier", "input_tokens:any:minute", TOKENS, seconds=60),
    Kind("output_tokens", "customer", "output_tokens:small:hour", TOKENS, model_class="small", seconds=3600),
    Kind("total_tokens", "customer", "total_tokens:any:first:1h", TOKENS, hours=1),
    Kind("money", "customer", "money:any:day", DOLLARS, seconds=86400),
    Kind("money", "customer", "money:any:first:1h", DOLLARS, hours=1),
    Kind("money", "site", "money:model=big-1:hour", DOLLARS, model="big-1", seconds=3600),
    Kind("money", "deployment", "money:any:first:24h", DOLLARS, hours=24),
    Kind("actions", "customer", "actions:any:hour", FEW, seconds=3600),
]
