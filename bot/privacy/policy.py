"""What a site does with each kind of private value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from accounts.models import Site
from bot.privacy import rules
from bot.privacy.placeholders import KINDS
from bot.privacy.rules import Rules

# mask: models and staff see a placeholder. keep: they see the value.
# refuse: the customer is asked not to send such a thing, and it is dropped.
Action: TypeAlias = Literal["mask", "keep", "refuse"]
ACTIONS: tuple[Action, ...] = ("mask", "keep", "refuse")
# No shop needs a card number or a password in a chat, and what is not there cannot be stolen.
DEFAULTS: Mapping[str, Action] = {kind: "refuse" if kind in ("CARD", "SECRET") else "mask" for kind in KINDS}


@dataclass(frozen=True)
class Policy:
    """A site's choices, complete."""

    actions: Mapping[str, Action]
    rules: Rules

    def kinds(self, action: Action) -> frozenset[str]:
        return frozenset(kind for kind, chosen in self.actions.items() if chosen == action)


def of(site: Site) -> Policy:
    """The policy in force: what the site has chosen, and the defaults for the rest."""
    actions: dict[str, Action] = {**DEFAULTS, **site.masking}
    kept = (kind for kind, action in actions.items() if action == "keep")
    return Policy(actions, rules.of(site.id_patterns, site.phone_regions, kept))


def choices(kind: str) -> tuple[Action, ...]:
    """What a site may do with a kind: PRIVATE is what its own tools declare, which nobody types."""
    return ("mask",) if kind == "PRIVATE" else ACTIONS
