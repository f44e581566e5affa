"""Both directions for one conversation: what a model may see of a text, and what a tool or customer may."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from django.conf import settings

from accounts import lookups
from accounts.models import Customer
from bot.models import Conversation
from bot.privacy import policy as policies
from bot.privacy import scrub
from bot.privacy.engines import Engines
from bot.privacy.known import Index, Known
from bot.privacy.placeholders import PLACEHOLDER, Detector, Placeholders
from bot.privacy.policy import Policy
from bot.privacy.restore import restore_json, straighten_json, unknown
from bot.privacy.scrub import OWN, Done, Pair, Scrubber
from bot.privacy.vault import Vault

__all__ = ["Done", "Known", "Veil"]

# By what of all that is found staff may look for a customer.
_LOOKED_FOR: Mapping[str, lookups.Kind] = {"EMAIL": "email", "PHONE": "phone", OWN: "order"}


@dataclass
class Veil:
    """Known values first, exactly; then detection. Raises ScrubberDown when detection does not answer."""

    vault: Placeholders
    engine: Detector
    language: str
    policy: Policy
    known: list[Known] = field(default_factory=list)
    # Names that everybody may read: the assistant's, and those of the agents who answer here.
    public: set[str] = field(default_factory=set)
    _found: list[Pair] = field(default_factory=list)

    def know(self, values: list[Known]) -> None:
        """Mask these from now on wherever they stand; by their placeholders later turns know them, too."""
        self._scrubber.known.add(values)

    def read(self, texts: list[str]) -> list[Done]:
        """What people wrote, without what the site refuses."""
        return scrub.said(self._scrubber, texts)

    def mask(self, texts: list[str]) -> list[str]:
        return [done.masked for done in self.read(texts)]

    def mask_json(self, value: Any) -> Any:
        masked, found = scrub.told(self._scrubber, value)
        self._found += found
        return masked

    def mask_arguments(self, value: Any) -> Any:
        """What a model wrote for a tool: its placeholders made straight, and no value beside them.

        Nothing in it was refused, or the model would not know it: what is found is masked, never dropped.
        """
        names = self.vault.names()
        straight = straighten_json(value, names)
        masking = replace(self._scrubber, refused=frozenset())
        return scrub.told(masking, straight, names | unknown(straight, {}))[0]

    def take_found(self) -> list[Pair]:
        """What was found in JSON since this was asked last."""
        found, self._found = self._found, []
        return found

    def unknown(self, value: Any) -> set[str]:
        """Placeholders in `value` that stand for nothing."""
        values = self.vault.values()
        return unknown(straighten_json(value, values), values)

    def unmask_json(self, value: Any) -> Any:
        values = self.vault.values()
        return restore_json(straighten_json(value, values), values, self.language)

    def known_placeholders(self) -> set[str]:
        return self.vault.names()

    @cached_property
    def _scrubber(self) -> Scrubber:
        """What was private here before stays so, also where nothing around it says what it is."""
        before = self.vault.values().items()
        return Scrubber(
            vault=self.vault,
            engine=self.engine,
            language=self.language,
            rules=self.policy.rules,
            known=Index([*self.known, *(_before(name, value) for name, value in before)]),
            refused=self.policy.kinds("refuse"),
            public=self.public,
        )


def remember(conversation: Conversation, found: Iterable[Pair]) -> None:
    """Let staff find the customer by what was found; in the transaction that stores the masked text."""
    looked_for = [(_LOOKED_FOR[kind], value) for kind, value in found if kind in _LOOKED_FOR]
    if looked_for:
        lookups.remember(conversation.customer, conversation.id, looked_for)


def _before(placeholder: str, value: str) -> Known:
    match = PLACEHOLDER.fullmatch(placeholder)
    return Known(match[1] if match else "PRIVATE", value, told=False)


def _private_id(customer: Customer) -> str:
    """The site's own id of a customer, where not even staff may see it."""
    sub = customer.external_id
    told = (customer.label, customer.name, customer.email, customer.contact)
    return "" if sub in told else sub


@cache
def engine() -> Engines:
    """This worker's detecting processes, started once."""
    started = Engines(settings.SCRUBBERS)
    started.start()
    return started


def of(conversation: Conversation) -> Veil:
    """The veil of a conversation; what the site told of its customer is known from the start."""
    customer, policy = conversation.customer, policies.of(conversation.site)
    told = [
        Known("PERSON", customer.name),
        Known("EMAIL", customer.email),
        Known("EMAIL", customer.contact),
        # Last: an address that is the id, too, stays an address.
        Known("PRIVATE", _private_id(customer)),
    ]
    agent = conversation.agent.name if conversation.agent else ""
    return Veil(
        vault=Vault(conversation.id, conversation.data_key),
        engine=engine(),
        language=conversation.locale,
        policy=policy,
        known=[one for one in told if one.value and one.kind not in policy.kinds("keep")],
        public={name for name in (conversation.site.assistant, conversation.site.name, agent) if name},
    )
