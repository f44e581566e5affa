"""Whom a socket serves: from `hello` to `ready`, and what this customer may read in the clear."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet
from django.utils import timezone

from accounts import allowance, identity
from accounts.models import Customer, Site
from bot import conversations, events
from bot.desk import approvals
from bot.errors import Unknown
from bot.models import Conversation, Message, Turn
from bot.outbox import Kept
from bot.privacy.placeholders import PLACEHOLDER
from bot.privacy.restore import restore, restore_json
from bot.privacy.vault import Vault
from bot.steps import ceilings
from bot.web import rates
from bot.web.doors import Address
from bot.web.frames import Contact, Hello, Post

READY_BYTES = 200_000


@dataclass
class Session:
    """One customer on one socket. Reads the database; call it from the pool of threads."""

    site: Site
    customer: Customer
    conversation: Conversation
    token: str
    locale: str
    key: bytes
    values: dict[str, str] = field(default_factory=dict)
    mode: events.ModeName = "normal"
    address: Address | None = None

    def mode_changes(self, final: dict[str, Any]) -> bool:
        """Learn from a `final` whether the model answers; True when that is news."""
        before = self.mode
        put_off = final["message"].get("deferred")
        if final["message"].get("source") == "model":
            self.mode = "normal"
        elif final["state"] == "degraded" and not final["allowance"]["exhausted"] and not put_off:
            self.mode = "degraded"
        return self.mode != before

    def knows(self, text: str) -> bool:
        """Whether every placeholder in `text` can be restored without another look at the vault."""
        return all(match.group() in self.values for match in PLACEHOLDER.finditer(text))

    def learn(self) -> None:
        self.values = Vault(self.conversation.id, self.key).values()

    def restored(self, event: dict[str, Any]) -> dict[str, Any]:
        """An event with the customer's own values in place of the placeholders."""
        kept: dict[str, Any] = restore_json(event, self.values, self.locale)
        return kept

    def read(self, message: Message) -> events.MessageBody:
        """A message as its customer reads it: as it was said, private values and all."""
        if message.sealed:
            text = Fernet(self.key).decrypt(bytes(message.sealed)).decode()
        else:
            text = restore(message.masked or "", self.values, self.locale)
        body = events.message_body(message, text)
        if not body.cards:
            return body
        return body.model_copy(update={"cards": restore_json(body.cards, self.values, self.locale)})

    def read_one(self, uuid: UUID) -> tuple[events.MessageBody | None, UUID | None]:
        """A message, and the turn that will answer it."""
        message = (
            Message.objects.filter(conversation=self.conversation.id, uuid=uuid)
            .select_related("agent", "turn")
            .first()
        )
        if message is None:
            return None, None
        if not self.knows(message.masked or ""):
            self.learn()
        waiting = message.turn if message.turn and message.turn.state != Turn.State.DONE else None
        return self.read(message), waiting.id if waiting else None

    def read_page(self, before: UUID | None = None) -> tuple[list[events.MessageBody], bool]:
        """The newest messages (before one) that fit a frame, oldest first; whether there are older ones."""
        page, more = conversations.messages(self.conversation.id, before)
        bodies: list[events.MessageBody] = []
        room = READY_BYTES
        for message in reversed(page):
            body = self.read(message)
            room -= len(body.json_text().encode())
            if room < 0 and bodies:
                return bodies[::-1], True
            bodies.append(body)
        return bodies[::-1], more

    def ready(self) -> events.Ready:
        """Raises identity.BadToken where the customer was erased meanwhile."""
        # Read again: who has it may have changed before this socket listened.
        rows = Conversation.objects.select_related(
            "agent", "customer__site__default_tier", "customer__tier", "customer__token_tier"
        )
        self.conversation = rows.get(id=self.conversation.id)
        identity.check_not_erased(self.conversation.customer, self.token)
        # Their tier, too.
        self.customer = self.conversation.customer
        self.learn()
        now = timezone.now()
        bodies, more = self.read_page()
        turn = conversations.turn_under_way(self.conversation.id)
        self.mode = "degraded" if conversations.model_was_away(self.conversation.id) else "normal"
        return events.Ready(
            token=self.token,
            customer=events.CustomerBody(
                verified=self.customer.verified,
                name=self.customer.name or None,
                reachable=bool(self.customer.email or self.customer.contact) or None,
            ),
            conversation=events.ConversationBody(
                id=self.conversation.id,
                handler=self.conversation.handler,  # type: ignore[arg-type]
                agent=self.conversation.agent.name if self.conversation.agent else None,
            ),
            messages=bodies,
            more=more,
            turn=events.TurnBody(id=turn.id, state=turn.state) if turn else None,  # type: ignore[arg-type]
            approvals=[self._approval(call) for call in approvals.open_in(self.conversation.id, now)],
            allowance=self._allowance(),
            mode=self.mode,
            site=self._site(),
        )

    def _approval(self, call: Any) -> events.ApprovalBody:
        title, *lines = restore_json([call.title, *call.lines], self.values, self.locale)
        return events.ApprovalBody(
            turn=call.turn_id, call=call.id, title=title, lines=lines, expires_at=call.expires_at
        )

    def _site(self) -> events.SiteBody:
        site = self.site
        return events.SiteBody(
            key=site.key,
            name=site.name,
            assistant=site.assistant,
            colour=site.colour,
            greeting=site.words(site.greeting, self.locale),
            suggestions=list(site.words(site.suggestions, self.locale)),
            privacy_url=site.privacy_url,
            max_chars=ceilings.question_characters(self.customer.effective_tier),
        )

    def post(self, frame: Post, origin: str) -> conversations.Posted:
        """Store what the customer says. Raises Rejected, also when they write too fast."""
        rates.check_message(self.customer, self.site, self.address)
        return conversations.post(
            self.customer, self.conversation.id, frame.id, frame.text, key=self.key, origin=origin
        )

    def again(self, turn_id: UUID, after: int, done: bool | None) -> list[Kept]:
        """The events of a turn past a number. `done`: whether it is over; None when nobody has looked."""
        if done is False:
            return events.told_again(turn_id, after)
        turn = Turn.objects.filter(id=turn_id, conversation=self.conversation.id).first()
        if turn is None:
            raise Unknown
        if turn.state != Turn.State.DONE:
            return events.told_again(turn_id, after)
        return events.told_again(turn_id, after, lambda: events.stored_final(turn, self._allowance()))

    def _allowance(self) -> events.AllowanceBody:
        return events.AllowanceBody.model_validate(allowance.of(self.customer).as_json())

    def leave_contact(self, frame: Contact) -> None:
        """Store where the customer wants a later answer. Raises Rejected."""
        rates.check_contact(self.customer)
        conversations.leave_contact(self.customer, self.conversation, frame.email, key=self.key)

    def start_over(self) -> None:
        """Close the open conversation and open a fresh one."""
        conversations.close(self.conversation.id)
        self.follow()

    def follow(self) -> None:
        """Turn to the customer's conversation of now; raises identity.BadToken where the session is over."""
        self.customer = identity.read_session(self.site, self.token)
        self.conversation = conversations.current(self.customer, self.locale)
        self.key = self.conversation.data_key


def locale_of(wanted: str | None) -> str:
    return "zh" if (wanted or "").lower().startswith("zh") else "en"


def enter(site: Site, hello: Hello, address: str) -> Session:
    """Authenticate a `hello`: raises identity.BadToken when its token or identity is not good."""
    locale = locale_of(hello.locale)
    token = hello.token or ""
    known = identity.read_session(site, token) if token else None
    if hello.identity:
        customer = identity.verified(site, identity.read_identity(site, hello.identity), locale)
        if known and known != customer:
            conversations.adopt(known, customer)
    else:
        customer = known or identity.anonymous(site, locale, address)
    if known != customer:
        token = identity.issue(customer)
    conversation = conversations.current(customer, locale)
    return Session(site, customer, conversation, token, locale, conversation.data_key)
