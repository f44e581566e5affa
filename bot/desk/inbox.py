"""The desk's list of conversations: who waits, who talks, and the last line of each."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Left

from accounts import lookups
from accounts.models import User
from bot.desk.summary import Summary, summarise, with_names
from bot.models import Conversation, Message

PAGE = 40
PAGES_AT_MOST = 10
LINE_CHARACTERS = 160
MOST_FOUND = 200
_VISITOR = re.compile(r"^(visitor|访客)\s+", re.IGNORECASE)  # as a list shows it, pasted
_SHORT = re.compile(r"[0-9a-f]{8}")  # what stands for an id that is private
VIEWS = ("open", "waiting", "mine", "closed", "all")


@dataclass(frozen=True)
class Line:
    """What was said last; `text` is masked, None while it is not yet scrubbed."""

    author: str
    text: str | None
    at: datetime


@dataclass(frozen=True)
class Row:
    """One conversation in the list."""

    about: Summary
    last: Line | None

    @property
    def needs_reply(self) -> bool:
        """Whether a person has to say something next."""
        said_by_customer = self.last is not None and self.last.author == Message.Author.CUSTOMER
        return self.about.state == "queue" or (self.about.state in ("mine", "other") and said_by_customer)


@dataclass(frozen=True)
class Counts:
    """How many conversations each view holds; closed ones are not counted."""

    open: int
    waiting: int
    mine: int


@dataclass(frozen=True)
class Inbox:
    rows: list[Row]
    counts: Counts
    more: bool


def read(agent: User, view: str = "open", search: str = "", pages: int = 1) -> Inbox:
    """The first `pages` pages of one view: first who waits (longest first), then persons', then the bot's.

    A search looks at all conversations.
    """
    size = PAGE * max(1, min(pages, PAGES_AT_MOST))
    conversations = with_names(_searched(search) if search.strip() else _viewed(agent, view))
    found = list(_with_last_line(_ordered(conversations))[: size + 1])
    return Inbox([_row(agent, one) for one in found[:size]], counts(agent), len(found) > size)


def counts(agent: User) -> Counts:
    numbers = (
        _begun()
        .filter(closed_at__isnull=True)
        .aggregate(
            open=Count("id"),
            waiting=Count("id", filter=Q(handler=Conversation.Handler.QUEUE)),
            mine=Count("id", filter=Q(handler=Conversation.Handler.PERSON, agent=agent)),
        )
    )
    return Counts(**numbers)


def _begun() -> QuerySet[Conversation]:
    """Conversations in which something was said: who only opens the widget is nobody's business yet."""
    said = Exists(Message.objects.filter(conversation=OuterRef("pk"))) | Q(forgotten_at__isnull=False)
    return Conversation.objects.filter(~Q(handler=Conversation.Handler.BOT) | said)


def _viewed(agent: User, view: str) -> QuerySet[Conversation]:
    conversations = _begun()
    if view == "all":
        return conversations
    if view == "closed":
        return conversations.filter(closed_at__isnull=False)
    conversations = conversations.filter(closed_at__isnull=True)
    if view == "waiting":
        return conversations.filter(handler=Conversation.Handler.QUEUE)
    if view == "mine":
        return conversations.filter(handler=Conversation.Handler.PERSON, agent=agent)
    return conversations


def _searched(search: str) -> QuerySet[Conversation]:
    """Those of customers found by what is known exactly, and of visitors by how their number begins."""
    term = _VISITOR.sub("", search.strip())
    found = Q(customer__in=list(lookups.find(term).values_list("id", flat=True)[:MOST_FOUND]))
    if _SHORT.fullmatch(term):
        found |= Q(customer__sub_digest__startswith=term)
    if span := _uuids_beginning_with(term):
        found |= Q(customer__sub_digest="", customer__id__range=span)
    return _begun().filter(found)


def _uuids_beginning_with(term: str) -> tuple[UUID, UUID] | None:
    digits = term.replace("-", "").lower()
    if not digits or len(digits) > 32 or set(digits) - set("0123456789abcdef"):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _ordered(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    rank = Case(
        When(closed_at__isnull=False, then=Value(3)),
        When(handler=Conversation.Handler.QUEUE, then=Value(0)),
        When(handler=Conversation.Handler.PERSON, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return conversations.annotate(rank=rank).order_by("rank", "waiting_since", "-active_at")


def _with_last_line(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    said = Message.objects.filter(conversation=OuterRef("pk")).exclude(author=Message.Author.SYSTEM)
    newest = said.order_by("-pk")[:1]
    return conversations.annotate(
        last_author=Subquery(newest.values("author"), output_field=CharField()),
        last_text=Subquery(newest.values(line=Left("masked", LINE_CHARACTERS)), output_field=CharField()),
        last_at=Subquery(newest.values("created_at")),
    )


def _row(agent: User, one: Conversation) -> Row:
    author, text, at = (getattr(one, name) for name in ("last_author", "last_text", "last_at"))
    return Row(summarise(agent, one), Line(author, text, at) if author else None)
