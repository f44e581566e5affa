"""One turn: from what a customer said to exactly one reply."""

import time
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from accounts import quota
from bot import events, leases, reply, words
from bot.desk import approvals, handover
from bot.errors import Fenced, GaveUp
from bot.llm.errors import UpstreamError
from bot.models import Conversation, Turn
from bot.privacy import veil
from bot.privacy.errors import PrivacyError
from bot.reply import Reply
from bot.steps import approved, choice, degraded, model_loop, prepared, read, upstream
from bot.steps.work import Work

log = structlog.get_logger(__name__)


def run(turn_id: UUID) -> UUID | None:
    """One turn, from claim to final; the id of the conversation's next turn, when one waits.

    1. Claim it: whoever comes second does nothing.
    2. Say at once that somebody is at work; take back what a dead attempt has shown.
    3. Answer it, one way or another.
    4. End it: store the reply under the fence, settle the quota, send `final`.
    """
    attempt = leases.claim(turn_id)
    if attempt is None:
        return None
    work = _open(turn_id, attempt)
    with leases.keeper().keep(turn_id, attempt):
        if attempt > 1:
            approvals.take_back(turn_id)
            work.log.reset()
        work.log.working(words.say("working.thinking", work.locale))
        try:
            _end(work, answer(work))
        except Fenced:
            log.info("turn fenced", turn=str(turn_id), attempt=attempt)
            _let_go(work)
    return _next(work)


def answer(work: Work) -> Reply:
    """What the turn ends with.

    1. Nothing, when a person has the conversation by now; no model, when three attempts have died.
    2. Scrub what was said; without a scrubber nothing goes to a model.
    3. Do what the customer approved.
    4. A prepared reply, where one surely fits.
    5. Choose a model, hold the quota, and let it talk, with tools.
    6. Without a model or quota: the degraded ladder, honestly labelled.
    """
    if work.conversation.handler != Conversation.Handler.BOT:
        reply.leave_undone(work.turn)
        return Reply("", "handed_over", "system")
    if work.attempt > leases.MOST_ATTEMPTS:
        return _without_model(work, "model_down")
    try:
        read.scrub(work)
        ending = approved.carry_out(work) or prepared.reply(work)
        return _say(work, ending) if ending else _with_model(work)
    except PrivacyError as error:
        # Also in the middle: what a tool has found cannot be masked.
        log.warning("scrubber down", turn=str(work.turn.id), error=type(error).__name__)
        return _without_model(work, "model_down")
    except quota.Exhausted:
        return _without_model(work, "usage_limit")
    except UpstreamError as error:
        log.warning("model gone", turn=str(work.turn.id), kind=error.kind)
        return _without_model(work, "model_down")
    except GaveUp:
        text = words.say("gave_up", work.locale)
        return _say(work, Reply(text, "failed", "system", reason="too many rounds"))


def _with_model(work: Work) -> Reply:
    """Step 5 of the story."""
    chosen = choice.choose(work)
    work.ends_at += chosen.seconds - settings.TURN_DEADLINE
    quota.hold(work.turn.id, work.conversation.customer, seconds=chosen.seconds * 2)
    calls = upstream.Calls(work, chosen)
    said = model_loop.run(work, chosen, upstream.provider(chosen, calls))
    return model_loop.reply(work, chosen, calls, said)


def _without_model(work: Work, reason: str) -> Reply:
    """Step 6 of the story; found in this very process, so the question may be as it was typed."""
    question = work.question or read.unscrubbed(work)
    return _say(work, approved.give_up(work) or degraded.reply(work, question, reason))


def _end(work: Work, ending: Reply) -> None:
    with transaction.atomic():
        if not reply.end(work.turn, work.attempt, ending, work.log):
            raise Fenced
        if ending.handover:
            handover.join_queue(work.conversation.id, ending.handover)
    if ending.handover:
        # What the customer said meanwhile is for the person, too.
        reply.fence(work.conversation.id, "handed_over")


def _let_go(work: Work) -> None:
    """Whoever ended the turn may have done so before this attempt held its quota."""
    if Turn.objects.filter(id=work.turn.id, state=Turn.State.DONE).exists():
        quota.release(work.turn.id)


def _say(work: Work, ending: Reply) -> Reply:
    """Show a reply that no model streamed; what a model had begun to say is taken back."""
    work.check_fence()
    if work.first_text_at or (work.shown.cards and not ending.cards):
        work.log.reset()
    work.log.text(ending.text)
    return ending


def _open(turn_id: UUID, attempt: int) -> Work:
    turn = Turn.objects.select_related(
        "conversation__site__default_tier",
        "conversation__customer__tier",
        "conversation__customer__token_tier",
    ).get(id=turn_id)
    conversation = turn.conversation
    # One object for one site: the customer's default tier is read through it.
    conversation.customer.site = conversation.site
    deadline = time.monotonic() + settings.TURN_DEADLINE
    turn_log = events.TurnLog(turn.id, attempt, conversation.id)
    return Work(turn, attempt, turn_log, veil.of(conversation), deadline)


def _next(work: Work) -> UUID | None:
    queued = Turn.objects.filter(conversation=work.conversation, state=Turn.State.QUEUED)
    return queued.values_list("id", flat=True).first()
