"""Both directions for one conversation: what a model may see of a text, and what a tool or customer may."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bot.models import Conversation
from bot.privacy import policy as policies
from bot.privacy.engine import Engine
from bot.privacy.known import Known
from bot.privacy.policy import Policy
from bot.privacy.restore import restore_json, straighten_json, unknown
from bot.privacy.scrub import scrub, scrub_json
from bot.privacy.vault import Vault

__all__ = ["Known", "Veil"]


@dataclass
class Veil:
    """Known values first, exactly; then detection. Raises ScrubberDown when detection does not answer."""

    vault: Vault
    engine: Engine
    language: str
    policy: Policy
    known: list[Known] = field(default_factory=list)

    def know(self, values: list[Known]) -> None:
        self.known += [value for value in values if value not in self.known]

    def mask(self, texts: list[str]) -> list[str]:
        return scrub(texts, self.vault, self.engine, self.language, self.policy.rules, self.known)

    def mask_json(self, value: Any) -> Any:
        return scrub_json(value, self.vault, self.engine, self.language, self.policy.rules, self.known)

    def unknown(self, value: Any) -> set[str]:
        """Placeholders in `value` that stand for nothing."""
        values = self.vault.values()
        return unknown(straighten_json(value, values), values)

    def unmask_json(self, value: Any) -> Any:
        values = self.vault.values()
        return restore_json(straighten_json(value, values), values, self.language)

    def known_placeholders(self) -> set[str]:
        return self.vault.names()


@cache
def engine() -> Engine:
    """This worker's detecting process, started once."""
    started = Engine()
    started.start()
    return started


def of(conversation: Conversation) -> Veil:
    """The veil of a conversation; what the site told of its customer is known from the start."""
    customer = conversation.customer
    told = [Known("PERSON", customer.name), Known("EMAIL", customer.email)]
    return Veil(
        vault=Vault(conversation.id, conversation.data_key),
        engine=engine(),
        language=conversation.locale,
        policy=policies.of(conversation.site),
        known=[value for value in told if value.value],
    )
