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
DEFAULTS: Mapping[str, Action] = dict.fromkeys(KINDS, "mask")


@dataclass(frozen=True)
class Policy:
    """A site's choices, complete."""

    actions: Mapping[str, Action]
    rules: Rules

    def kinds(self, action: Action) -> frozenset[str]:
        return frozenset(kind for kind, chosen in self.actions.items() if chosen == action)


def of(site: Site) -> Policy:
    """The policy in force: what the site has chosen, and the defaults for the rest."""
    return Policy({**DEFAULTS, **site.masking}, rules.of(site.id_patterns, site.phone_regions))
