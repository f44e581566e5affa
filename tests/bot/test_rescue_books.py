"""What a rescue does for the books: what dead workers have held and asked for is not left as it was."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import quota, usage
from accounts.models import Customer, Limit, UsageEntry, Window
from accounts.quota import Most
from bot import rescue
from bot.llm import counting
from bot.models import Conversation, Message, Turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(alice: Customer) -> Turn:
    """A turn that others have ended just now, with a call that its worker has left open."""
    conversation = Conversation.objects.create(site=alice.site, customer=alice)
    turn = Turn.objects.create(conversation=conversation, state="done", attempt=1, finished_at=timezone.now())
    usage.begin(
        usage.CallCharge(
            call=uuid4(),
            turn=turn.id,
            attempt=turn.attempt,
            customer=alice.id,
            site="demo",
            tier="free",
            provider="p",
            model="gpt-4o-mini",
            model_class="small",
            tokens=usage.Counted(10, 0),
            exact=False,
        ),
        Most("small", "gpt-4o-mini", 10, 800, None),
        usage.Bound(),
    )
    return turn


def test_an_open_call_is_charged_once_its_worker_had_the_time_to_do_so(ended: Turn) -> None:
    rescue.sweep(timezone.now())
    assert UsageEntry.objects.get().outcome == "open"
    rescue.sweep(timezone.now() + timedelta(seconds=rescue.SWEEP_EVERY + 1))
    assert UsageEntry.objects.get().outcome == "lost"


@pytest.mark.parametrize("source", ["model", "canned"])
def test_open_calls_are_charged_with_what_a_model_has_said_however_long_ago(ended: Turn, source: str) -> None:
    UsageEntry.objects.update(created_at=timezone.now() - timedelta(days=2))
    Message.objects.create(
        conversation=ended.conversation, turn=ended, author="bot", source=source, masked="Yes, we do."
    )
    before = UsageEntry.objects.get().cost
    rescue.sweep(timezone.now() + timedelta(days=2))
    entry = UsageEntry.objects.get()
    said = counting.tokens("Yes, we do.") if source == "model" else 0
    assert (entry.outcome, entry.output_tokens, entry.cost > before) == ("lost", said, said > 0)


def test_open_calls_of_a_turn_that_is_not_kept_are_charged(ended: Turn) -> None:
    ended.delete()
    rescue.sweep(timezone.now())
    assert UsageEntry.objects.get().outcome == "lost"


def test_open_calls_of_a_turn_under_way_are_left_alone(ended: Turn) -> None:
    Turn.objects.update(state="running", finished_at=None)
    rescue.sweep(timezone.now() + timedelta(days=2))
    assert UsageEntry.objects.get().outcome == "open"


def test_what_was_held_too_long_is_given_back_where_no_beat_does_it(alice: Customer) -> None:
    Limit.objects.create(scope="deployment", amount=5)
    quota.hold(uuid4(), alice, seconds=5)
    window = Window.objects.filter(subject="deployment")
    rescue.sweep(timezone.now())
    assert window.get().held == 1
    rescue.sweep(timezone.now() + timedelta(seconds=6))
    assert window.get().held == 0
