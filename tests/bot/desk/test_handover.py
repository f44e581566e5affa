"""A conversation goes from bot to a person and back; of two agents at once, one wins."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.db import close_old_connections, connection, transaction

from accounts.models import Customer, User
from bot import conversations, leases
from bot import turn as bot_turn
from bot.desk import handover
from bot.errors import Fenced, Rejected, Unknown
from bot.events import TurnLog
from bot.keeping import Kept
from bot.models import Conversation, Message, Turn
from bot.privacy.vault import Vault
from bot.reply import Reply
from bot.steps.work import Work

pytestmark = pytest.mark.django_db


def test_take_over_gives_the_conversation_to_the_agent_and_tells_the_customer(
    bob: User, conversation: Conversation
) -> None:
    handover.join_queue(conversation.id, "customer_request")
    handover.take_over(bob, conversation.id)
    conversation.refresh_from_db()
    assert (conversation.handler, conversation.agent) == ("person", bob)
    assert conversation.waiting_since is None
    assert conversation.handover_reason == "customer_request"
    assert _system(conversation)[-1] == "Bob has joined."


def test_take_over_speaks_the_customers_language(bob: User, conversation: Conversation) -> None:
    Conversation.objects.update(locale="zh")
    handover.take_over(bob, conversation.id)
    assert _system(conversation) == ["Bob 已加入对话。"]


def test_take_over_ends_the_turn_that_runs(bob: User, conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation, state="running", attempt=1)
    handover.take_over(bob, conversation.id)
    turn.refresh_from_db()
    assert (turn.state, turn.outcome) == ("done", "handed_over")
    assert turn.attempt > 1


def test_take_over_twice_says_so_once(bob: User, conversation: Conversation) -> None:
    handover.take_over(bob, conversation.id)
    handover.take_over(bob, conversation.id)
    assert _system(conversation) == ["Bob has joined."]


def test_take_over_is_refused_when_another_agent_has_it_unless_forced(
    bob: User, dana: User, conversation: Conversation
) -> None:
    handover.take_over(bob, conversation.id)
    with pytest.raises(handover.TakenAlready) as refused:
        handover.take_over(dana, conversation.id)
    assert refused.value.name == "Bob"
    handover.take_over(dana, conversation.id, force=True)
    conversation.refresh_from_db()
    assert conversation.agent == dana


@pytest.mark.django_db(transaction=True)
def test_take_over_has_one_winner_when_two_agents_race(bob: User, dana: User, alice: Customer) -> None:
    for _ in range(5):
        conversation = Conversation.objects.create(site=alice.site, customer=alice)
        start = threading.Barrier(2)
        with ThreadPoolExecutor(2) as threads:
            results = list(threads.map(lambda agent: _race(start, agent, conversation), (bob, dana)))  # noqa: B023
        assert sorted(results) == ["taken", "won"]
        assert len(_system(conversation)) == 1
        conversation.refresh_from_db()
        assert conversation.agent == (bob, dana)[results.index("won")]
        conversation.delete()


def test_reply_is_sealed_and_not_readable_until_scrubbed(bob: User, conversation: Conversation) -> None:
    handover.take_over(bob, conversation.id)
    message = handover.reply(bob, conversation.id, " Write to me at bob@harbor.example ")
    message.refresh_from_db()
    assert (message.author, message.agent, message.masked) == ("agent", bob, None)
    sealed = bytes(message.sealed)
    assert b"harbor" not in sealed
    assert Fernet(conversation.data_key).decrypt(sealed) == b"Write to me at bob@harbor.example"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("I write to <EMAIL_1>.", "I write to [e-mail address]."),
        ("I write to a<EMAIL_1>", "I write to a[e-mail address]"),
        ("[email_1], <PHONE_9>", "[e-mail address], [phone number]"),
    ],
)
def test_placeholder_in_a_reply_is_a_word_to_the_customer_and_no_value_to_the_agent(
    bob: User, conversation: Conversation, typed: str, said: str
) -> None:
    key = conversation.data_key
    assert Vault(conversation.id, key).placeholder("EMAIL", "alice@harbor.test") == "<EMAIL_1>"
    handover.take_over(bob, conversation.id)
    message = handover.reply(bob, conversation.id, typed)
    assert Fernet(key).decrypt(bytes(message.sealed)).decode() == said


def test_reply_of_one_uuid_is_said_once(bob: User, conversation: Conversation) -> None:
    handover.take_over(bob, conversation.id)
    uuid = uuid4()
    first, second = (handover.reply(bob, conversation.id, "Hello", uuid) for _ in range(2))
    assert first == second
    assert Message.objects.filter(author="agent").count() == 1


def test_reply_of_an_agent_who_does_not_have_it_is_refused_and_not_stored(
    bob: User, dana: User, conversation: Conversation
) -> None:
    with pytest.raises(handover.NotYours):
        handover.reply(dana, conversation.id, "Hello")
    handover.take_over(bob, conversation.id)
    with pytest.raises(handover.TakenAlready):
        handover.reply(dana, conversation.id, "Hello")
    handover.hand_back(bob, conversation.id)
    with pytest.raises(handover.NotYours):
        handover.reply(bob, conversation.id, "Hello")
    assert not Message.objects.filter(author="agent").exists()


@pytest.mark.parametrize(("text", "code"), [("", "invalid"), ("  \n", "invalid"), ("x" * 4001, "too_long")])
def test_reply_that_cannot_be_said_is_refused(
    bob: User, conversation: Conversation, text: str, code: str
) -> None:
    handover.take_over(bob, conversation.id)
    with pytest.raises(Rejected) as refused:
        handover.reply(bob, conversation.id, text)
    assert refused.value.code == code
    assert not Message.objects.filter(author="agent").exists()


def test_hand_back_returns_the_conversation_to_the_bot(
    bob: User, dana: User, conversation: Conversation
) -> None:
    handover.take_over(bob, conversation.id)
    with pytest.raises(handover.TakenAlready):
        handover.hand_back(dana, conversation.id)
    handover.hand_back(bob, conversation.id)
    conversation.refresh_from_db()
    assert (conversation.handler, conversation.agent) == ("bot", None)
    assert _system(conversation)[-1] == "Bob has left. You are talking to the assistant again."


def test_join_queue_and_leave_queue_each_happen_once(conversation: Conversation) -> None:
    assert handover.join_queue(conversation.id, "missing_knowledge")
    assert not handover.join_queue(conversation.id, "customer_request")
    conversation.refresh_from_db()
    assert (conversation.handler, conversation.handover_reason) == ("queue", "missing_knowledge")
    assert conversation.waiting_since is not None
    assert handover.leave_queue(conversation.id)
    assert not handover.leave_queue(conversation.id)
    conversation.refresh_from_db()
    assert (conversation.handler, conversation.waiting_since) == ("bot", None)
    assert len(_system(conversation)) == 2


def test_who_leaves_the_queue_at_once_joins_the_turn_that_still_waits(conversation: Conversation) -> None:
    customer, key = conversation.customer, conversation.data_key
    first = conversations.post(customer, conversation.id, uuid4(), "Good morning", key=key)
    # The turns are not ended yet when another tab has changed its mind.
    handover.join_queue(conversation.id, "customer_request")
    second = conversations.post(customer, conversation.id, uuid4(), "Anybody there?", key=key)
    conversations.no_person_after_all(conversation.id)
    second.message.refresh_from_db()
    assert second.message.turn_id == first.turn
    assert Turn.objects.count() == 1


def test_close_ends_the_conversation_unless_another_agent_has_it(
    bob: User, dana: User, conversation: Conversation
) -> None:
    handover.take_over(bob, conversation.id)
    with pytest.raises(handover.TakenAlready):
        handover.close(dana, conversation.id)
    handover.close(bob, conversation.id)
    conversation.refresh_from_db()
    assert conversation.closed_at is not None
    for act in (handover.take_over, handover.hand_back, handover.close):
        with pytest.raises(Unknown):
            act(bob, conversation.id)


@pytest.mark.django_db(transaction=True)
def test_bot_that_hands_over_waits_for_whoever_says_something_without_its_turn(alice: Customer) -> None:
    conversation = Conversation.objects.create(site=alice.site, customer=alice)
    running = Turn.objects.create(conversation=conversation, state="running", attempt=1)
    log = TurnLog(running.id, 1, conversation.id)
    ending = Reply("", "handed_over", "model", handover="customer_request")
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            Conversation.objects.select_for_update(no_key=True).get(id=conversation.id)
            ended = threads.submit(_end, Work(running, 1, Kept(log, "en", 0)), ending)
            while not ended.done() and not _somebody_waits():
                pass
            # Were it locked, each would wait for the other.
            Turn.objects.select_for_update(nowait=True).get(id=running.id)
            assert leases.join(conversation.id) == running.id
        with pytest.raises(Fenced):
            ended.result(10)
    conversation.refresh_from_db()
    assert conversation.handler == "bot"
    _end(Work(running, 2, Kept(TurnLog(running.id, 2, conversation.id), "en", 0)), ending)
    conversation.refresh_from_db()
    assert (conversation.handler, conversation.handover_reason) == ("queue", "customer_request")


def _end(work: Work, ending: Reply) -> None:
    try:
        bot_turn.end(work, ending)
    finally:
        connection.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def _system(conversation: Conversation) -> list[str | None]:
    said = Message.objects.filter(conversation=conversation, author="system").order_by("pk")
    return list(said.values_list("masked", flat=True))


def _race(start: threading.Barrier, agent: User, conversation: Conversation) -> str:
    start.wait(10)
    try:
        handover.take_over(agent, conversation.id)
    except handover.TakenAlready:
        return "taken"
    else:
        return "won"
    finally:
        close_old_connections()
        connection.close()
