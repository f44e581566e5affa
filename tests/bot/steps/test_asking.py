"""What a turn ends with when limits, prices or the switch refuse it, at first and in the middle."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import quota
from accounts.models import Customer, Deployment, Limit, Tier, UsageEntry, Window
from bot import turn, words
from bot.knowledge import search
from bot.models import Model, ToolCall, Turn
from bot.privacy.errors import ScrubberDown
from bot.reply import Reply as Ending
from bot.steps import canned, degraded, refusals
from bot.tools import registry
from bot.tools.registry import Proposal, ToolResult
from tests.bot.steps.conftest import Turning, look_up
from tests.upstream import Reply

LONG = {"prompt_tokens": 3000, "completion_tokens": 700, "total_tokens": 3700}
# More than what a call of these tests may come to, and less than two of them.
ONE_CALL = 4000

# What a customer is told of a limit of theirs; there is more of one that somebody has used.
TOKENS = "The limit of {amount:,} tokens today leaves no room for a full answer now."
AGAIN = r"There is more again in (a minute|\d+ (minutes|hours))\."
CUT = words.say("cut.usage_limit", "en", why=f"{TOKENS.format(amount=ONE_CALL)} {AGAIN}").replace("?", r"\?")
MESSAGES = rf"The limit of 2 messages today leaves no room for a full answer now\. {AGAIN}"


@pytest.fixture
def tier(turning: Turning) -> Tier:
    """Alice's tier without limits, of two classes: main is large and spare is small."""
    Limit.objects.all().delete()
    Model.objects.filter(name="main").update(model_class="large")
    tier = turning.work.conversation.customer.effective_tier
    tier.classes = ["large", "small"]
    tier.save()
    return tier


Limited = Callable[..., Limit]


@pytest.fixture
def limited(tier: Tier) -> Limited:
    """A limit that has room for something, and not for what is held before a call."""

    def limit(amount: int = 50, **fields: object) -> Limit:
        whose = {"tier": tier} if fields.get("scope", "customer") in ("customer", "tier") else {}
        return Limit.objects.create(**whose, **{"metric": "total_tokens", "amount": amount, **fields})

    return limit


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prepared reply to every question, whose card a tool looks up."""
    found = SimpleNamespace(reply=SimpleNamespace(answer="Here they are.", tool="look_up"))
    monkeypatch.setattr(canned, "best", lambda *_: found)
    monkeypatch.setattr(canned, "fair", bool)


def looking_up(text: str = "", usage: object = LONG) -> Reply:
    return Reply(text, tools=(("look_up", '{"word": "tent"}'),), usage=usage)  # type: ignore[arg-type]


def answered(turning: Turning) -> Ending:
    """The turn's ending, whose text is what the customer sees."""
    ending = turn.answer(turning.work)
    if ending.streamed:
        assert turning.screen.shown == ending.text
    else:
        assert turning.screen.shown == ""
    return ending


class TestStepDown:
    def test_class_with_room_answers(self, turning: Turning, limited: Limited) -> None:
        limited(100_000, model_class="large", when_full="next")
        ending = answered(turning)
        assert (ending.outcome, ending.model, ending.model_class) == ("answered", "main", "large")
        assert turning.spare.completions == []

    def test_full_class_gives_way_to_a_cheaper_one(self, turning: Turning, limited: Limited) -> None:
        limited(model_class="large", when_full="next")
        ending = answered(turning)
        assert (ending.outcome, ending.model, ending.model_class) == ("answered", "spare", "small")
        assert ending.reason == "small: full large"
        assert turning.main.completions == []
        assert [entry.model for entry in UsageEntry.objects.all()] == ["spare"]

    def test_limit_that_degrades_does_not_step_down(self, turning: Turning, limited: Limited) -> None:
        limited(model_class="large")
        ending = answered(turning)
        assert (ending.outcome, ending.reason) == ("degraded", "usage_limit")
        assert turning.spare.completions == []

    def test_no_dearer_class_steps_in(self, turning: Turning, tier: Tier, limited: Limited) -> None:
        tier.classes = ["small", "large"]
        tier.save()
        limited(model_class="small", when_full="next")
        assert answered(turning).reason == "usage_limit"
        assert turning.main.completions == []

    def test_last_class_refuses_in_its_own_words(self, turning: Turning, limited: Limited) -> None:
        limited(model_class="large", when_full="next")
        limited(model_class="small", when_full="text", words={"en": "Come back tomorrow."})
        ending = answered(turning)
        assert (ending.text, ending.source) == ("Come back tomorrow.", "promise")

    def test_calls_that_failed_before_count_for_the_turn(
        self, turning: Turning, tier: Tier, limited: Limited
    ) -> None:
        main = Model.objects.get(name="main")
        Model.objects.create(provider=main.provider, name="other", model_class="large", order=9)
        limited(model="other", when_full="next")
        turning.main.script(*[Reply("Half of it", fault="cut", after=2)] * 3)
        ending = answered(turning)
        assert (ending.outcome, ending.model, ending.text) == ("answered", "spare", "Hello from the model.")
        entries = [*UsageEntry.objects.order_by("id")]
        assert [entry.outcome for entry in entries] == ["cut_stream"] * 3 + ["ok"]
        assert ending.input_tokens == sum(entry.input_tokens for entry in entries)


