"""One question cannot cost more than its tier allows, whatever is in it."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.conf import LazySettings

from accounts.models import Customer, Hold, Limit, Tier, UsageEntry
from accounts.usage import Bound
from bot import conversations
from bot.errors import GaveUp, Rejected
from bot.llm import counting
from bot.llm.base import Finish, Pieces, Request, ToolRequest, Usage
from bot.models import Conversation, Message, Model, Turn
from bot.steps import ceilings, upstream
from bot.steps.read import MOST_CHARACTERS
from tests.bot.steps.conftest import Turning
from tests.upstream import Reply

USED = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}


class Greedy:
    """A model that takes all that it may, and always wants to look something up."""

    def stream(self, request: Request) -> Pieces:
        yield ToolRequest("1", "look_up", f'{{"word": "{uuid4()}"}}')
        read = counting.Tally().most_input_tokens(request)
        assert request.settings.max_tokens
        yield Usage(read, 0, request.settings.max_tokens, 0, exact=True)
        yield Finish("tool_calls")


@pytest.fixture
def tier(turning: Turning) -> Tier:
    return turning.work.conversation.customer.effective_tier


def said(turning: Turning, texts: list[str]) -> None:
    """Turns that were answered before this one."""
    conversation = turning.work.conversation
    Message.objects.filter(conversation=conversation).delete()
    for text in texts:
        before = Turn.objects.create(conversation=conversation, state="done")
        for author in ("customer", "bot"):
            Message.objects.create(
                conversation=conversation, uuid=uuid4(), author=author, masked=text, turn=before
            )
    Message.objects.create(
        conversation=conversation, uuid=uuid4(), author="customer", masked="Now?", turn=turning.work.turn
    )


def sent(turning: Turning, number: int = -1) -> dict[str, object]:
    body: dict[str, object] = turning.main.completions[number].body
    return body


class TestAnswer:
    def test_tier_may_allow_less_than_the_model(self, turning: Turning, tier: Tier) -> None:
        tier.answer_tokens = 300
        turning.ask()
        assert sent(turning)["max_completion_tokens"] == 300

    def test_tier_may_not_allow_more(self, turning: Turning, tier: Tier) -> None:
        tier.answer_tokens = 5000
        turning.ask()
        assert sent(turning)["max_completion_tokens"] == 800


class TestMoney:
    """Held before the call: the prompt, and the longest answer."""

    def test_answer_is_no_longer_than_the_turns_money(self, turning: Turning, tier: Tier) -> None:
        turning.pay(input=0, output=100)
        tier.turn_cost = Decimal("0.03")
        turning.ask()
        assert sent(turning)["max_completion_tokens"] == 300

    def test_turn_whose_money_does_not_pay_for_the_prompt_asks_nobody(
        self, turning: Turning, tier: Tier
    ) -> None:
        turning.pay(input=100, output=100)
        tier.turn_cost = Decimal("0.01")
        with pytest.raises(GaveUp, match="cost"):
            turning.ask()
        assert turning.main.completions == []
        assert not UsageEntry.objects.exists()

    @pytest.mark.parametrize(("cost", "tokens"), [("0.03", 60_000), ("0.2", 60_000), ("5", 7000)])
    def test_greediest_model_stays_within_the_turns_ceilings(
        self,
        turning: Turning,
        tier: Tier,
        silent_look_up: None,
        settings: LazySettings,
        monkeypatch: pytest.MonkeyPatch,
        cost: str,
        tokens: int,
    ) -> None:
        turning.pay(input=10, output=30, call=Decimal("0.001"))
        tier.turn_cost, tier.rounds, settings.TURN_TOKENS = Decimal(cost), 8, tokens
        monkeypatch.setattr(upstream, "_client", lambda model: Greedy())
        with pytest.raises(GaveUp):
            turning.ask()
        entries = [*UsageEntry.objects.all()]
        assert 0 < sum(entry.cost or 0 for entry in entries) <= tier.turn_cost
        assert sum(entry.input_tokens + entry.output_tokens for entry in entries) <= tokens

    def test_fee_of_a_call_is_part_of_it(self, turning: Turning, tier: Tier) -> None:
        turning.pay(input=0, output=100, call=Decimal("0.02"))
        tier.turn_cost = Decimal("0.03")
        turning.ask()
        assert sent(turning)["max_completion_tokens"] == 100

    def test_deployments_ceiling_holds_where_the_tier_has_none(
        self, turning: Turning, settings: LazySettings
    ) -> None:
        settings.TURN_COST = Decimal("0.03")
        turning.pay(input=0, output=100)
        turning.ask()
        assert sent(turning)["max_completion_tokens"] == 300

    def test_second_round_has_what_the_first_has_left(self, turning: Turning, tier: Tier) -> None:
        turning.pay(input=0, output=100)
        tier.turn_cost = Decimal("0.07")
        turning.main.script(Reply("", tools=(("look_up", "{}"),), usage=USED), Reply("Yes."))
        turning.ask()
        assert [sent(turning, number)["max_completion_tokens"] for number in (0, 1)] == [700, 200]
        assert turning.calls.cost is not None
        assert turning.calls.cost <= tier.turn_cost

    def test_attempts_before_this_one_have_cost_something(self, turning: Turning, tier: Tier) -> None:
        turning.pay(input=0, output=100)
        tier.turn_cost = Decimal("0.07")
        _spent_before(turning, outcome="ok", output_tokens=500, cost=Decimal("0.05"))
        turning.ask()
        assert sent(turning)["max_completion_tokens"] == 200

    def test_call_of_theirs_that_is_under_way_counts_as_the_longest(
        self, turning: Turning, tier: Tier
    ) -> None:
        turning.pay(input=0, output=100)
        tier.answer_tokens, tier.turn_cost = 300, Decimal("0.05")
        _spent_before(turning, outcome="open", output_price=Decimal(100), cost=Decimal(0))
        turning.ask()
        assert sent(turning)["max_completion_tokens"] == 200


def _spent_before(turning: Turning, **fields: object) -> None:
    turn, customer = turning.work.turn, turning.work.conversation.customer_id
    UsageEntry.objects.create(turn=turn.id, customer=customer, model="main", confidence="exact", **fields)
    turning.work.attempt = turning.work.log.attempt = turn.attempt = 2
    Turn.objects.filter(id=turn.id).update(attempt=2)


class TestPrompt:
    def test_conversation_is_cut_to_the_tiers_budget(self, turning: Turning, tier: Tier) -> None:
        said(turning, ["word " * 100] * 20)
        turning.ask()
        whole = len(turning.main.completions[0].body["messages"])
        tier.prompt_tokens = 2000
        turning.ask()
        assert len(turning.main.completions[1].body["messages"]) < whole == 42
        [*_, newest] = turning.main.completions[1].body["messages"]
        assert newest["content"] == "Now?"

    def test_question_that_alone_is_longer_is_not_asked(self, turning: Turning, tier: Tier) -> None:
        said(turning, [])
        tier.prompt_tokens = 50
        with pytest.raises(GaveUp, match="prompt tokens"):
            turning.ask()
        assert turning.main.completions == []

    def test_old_turns_leave_before_money_runs_out(self, turning: Turning, tier: Tier) -> None:
        """A model of unknown encoding is counted by the byte."""
        said(turning, ["word " * 100] * 20)
        turning.pay(input=10, output=10)
        tier.turn_cost = Decimal("0.10")
        turning.ask()
        assert 2 < len(turning.main.completions[0].body["messages"]) < 42
        assert sent(turning)["max_completion_tokens"] == 800

    def test_what_tools_have_found_takes_the_place_of_old_turns(self, turning: Turning, tier: Tier) -> None:
        said(turning, ["word " * 100] * 5)
        tier.prompt_tokens = 2000
        long = '{"word": "%s"}' % ("found " * 600)
        turning.main.script(Reply("", tools=(("look_up", long),)), Reply("Yes."))
        turning.ask()
        first, second = (len(one.body["messages"]) for one in turning.main.completions)
        assert (first, second) == (12, 4)


class TestRounds:
    @pytest.mark.parametrize(("rounds", "asked"), [(2, 2), (None, ceilings.ROUNDS)])
    def test_tier_says_how_often_a_model_is_asked(
        self, turning: Turning, tier: Tier, silent_look_up: None, rounds: int | None, asked: int
    ) -> None:
        tier.rounds = rounds
        turning.main.script(*[Reply("", tools=(("look_up", f'{{"word": "{n}"}}'),)) for n in range(6)])
        with pytest.raises(GaveUp, match="rounds"):
            turning.ask()
        assert len(turning.main.completions) == asked


class TestCounting:
    @pytest.fixture
    def counted(self, turning: Turning, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The texts whose tokens are counted."""
        Model.objects.filter(name="main").update(name="gpt-4o-mini")
        said(turning, ["word " * 100] * 5)
        turning.main.script(Reply("", tools=(("look_up", "{}"),)), Reply("Yes."))
        texts: list[str] = []
        count = counting.tokens

        def watched(text: str, model: str = "") -> int:
            texts.append(text)
            return count(text, model)

        monkeypatch.setattr(counting, "tokens", watched)
        return texts

    def test_second_round_counts_only_what_is_new(
        self, turning: Turning, tier: Tier, counted: list[str]
    ) -> None:
        Limit.objects.create(tier=tier, metric="total_tokens", amount=100_000)
        turning.bound = Bound(turning.work.binding)
        turning.ask()
        assert len(turning.main.completions) == 2
        assert len(counted) == len(set(counted))
        assert "Now?" in counted
        assert Hold.objects.filter(metric="total_tokens", amount__gt=1000, amount__lt=3000).count() == 2

    def test_nothing_is_counted_where_the_bytes_tell_enough(
        self, turning: Turning, counted: list[str]
    ) -> None:
        turning.ask()
        assert len(turning.main.completions) == 2
        assert counted == []


@pytest.mark.django_db
class TestQuestion:
    """At the door."""

    @pytest.mark.parametrize("characters", [None, 10, 5000])
    def test_tier_says_how_long_it_may_be(self, alice: Customer, characters: int | None) -> None:
        longest = characters or 4000
        alice.effective_tier.question_characters = characters
        conversation = Conversation.objects.create(site=alice.site, customer=alice)

        def post(text: str) -> None:
            conversations.post(alice, conversation.id, uuid4(), text, key=conversation.data_key)

        with pytest.raises(Rejected) as refused:
            post("x" * (longest + 1))
        assert (refused.value.code, str(longest) in refused.value.text("en")) == ("too_long", True)
        post("x" * longest)

    def test_scrubber_reads_it_whole_whatever_the_tier_says(self, alice: Customer) -> None:
        alice.effective_tier.question_characters = 1_000_000
        assert ceilings.question_characters(alice.effective_tier) == MOST_CHARACTERS
