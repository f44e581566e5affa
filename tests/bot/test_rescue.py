"""Nobody is forgotten: what a worker's rescue thread does, look by look."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer, Site, Tier
from bot import conversations, heartbeats, keeping, leases, queue, rescue, turn
from bot.events import TurnLog
from bot.models import Conversation, Message, Turn
from bot.outbox import outbox
from bot.rescue import Rescue
from tests.sockets import SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def conversation(alice: Customer) -> Conversation:
    return Conversation.objects.create(site=alice.site, customer=alice)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tickets were sent, each time; none is on its way."""
    counts: list[int] = []

    def ticket(count: int = 1) -> bool:
        counts.append(count)
        return True

    monkeypatch.setattr(queue, "ticket", ticket)
    monkeypatch.setattr(queue, "tickets", lambda: 0)
    return counts


@pytest.fixture
def rescuer(site: Site) -> Iterator[Rescue]:
    """A rescue that looks when it is told to."""
    one = Rescue(slots=2)
    yield one
    one._own.shutdown(wait=True)


def say(conversation: Conversation, seconds: float, text: str = "How do returns work?") -> Turn:
    """A message said so many seconds ago."""
    posted = conversations.post(
        conversation.customer, conversation.id, uuid4(), text, key=conversation.data_key
    )
    Turn.objects.filter(id=posted.turn).update(queued_at=timezone.now() - timedelta(seconds=seconds))
    return Turn.objects.get(id=posted.turn)


def told(turn: Turn) -> list[dict[str, Any]]:
    assert outbox().flush()
    return [kept.event for kept in outbox().log.read(str(turn.id), 0)[0]]


def test_a_turn_whose_ticket_was_lost_gets_another(
    conversation: Conversation, rescuer: Rescue, sent: list[int]
) -> None:
    say(conversation, 1)
    sent.clear()
    rescuer._look(timezone.now())
    assert sent == []  # its ticket may still be on its way
    rescuer._look(timezone.now() + timedelta(seconds=rescue.TICKET_SECONDS))
    assert sent == [1]