class TestOtherModels:
    """A limit of one model: another model of the class answers before a cheaper class does."""

    @pytest.fixture
    def other(self, tier: Tier) -> Model:
        """A second large model, at the endpoint of spare."""
        spare = Model.objects.get(name="spare")
        return Model.objects.create(provider=spare.provider, name="other", model_class="large", order=9)

    @pytest.mark.usefixtures("other")
    def test_another_model_of_the_class_answers(self, turning: Turning, limited: Limited) -> None:
        limited(model="main", when_full="next")
        ending = answered(turning)
        assert (ending.outcome, ending.model, ending.model_class) == ("answered", "other", "large")
        assert turning.main.completions == []

    @pytest.mark.usefixtures("other")
    def test_cheaper_class_answers_where_no_model_of_it_has_room(
        self, turning: Turning, limited: Limited
    ) -> None:
        limited(model="main", when_full="next")
        limited(model="other", when_full="next")
        ending = answered(turning)
        assert (ending.outcome, ending.model, ending.model_class) == ("answered", "spare", "small")

    @pytest.mark.usefixtures("other")
    def test_limit_that_degrades_leaves_nothing_to_another(self, turning: Turning, limited: Limited) -> None:
        limited(model="main")
        assert answered(turning).reason == "usage_limit"
        assert turning.spare.completions == []

    def test_full_model_that_was_to_help_out_leaves_it_to_the_next(
        self, turning: Turning, limited: Limited, other: Model
    ) -> None:
        """Those that have failed are not asked again."""
        Model.objects.create(provider=other.provider, name="third", model_class="large", order=10)
        limited(model="other")
        turning.main.script(*[Reply("Half of it", fault="cut", after=2)] * 3)
        ending = answered(turning)
        assert (ending.outcome, ending.model, ending.text) == ("answered", "third", "Hello from the model.")
        assert len(turning.main.completions) == 3


