"""Any interleaving of all who may touch a turn: every turn ends once, with what its customer has seen."""

from datetime import timedelta
from itertools import count, pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Customer, Site, User
from bot import conversations, events, leases, line, queue, reply, rescue
from bot.desk import handover
from bot.desk.handover import HandoverError
from bot.leases import Claimed
from bot.models import Conversation, Message, Turn
from bot.outbox import outbox
from bot.reply import Reply

numbers = count()


class Attempt:
    """A worker's attempt at a turn, alive or not, and what it has shown."""

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed
        self.log = events.TurnLog(claimed.turn, claimed.attempt, claimed.conversation)
        self.text = ""
        self.heard = _messages(claimed.turn)
        if claimed.attempt > 1:
            self.log.reset()
        self.log.working("…")


class Turns(RuleBasedStateMachine):
    """One conversation; workers, customer, agent and rescue act in any order and die at any time."""

    site: Site
    bob: User

    @initialize()
    def open_conversation(self) -> None:
        Turn.objects.all().delete()
        self.customer = Customer.objects.create(site=self.site)
        self.conversation = Conversation.objects.create(site=self.site, customer=self.customer)
        self.attempts: list[Attempt] = []
        self.said: dict[UUID, UUID | None] = {}

    # The customer

    @rule()
    def say(self) -> None:
        uuid = uuid4()
        self.said[uuid] = self._post(uuid)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        uuid = data.draw(st.sampled_from(sorted(self.said)))
        assert self._post(uuid) == self.said[uuid]

    # The workers

    @rule()
    def claim(self) -> None:
        claimed = leases.claim()
        if claimed:
            self.attempts.append(Attempt(claimed))

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def show_text(self, data: st.DataObject) -> None:
        attempt = self._one(data)
        if not attempt.text and not leases.show(
            attempt.claimed.turn, attempt.claimed.attempt, model="m", model_class="small"
        ):
            self.attempts.remove(attempt)
            return
        piece = f"{next(numbers)} "
        attempt.text += piece
        attempt.log.text(piece)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        self._finish(self._one(data))

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), how=st.sampled_from(["die", "raise", "hand back"]))
    def fail(self, data: st.DataObject, how: str) -> None:
        attempt = self._one(data)
        self.attempts.remove(attempt)
        if how == "raise":
            leases.lose(attempt.claimed.turn, attempt.claimed.attempt)
        elif how == "hand back":
            leases.hand_back([attempt.log])

    @precondition(lambda self: self.attempts)
    @rule()
    def renew(self) -> None:
        leases.renew([attempt.log for attempt in self.attempts])

    @precondition(lambda self: self.attempts)
    @rule()
    def all_leases_expire(self) -> None:
        self._expire()

    # The others

    @rule(data=st.data())
    def cut_short(self, data: st.DataObject) -> None:
        acts = [
            self._stop,
            self._stop_and_die_in_the_middle,
            lambda: conversations.ask_for_person(self.conversation.id),
            self._no_person_after_all,
            lambda: handover.take_over(self.bob, self.conversation.id),
            self._agent_hands_back,
        ]
        data.draw(st.sampled_from(acts))()

    @rule()
    def look(self) -> None:
        rescue.end_forlorn(line.waiting(timezone.now()))

    # What always holds

    @invariant()
    def each_turn_has_one_reply_when_it_is_done_and_none_before(self) -> None:
        for turn in Turn.objects.filter(conversation=self.conversation):
            replies = Message.objects.filter(turn=turn, author="bot").count()
            assert replies == (1 if turn.state == Turn.State.DONE else 0)

    @invariant()
    def what_was_sent_is_what_is_stored(self) -> None:
        assert outbox().flush()
        for turn in Turn.objects.filter(conversation=self.conversation):
            self._check_log(turn)

    @invariant()
    def nobody_but_the_person_answers(self) -> None:
        """What was cut short by somebody who died has yet to be ended with what was shown."""
        if self._handler() == "person":
            under_way = Turn.objects.filter(conversation=self.conversation).exclude(state="done")
            assert not under_way.filter(outcome="").exists()

    def teardown(self) -> None:
        """Everybody dies; the rescue and one last worker bring every turn to its end."""
        self.attempts.clear()
        for _ in range(5):
            self._expire()
            self.look()
            while claimed := leases.claim():
                self._finish(Attempt(claimed))
        assert not Turn.objects.exclude(state=Turn.State.DONE).exists()
        for uuid, turn in self.said.items():
            assert Message.objects.get(conversation=self.conversation, uuid=uuid).turn_id == turn
        self.what_was_sent_is_what_is_stored()

    def _stop(self) -> None:
        for turn in Turn.objects.filter(conversation=self.conversation):
            conversations.stop(self.conversation.id, turn.id)

    def _stop_and_die_in_the_middle(self) -> None:
        for turn in Turn.objects.filter(state=Turn.State.RUNNING):
            reply._raise_fence(turn, "stopped")

    def _no_person_after_all(self) -> None:
        conversations.no_person_after_all(self.conversation.id)
        for message in Message.objects.filter(conversation=self.conversation, author="customer"):
            self.said[message.uuid] = message.turn_id

    def _agent_hands_back(self) -> None:
        try:
            handover.hand_back(self.bob, self.conversation.id)
        except HandoverError:
            assert self._handler() != "person"

    def _expire(self) -> None:
        late = timezone.now() - timedelta(seconds=1)
        Turn.objects.filter(state=Turn.State.RUNNING, lease_until__isnull=False).update(lease_until=late)

    def _post(self, uuid: UUID) -> UUID | None:
        posted = conversations.post(
            self.customer, self.conversation.id, uuid, "Hello", key=self.conversation.data_key
        )
        return posted.turn

    def _handler(self) -> str:
        return Conversation.objects.values_list("handler", flat=True).get(id=self.conversation.id)

    def _one(self, data: st.DataObject) -> Attempt:
        return data.draw(st.sampled_from(self.attempts))

    def _finish(self, attempt: Attempt) -> None:
        row = Turn.objects.select_related("conversation__customer__site__default_tier").get(
            id=attempt.claimed.turn
        )
        text = attempt.text or "At once"
        ending = Reply(text, "answered", "model", streamed=bool(attempt.text), counts=bool(attempt.text))
        if reply.end(row, attempt.claimed.attempt, ending, attempt.log):
            assert attempt.heard == _messages(row.id)
        if attempt in self.attempts:
            self.attempts.remove(attempt)

    def _check_log(self, turn: Turn) -> None:
        told: list[dict[str, Any]] = [kept.event for kept in outbox().log.read(str(turn.id), 0)[0]]
        for last, event in pairwise([{"seq": 0}, *told]):
            leap = event["seq"] > last["seq"] and event["type"] == "reset"
            assert event["seq"] == last["seq"] + 1 or leap
        assert [event["attempt"] for event in told] == sorted(event["attempt"] for event in told)
        finals = [event for event in told if event["type"] == "final"]
        assert len(finals) == (1 if turn.state == Turn.State.DONE else 0)
        if finals:
            stored = Message.objects.get(turn=turn, author="bot").masked
            assert told[-1] == finals[0]
            assert finals[0]["message"]["text"] == stored == _shown(told)


def _messages(turn: UUID) -> set[UUID]:
    return set(Message.objects.filter(turn=turn, author="customer").values_list("uuid", flat=True))


def _shown(told: list[dict[str, Any]]) -> str:
    text = ""
    for event in told:
        if event["type"] == "delta":
            text += event["text"]
        elif event["type"] == "reset":
            text = ""
    return text


@pytest.mark.django_db(transaction=True)
def test_any_interleaving_ends_every_turn_once(
    site: Site, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ticket", lambda count=1: True)
    machine = type("OurTurns", (Turns,), {"site": site, "bob": bob})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