def test_no_ticket_is_added_where_the_queue_has_enough(
    conversation: Conversation, rescuer: Rescue, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(conversation, 5)
    sent.clear()
    monkeypatch.setattr(queue, "tickets", lambda: 1)
    rescuer._look(timezone.now())
    assert sent == []


def test_a_lost_worker_s_turn_is_called_for_at_once(
    conversation: Conversation, rescuer: Rescue, sent: list[int]
) -> None:
    waiting = say(conversation, 0)
    assert leases.claim()
    sent.clear()
    rescuer._look(timezone.now())
    assert sent == []
    Turn.objects.filter(id=waiting.id).update(lease_until=timezone.now() - timedelta(seconds=1))
    rescuer._look(timezone.now())
    assert sent == [1]


def test_only_one_worker_looks_at_a_time(
    conversation: Conversation, rescuer: Rescue, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(conversation, 5)
    sent.clear()
    monkeypatch.setattr(rescue, "_lock", lambda: False)
    rescuer._look(timezone.now())
    assert sent == []


def test_when_the_queue_is_away_the_turn_is_answered_right_here(
    conversation: Conversation, rescuer: Rescue, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(conversation, 5)
    answered = threading.Event()
    monkeypatch.setattr(queue, "tickets", lambda: 0)
    monkeypatch.setattr(queue, "ticket", lambda count=1: False)
    monkeypatch.setattr(turn, "run_next", answered.set)
    rescuer._look(timezone.now())
    assert answered.wait(SECONDS)


def test_a_turn_that_waits_while_there_is_room_is_answered_right_here(
    conversation: Conversation, rescuer: Rescue, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(conversation, rescue.STUCK_SECONDS + 1)
    answered: list[bool] = []
    monkeypatch.setattr(turn, "run_next", lambda: answered.append(True))
    kept = [TurnLog(uuid4(), 1, conversation.id) for _ in range(2)]
    with keeping.keeper().keep(kept[0], "en", 90), keeping.keeper().keep(kept[1], "en", 90):
        rescuer._look(timezone.now())
        assert answered == []
    rescuer._look(timezone.now())
    rescuer._own.shutdown(wait=True)
    assert answered == [True]


def test_a_turn_on_which_three_workers_were_lost_is_ended_degraded(
    conversation: Conversation, rescuer: Rescue, sent: list[int]
) -> None:
    forlorn = say(conversation, 0)
    for attempt in range(1, leases.MOST_LOSSES + 1):
        assert leases.claim()
        leases.lose(forlorn.id, attempt)
    rescuer._look(timezone.now())
    forlorn.refresh_from_db()
    assert (forlorn.state, forlorn.outcome, forlorn.attempt) == ("done", "degraded", 4)
    final = told(forlorn)[-1]
    assert (final["type"], final["state"]) == ("final", "degraded")
    assert "ask for a person" in final["message"]["text"]


def test_a_turn_whose_key_is_lost_ends_all_the_same(
    conversation: Conversation, rescuer: Rescue, sent: list[int], scrubber: None
) -> None:
    doomed = say(conversation, 0)
    Conversation.objects.filter(id=conversation.id).update(wrapped_key=b"another deployment's")
    for _ in range(leases.MOST_LOSSES):
        assert turn.run_next()
    assert not turn.run_next()
    rescuer._look(timezone.now())
    doomed.refresh_from_db()
    assert (doomed.state, doomed.outcome) == ("done", "degraded")


def test_a_stop_whose_author_died_is_ended_with_what_was_shown(
    conversation: Conversation, rescuer: Rescue, sent: list[int]
) -> None:
    stopped = say(conversation, 0)
    claimed = leases.claim()
    assert claimed is not None
    log = TurnLog(claimed.turn, claimed.attempt, claimed.conversation)
    assert leases.show(claimed.turn, claimed.attempt, model="m", model_class="small")
    log.text("Returns are")
    assert outbox().flush()
    late = timezone.now() - timedelta(seconds=1)
    Turn.objects.filter(id=stopped.id).update(attempt=2, outcome="stopped", lease_until=late)
    rescuer._look(timezone.now())
    stopped.refresh_from_db()
    assert (stopped.state, stopped.outcome) == ("done", "stopped")
    assert Message.objects.get(turn=stopped, author="bot").masked == "Returns are"


def test_whoever_waits_long_is_told_their_place_once(
    site: Site, vip: Tier, rescuer: Rescue, sent: list[int], settings: Settings, beating: None
) -> None:
    settings.DEFER_AFTER = 500
    turns = [say(customer_s(site), seconds) for seconds in (30, 20)]
    for _ in range(2):
        rescuer._look(timezone.now())
    lines = [[event["label"] for event in told(one) if event["type"] == "working"] for one in turns]
    assert ["number 1 in line" in lines[0][0], "number 2 in line" in lines[1][0]] == [True, True]
    assert [len(one) for one in lines] == [1, 1]


def test_whoever_would_wait_too_long_is_answered_in_short_and_in_full_later(
    site: Site, rescuer: Rescue, sent: list[int], settings: Settings, beating: None, scrubber: None
) -> None:
    settings.DEFER_AFTER = 20
    late = say(customer_s(site), 25)
    rescuer._look(timezone.now())
    late.refresh_from_db()
    assert (late.state, late.outcome, late.deferred) == ("done", "degraded", True)
    final = told(late)[-1]
    assert final["message"]["deferred"]
    assert "as soon as it is your turn" in final["message"]["text"]
    [following] = Turn.objects.filter(answers=late)
    assert (following.state, following.deferred) == ("queued", True)
    # It waits without being put off again, and behind everybody else.
    rescuer._look(timezone.now() + timedelta(seconds=60))
    assert Turn.objects.get(id=following.id).state == "queued"
    assert Turn.objects.filter(deferred=True, state="done").count() == 1


def test_what_is_said_to_a_deferred_turn_makes_it_urgent_again(
    site: Site, rescuer: Rescue, sent: list[int], settings: Settings, beating: None, scrubber: None
) -> None:
    settings.DEFER_AFTER = 20
    conversation = customer_s(site)
    late = say(conversation, 25)
    rescuer._look(timezone.now())
    following = say(conversation, 0, "Are you there?")
    assert (following.answers_id, following.deferred) == (late.id, False)


def test_leaving_hands_back_what_cannot_be_finished(
    conversation: Conversation, rescuer: Rescue, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue, "FINISH_SECONDS", 0.1)
    running = say(conversation, 0)
    claimed = leases.claim()
    assert claimed is not None
    log = TurnLog(claimed.turn, claimed.attempt, claimed.conversation)
    sent.clear()
    with keeping.keeper().keep(log, "en", 90):
        rescuer.start()
        rescuer.leave()
        assert log.fenced_event.wait(SECONDS)
    rescuer._thread.join(SECONDS)
    assert sent == [1]
    again = leases.claim()
    assert again is not None
    assert (again.turn, again.attempt, again.lost) == (running.id, 2, False)


def test_leaving_waits_for_what_is_about_to_end(
    conversation: Conversation, rescuer: Rescue, sent: list[int]
) -> None:
    log = TurnLog(uuid4(), 1, conversation.id)
    with keeping.keeper().keep(log, "en", 90):
        rescuer.start()
        rescuer.leave()
    rescuer._thread.join(SECONDS)
    assert not rescuer._thread.is_alive()
    assert not log.fenced
    assert sent == []


@pytest.fixture
def beating(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One worker lives, and both its places are taken."""
    monkeypatch.setattr(rescue, "STUCK_SECONDS", 1000)
    heartbeats.beat(2, 2)
    yield
    heartbeats.stop()


def customer_s(site: Site) -> Conversation:
    return Conversation.objects.create(site=site, customer=Customer.objects.create(site=site))
