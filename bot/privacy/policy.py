"""What a site does with each kind of private value."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.masking import DEFAULTS, Action
from accounts.models import Site
from bot.privacy import rules
from bot.privacy.rules import Rules


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