class TestAtFirst:
    """Nothing was shown: the ladder answers, and says why."""

    def test_text_of_a_limit_is_said_in_the_customers_language(
        self, turning: Turning, limited: Limited
    ) -> None:
        limited(when_full="text", words={"en": "Come back tomorrow.", "zh": "请明天再来。"})
        turning.work.conversation.locale = "zh"
        ending = answered(turning)
        assert (ending.text, ending.outcome, ending.source) == ("请明天再来。", "degraded", "promise")
        assert ending.reason == "usage_limit"

    @pytest.mark.parametrize(
        ("scope", "text"),
        [
            ("tier", words.say("promise.not_now", "en")),
            ("customer", words.say("promise.usage_limit", "en", why=TOKENS.format(amount=50))),
        ],
    )
    def test_only_who_has_used_up_their_own_is_told_so(
        self, turning: Turning, limited: Limited, scope: str, text: str
    ) -> None:
        limited(scope=scope)
        ending = answered(turning)
        assert ending.text == text
        assert not ending.counts

    @pytest.mark.parametrize(
        ("locale", "said"), [("en", f"{MESSAGES}\n\n"), ("zh", r"今日消息（2）额度.*后恢复。\n\n")]
    )
    @pytest.mark.parametrize("of", ["canned", "passage"])
    def test_what_stands_in_for_an_answer_says_why(
        self,
        turning: Turning,
        limited: Limited,
        monkeypatch: pytest.MonkeyPatch,
        locale: str,
        said: str,
        of: str,
    ) -> None:
        """Which limit, and when there is more."""
        limited(2, metric="messages")
        conversation = turning.work.conversation
        for _ in range(2):
            quota.hold(message := uuid4(), conversation.customer, seconds=9)
            quota.settle(message)
        if of == "canned":
            found = SimpleNamespace(reply=SimpleNamespace(answer="On Sunday.", tool=""))
            monkeypatch.setattr(canned, "best", lambda *_: found)
            monkeypatch.setattr(canned, "fair", bool)
        else:
            monkeypatch.setattr(
                search, "best_passage", lambda *_: SimpleNamespace(title="", text="On Sunday.", url="")
            )
        conversation.locale = locale
        ending = answered(turning)
        assert ending.source == of
        assert ending.text.endswith("\n\nOn Sunday.")
        assert re.match(said, ending.text), ending.text

    def test_of_a_limit_of_others_nothing_is_said_before_what_stands_in(
        self, turning: Turning, limited: Limited, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limited(scope="tier")
        found = SimpleNamespace(reply=SimpleNamespace(answer="On Sunday.", tool=""))
        monkeypatch.setattr(canned, "best", lambda *_: found)
        monkeypatch.setattr(canned, "fair", bool)
        assert answered(turning).text == "On Sunday."

    @pytest.mark.parametrize(
        ("stale", "cards"), [(False, ["card word"]), (True, ["card word", "reset", "card word"])]
    )
    def test_prepared_reply_brings_what_it_speaks_of(
        self, turning: Turning, tier: Tier, orders: None, stale: bool, cards: list[str]
    ) -> None:
        """Alone: a card that a model showed before it was given up is taken away."""
        if stale:
            turning.main.script(looking_up(), Reply(status=401))
            turning.spare.script(Reply(status=401))
        else:
            Deployment.objects.create(id=1, stopped_at=timezone.now())
        ending = answered(turning)
        assert (ending.text, ending.outcome, ending.source) == ("Here they are.", "degraded", "canned")
        assert ending.cards == [{"kind": "word", "data": {"word": ""}}]
        assert turning.screen.sent == cards

    @pytest.mark.parametrize("why", ["silent", "anonymous", "changes", "unmasked"])
    def test_prepared_reply_with_nothing_to_show_is_not_given(
        self, turning: Turning, tier: Tier, orders: None, monkeypatch: pytest.MonkeyPatch, why: str
    ) -> None:
        def unmasked(value: object) -> None:
            raise ScrubberDown

        Deployment.objects.create(id=1, stopped_at=timezone.now())
        if why == "anonymous":
            monkeypatch.setattr(Customer, "external_id", "")
        if why == "unmasked":
            monkeypatch.setattr(turning.work.veil, "mask_json", unmasked)
        others: dict[str, dict[str, Any]] = {
            "silent": {"run": lambda context, word="": ToolResult({"found": word})},
            "anonymous": {"verified": True},
            "changes": {"changes": lambda context, word="": Proposal("Cancel order")},
            "unmasked": {"public": False},
        }
        monkeypatch.setattr(registry, "offered", lambda: {"look_up": replace(look_up, **others[why])})
        ending = answered(turning)
        assert (ending.text, ending.cards) == (words.say("promise.not_now", "en"), [])

    def test_nobody_waits_for_a_tool_while_many_wait(
        self, turning: Turning, tier: Tier, orders: None
    ) -> None:
        ending = degraded.reply(turning.work, "Where is my order?", refusals.BUSY)
        assert (ending.source, turning.screen.sent) == ("promise", [])

    @pytest.mark.parametrize("locale", ["en", "zh"])
    def test_stopped_spending_is_told_without_money(self, turning: Turning, tier: Tier, locale: str) -> None:
        Deployment.objects.create(id=1, stopped_at=timezone.now())
        turning.work.conversation.locale = locale
        ending = answered(turning)
        assert (ending.outcome, ending.reason) == ("degraded", "spending_stopped")
        assert ending.text == words.say("promise.not_now", locale)
        assert turning.main.completions == turning.spare.completions == []
        assert not UsageEntry.objects.exists()

    def test_model_without_a_price_is_not_asked_where_money_counts(
        self, turning: Turning, limited: Limited
    ) -> None:
        limited(metric="money")
        ending = answered(turning)
        assert (ending.outcome, ending.reason) == ("degraded", "unpriced")
        assert ending.text == words.say("promise.model_down", "en")

    def test_model_with_a_price_is(self, turning: Turning, limited: Limited) -> None:
        limited(metric="money")
        turning.pay(input=1, output=1)
        assert answered(turning).outcome == "answered"


class TestInTheMiddle:
    """What was shown stays, with one sentence that says it ends here."""

    def test_limit_ends_the_turn_with_what_was_said(self, turning: Turning, limited: Limited) -> None:
        limited(ONE_CALL)
        turning.main.script(looking_up("A tent is"), Reply(" a house."))
        ending = answered(turning)
        assert re.fullmatch(f"A tent is\n\n{CUT}", ending.text)
        assert (ending.outcome, ending.source, ending.reason) == ("degraded", "model", "usage_limit")
        assert (ending.counts, ending.model, len(ending.cards)) == (True, "main", 1)
        assert "reset" not in turning.screen.sent
        assert (ending.input_tokens, ending.output_tokens) == (3000, 700)
        window = Window.objects.get()
        assert (window.held, window.settled) == (0, 3700)

    def test_same_turn_goes_on_where_there_is_room(self, turning: Turning, limited: Limited) -> None:
        limited(ONE_CALL * 3)
        turning.main.script(looking_up("A tent is"), Reply("a house."))
        ending = answered(turning)
        assert (ending.text, ending.outcome) == ("A tent is\n\na house.", "answered")

    def test_cards_alone_are_kept_too(self, turning: Turning, limited: Limited) -> None:
        limited(ONE_CALL)
        turning.main.script(looking_up())
        ending = answered(turning)
        assert re.fullmatch(CUT, ending.text)
        assert len(ending.cards) == 1
        assert (ending.source, ending.counts) == ("model", False)

    def test_ladder_answers_where_nothing_was_shown(
        self, turning: Turning, silent_look_up: None, limited: Limited
    ) -> None:
        limited(ONE_CALL, when_full="next")
        turning.main.script(looking_up())
        ending = answered(turning)
        assert (ending.outcome, ending.source, ending.reason) == ("degraded", "promise", "usage_limit")
        assert turning.spare.completions == []

    def test_text_of_the_limit_is_the_sentence(self, turning: Turning, limited: Limited) -> None:
        limited(ONE_CALL, when_full="text", words={"en": "Come back tomorrow."})
        turning.main.script(looking_up("A tent is"))
        assert answered(turning).text == "A tent is\n\nCome back tomorrow."

    def test_stop_lets_no_further_call_begin(
        self, turning: Turning, tier: Tier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stopping(context: object, word: str = "") -> ToolResult:
            Deployment.objects.create(id=1, stopped_at=timezone.now())
            return ToolResult({"found": word})

        stops = replace(look_up, run=stopping)
        monkeypatch.setattr(registry, "offered", lambda: {"look_up": stops})
        turning.main.script(looking_up("A tent is"))
        ending = answered(turning)
        assert ending.text == f"A tent is\n\n{words.say('cut.not_now', 'en')}"
        assert ending.reason == "spending_stopped"
        assert len(turning.main.completions) == 1

    def test_ceiling_of_rounds_keeps_what_was_said(self, turning: Turning, tier: Tier) -> None:
        tier.rounds = 1
        tier.save()
        turning.main.script(looking_up("A tent is"))
        ending = answered(turning)
        assert ending.text == f"A tent is\n\n{words.say('cut.not_now', 'en')}"
        assert (ending.outcome, ending.reason, ending.counts) == ("degraded", "ceiling of rounds", True)


@pytest.mark.usefixtures("tier")
class TestEarlierAttempts:
    """What models have cost is told of the turn, though the attempt that ends it asks none."""

    @pytest.mark.parametrize(
        ("attempt", "tokens", "cost"), [(2, (3000, 700), Decimal("0.0037")), (1, (0, 0), None)]
    )
    def test_cost_of_an_attempt_that_was_lost(
        self, turning: Turning, attempt: int, tokens: tuple[int, int], cost: Decimal | None
    ) -> None:
        turning.pay(input=1, output=1)
        if attempt > 1:
            turning.main.script(Reply("A tent is", usage=LONG))
            turning.ask()
        work = replace(turning.work, attempt=attempt, first_text_at=None, calls=None)
        work.__dict__["veil"] = turning.work.veil
        Model.objects.update(enabled=False)
        ending = turn.answer(work)
        assert ((ending.input_tokens, ending.output_tokens), ending.cost) == (tokens, cost)


class TestChanges:
    """A change that the customer has approved, with no action left for it."""

    @pytest.mark.parametrize(
        ("locale", "said"),
        [
            ("en", "The limit of lookups and actions today leaves no room for more now."),
            ("zh", "今日查询与操作额度已用完。"),
        ],
    )
    def test_customer_is_told_in_their_words_when_no_model_words_it(
        self, turning: Turning, limited: Limited, monkeypatch: pytest.MonkeyPatch, locale: str, said: str
    ) -> None:
        limited(0, metric="actions")
        limited(0, metric="messages")
        changing = replace(look_up, changes=lambda context, word="": Proposal("Cancel order"))
        monkeypatch.setattr(registry, "offered", lambda: {"look_up": changing})
        work = turning.work
        asked = Turn.objects.create(conversation=work.conversation, state="done", attempt=1)
        call = {"call": "c", "name": "look_up", "state": "approved", "title": "Cancel order"}
        ToolCall.objects.create(turn=asked, carried_by=work.turn, **call)
        work.conversation.locale = locale
        undone = words.say("approval.undone", locale, title="Cancel order")
        assert answered(turning).text == f"{said}\n\n{undone}"
