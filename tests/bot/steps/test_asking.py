"""What a turn ends with when limits, prices or the switch refuse it, at first and in the middle."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.models import Deployment, Limit, Tier, UsageEntry, Window
from bot import turn, words
from bot.models import Model
from bot.reply import Reply as Ending
from bot.tools import registry
from bot.tools.registry import ToolResult
from tests.bot.steps.conftest import Turning, look_up
from tests.upstream import Reply

LONG = {"prompt_tokens": 3000, "completion_tokens": 700, "total_tokens": 3700}
# More than what a call of these tests may come to, and less than two of them.
ONE_CALL = 4000


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

    @pytest.mark.parametrize(("scope", "about"), [("tier", "not_now"), ("customer", "usage_limit")])
    def test_only_who_has_used_up_their_own_is_told_so(
        self, turning: Turning, limited: Limited, scope: str, about: str
    ) -> None:
        limited(scope=scope)
        ending = answered(turning)
        assert ending.text == words.say(f"promise.{about}", "en")
        assert not ending.counts

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
        assert ending.text == f"A tent is\n\n{words.say('cut.usage_limit', 'en')}"
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
        assert (ending.text, len(ending.cards)) == (words.say("cut.usage_limit", "en"), 1)
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
