"""Who gets which turn, and who has lost it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Customer, Site, Tier
from bot import leases, line, reply
from bot.events import TurnLog
from bot.models import Conversation, Turn
from bot.reply import Reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(alice: Customer) -> Conversation:
    return Conversation.objects.create(site=alice.site, customer=alice)


def waiting_turn(site: Site, seconds: float, rank: int = 0, **fields: object) -> Turn:
    customer = Customer.objects.create(site=site)
    conversation = Conversation.objects.create(site=site, customer=customer)
    turn = Turn.objects.create(conversation=conversation, rank=rank, **fields)
    Turn.objects.filter(id=turn.id).update(queued_at=timezone.now() - timedelta(seconds=seconds))
    return turn


def expire(turn: UUID) -> None:
    Turn.objects.filter(id=turn).update(lease_until=timezone.now() - timedelta(seconds=1))


def taken() -> UUID | None:
    claimed = leases.claim()
    return claimed.turn if claimed else None


def test_claim_takes_a_turn_once(conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation)
    claimed = leases.claim()
    assert claimed is not None
    assert (claimed.turn, claimed.attempt, claimed.conversation, claimed.lost, claimed.locale) == (
        turn.id,
        1,
        conversation.id,
        False,
        "en",
    )
    assert leases.claim() is None


def test_claim_leaves_a_queued_turn_while_another_of_its_conversation_runs(
    conversation: Conversation,
) -> None:
    first = Turn.objects.create(conversation=conversation)
    assert taken() == first.id
    second = Turn.objects.create(conversation=conversation)
    assert leases.claim() is None
    Turn.objects.filter(id=first.id).update(state=Turn.State.DONE)
    assert taken() == second.id


def test_claim_takes_a_lost_turn_with_a_higher_attempt(conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation)
    assert taken() == turn.id
    expire(turn.id)
    again = leases.claim()
    assert again is not None
    assert (again.turn, again.attempt, again.lost) == (turn.id, 2, True)
    turn.refresh_from_db()
    assert turn.losses == 1


def test_claim_leaves_a_turn_on_which_three_workers_were_lost_to_the_rescue(
    conversation: Conversation,
) -> None:
    turn = Turn.objects.create(conversation=conversation)
    for _ in range(leases.MOST_LOSSES):
        assert taken() == turn.id
        expire(turn.id)
    assert leases.claim() is None
    [waits] = line.waiting(timezone.now())
    assert waits.forlorn
    last = leases.claim_lost(turn.id)
    assert last is not None
    assert last.attempt == leases.MOST_LOSSES + 1
    assert leases.claim_lost(turn.id) is None


def test_an_attempt_that_raised_counts_as_lost_and_waits_at_once(conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation)
    for attempt in range(1, leases.MOST_LOSSES + 1):
        assert taken() == turn.id
        leases.lose(turn.id, attempt)
    turn.refresh_from_db()
    assert turn.losses == leases.MOST_LOSSES
    assert leases.claim() is None
    assert leases.claim_lost(turn.id)


def test_hand_back_lets_another_begin_at_once_and_loses_nobody(conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation)
    assert taken() == turn.id
    leases.hand_back([TurnLog(turn.id, 1, conversation.id)])
    again = leases.claim()
    assert again is not None
    assert (again.attempt, again.lost) == (2, False)
    # Late, and from an attempt that is over: nothing changes.
    leases.hand_back([TurnLog(turn.id, 1, conversation.id)])
    assert leases.claim() is None


def test_renew_tells_which_turns_are_still_held(site: Site) -> None:
    kept, lost = waiting_turn(site, 2), waiting_turn(site, 1)
    claims = [leases.claim(), leases.claim()]
    logs = [TurnLog(one.turn, one.attempt, one.conversation) for one in claims if one]
    expire(lost.id)
    assert leases.claim()
    assert leases.renew(logs) == {kept.id}


def test_show_is_for_the_attempt_that_holds_the_turn(conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation)
    assert taken() == turn.id
    expire(turn.id)
    assert taken() == turn.id
    assert not leases.show(turn.id, 1, model="m", model_class="small")
    assert leases.show(turn.id, 2, model="m", model_class="small")


def test_join_begins_a_turn_anew_until_its_text_was_seen(conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation)
    assert leases.join(conversation.id) is None  # a queued turn is joined by being there
    assert taken() == turn.id
    assert leases.join(conversation.id) == turn.id
    assert not leases.show(turn.id, 1, model="m", model_class="small")
    claimed = leases.claim()
    assert claimed is not None
    assert (claimed.attempt, claimed.lost) == (3, False)
    assert leases.show(turn.id, 3, model="m", model_class="small")
    assert leases.join(conversation.id) is None


def test_of_two_claims_one_is_the_highest_tiers_and_one_the_oldest(site: Site, vip: Tier) -> None:
    free = [waiting_turn(site, seconds) for seconds in (60, 50, 40)]
    high = [waiting_turn(site, seconds, rank=vip.rank) for seconds in (3, 2, 1)]
    order = [taken() for _ in range(6)]
    assert set(order[:4]) == {free[0].id, free[1].id, high[0].id, high[1].id}
    assert [one for one in order if one in {turn.id for turn in high}] == [turn.id for turn in high]
    assert [one for one in order if one in {turn.id for turn in free}] == [turn.id for turn in free]


@pytest.mark.parametrize("before", [0, 1, 5, 12])
def test_nobody_waits_twice_as_long_as_first_come_first_served(site: Site, vip: Tier, before: int) -> None:
    for number in range(before):
        waiting_turn(site, 100 - number)
    mine = waiting_turn(site, 50)
    for number in range(30):
        waiting_turn(site, 40 - number, rank=vip.rank)
    claims = 1
    while taken() != mine.id:
        claims += 1
    assert claims <= 2 * (before + 1)


def test_line_foretells_the_order_of_the_claims(site: Site, vip: Tier) -> None:
    for number in range(4):
        waiting_turn(site, 60 - number)
        waiting_turn(site, 30 - number, rank=vip.rank)
    foretold = [one.turn for one in line.in_order(line.waiting(timezone.now()))]
    claimed = [taken() for _ in range(8)]
    # Which of the two comes first depends on what this process has claimed before.
    assert [set(foretold[at : at + 2]) for at in range(0, 8, 2)] == [
        set(claimed[at : at + 2]) for at in range(0, 8, 2)
    ]


def test_a_deferred_turn_comes_last_and_is_not_counted_as_waiting(site: Site) -> None:
    later = waiting_turn(site, 500, deferred=True)
    now = waiting_turn(site, 1)
    assert line.oldest_wait(timezone.now()) < 100
    assert [taken(), taken()] == [now.id, later.id]
    later.refresh_from_db()
    assert not later.deferred


@pytest.mark.django_db(transaction=True)
def test_a_reply_does_not_wait_for_whoever_posts_in_its_conversation(conversation: Conversation) -> None:
    """Who posts has the conversation and waits for its turns: the other way round both would wait."""
    turn = Turn.objects.create(conversation=conversation)
    assert taken() == turn.id
    log = TurnLog(turn.id, 1, conversation.id)
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Conversation.objects.select_for_update(no_key=True).get(id=conversation.id)
        ended = other.submit(_end, turn, log)
        assert ended.result(timeout=5)
        assert leases.join(conversation.id) is None


def _end(turn: Turn, log: TurnLog) -> bool:
    try:
        return reply.end(turn, 1, Reply("Done", "answered", "model"), log) is not None
    finally:
        connection.close()


def test_a_fence_whose_author_died_is_seen_with_how_the_turn_is_to_end(conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation)
    assert taken() == turn.id
    Turn.objects.filter(id=turn.id).update(outcome="stopped", attempt=2)
    assert line.waiting(timezone.now()) == []
    expire(turn.id)
    assert leases.claim() is None
    [waits] = line.waiting(timezone.now())
    assert (waits.ending, waits.attempt) == ("stopped", 2)
