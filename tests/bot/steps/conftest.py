"""A turn under way, two endpoints that answer it over HTTP, and a log of what its customer is shown."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Customer
from accounts.usage import Bound
from bot.keeping import Kept
from bot.llm.openai_compatible import OpenAICompatible
from bot.llm.wire import Capabilities
from bot.models import Conversation, Model, Price, Provider, Turn
from bot.models import Message as Said
from bot.privacy import policy as policies
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.placeholders import Span
from bot.privacy.rules import Rules
from bot.privacy.veil import Veil
from bot.steps import choice, model_loop, upstream
from bot.steps.calls import Calls
from bot.steps.model_loop import Answer
from bot.steps.work import Work
from bot.tools import registry
from bot.tools.registry import Card, ToolContext, ToolResult, tool
from tests.upstream import Upstream

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Nothing:
    """A detector that finds nothing."""

    def detect(self, texts: Sequence[str], language: str, rules: Rules) -> list[list[Span]]:
        return [[] for _ in texts]


class Screen:
    """A turn's log: what is shown, and everything that was sent."""

    def __init__(self, turn: Turn) -> None:
        self.turn, self.attempt = turn.id, turn.attempt
        self.fenced_event = threading.Event()
        self.sent: list[str] = []
        self.shown = ""
        self.changed = threading.Event()

    @property
    def fenced(self) -> bool:
        return self.fenced_event.is_set()

    def text(self, text: str) -> None:
        if text:
            self.sent.append(text)
            self.shown += text
            self.changed.set()

    def reset(self) -> None:
        self.sent.append("reset")
        self.shown = ""

    def card(self, kind: str, data: dict[str, Any]) -> None:
        self.sent.append(f"card {kind}")

    def working(self, label: str) -> None:
        pass


@tool(public=True)
def look_up(context: ToolContext, word: str = "") -> ToolResult:
    """Look a word up."""
    return ToolResult({"found": word}, card=Card("word", {"word": word}))


class Turning:
    """One turn with the models that answer it: `main`, then `spare`."""

    def __init__(self, work: Work, main: Upstream, spare: Upstream) -> None:
        self.work, self.main, self.spare = work, main, spare
        self.screen: Screen = work.log  # type: ignore[assignment]
        self.bound = Bound()
        for number, (name, endpoint) in enumerate((("main", main), ("spare", spare))):
            provider = Provider.objects.create(name=f"{name}-{uuid4().hex[:8]}", base_url=endpoint.base_url)
            Model.objects.create(provider=provider, name=name, model_class="small", order=number)

    def pay(self, **prices: object) -> None:
        """What both models cost, in US dollars for a million tokens."""
        for provider in Provider.objects.all():
            for name in ("main", "spare"):
                Price.objects.create(provider=provider, model=name, starts_at=LONG_AGO, **prices)

    def ask(self) -> Answer:
        chosen = choice.choose(self.work, self.work.binding)
        self.calls = replace(Calls.begun(self.work, chosen), bound=self.bound)
        return model_loop.run(self.work, self.calls, upstream.provider(chosen, self.calls))


@pytest.fixture
def endpoint() -> Iterator[Callable[[], Upstream]]:
    running: list[Upstream] = []

    def start() -> Upstream:
        running.append(Upstream().__enter__())
        return running[-1]

    yield start
    for one in running:
        one.__exit__()


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections to the endpoints last as long as the test."""
    made: dict[str, OpenAICompatible] = {}

    def client(base_url: str, key: str, capabilities: Capabilities) -> OpenAICompatible:
        if base_url not in made:
            made[base_url] = OpenAICompatible(base_url, key, capabilities)
        return made[base_url]

    monkeypatch.setattr(upstream, "_endpoint", client)
    yield
    for one in made.values():
        one.close()


@pytest.fixture
def turning(
    transactional_db: None,
    alice: Customer,
    endpoint: Callable[[], Upstream],
    clients: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Turning]:
    monkeypatch.setattr(registry, "offered", lambda: {"look_up": look_up})
    monkeypatch.setattr("bot.llm.retrying._backoff", lambda state: 0.0)
    upstream._guards.cache_clear()
    conversation = Conversation.objects.create(site=alice.site, customer=alice)
    turn = Turn.objects.create(conversation=conversation, state=Turn.State.RUNNING, attempt=1)
    Turn.objects.update(lease_until=timezone.now())
    Said.objects.create(
        uuid=uuid4(), conversation=conversation, author="customer", masked="Where is my order?", turn=turn
    )
    work = Work(turn, 1, Kept(Screen(turn), "en", time.monotonic() + 30))  # type: ignore[arg-type]
    work.__dict__["veil"] = Veil(MemoryVault(), Nothing(), "en", policies.of(alice.site))  # type: ignore[arg-type]
    yield Turning(work, endpoint(), endpoint())
    upstream._guards.cache_clear()


@pytest.fixture
def silent_look_up(turning: Turning, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tool without a card."""
    silent = replace(look_up, run=lambda context, word="": ToolResult({"found": word}))
    monkeypatch.setattr(registry, "offered", lambda: {"look_up": silent})
