"""One turn: from what a customer said to exactly one reply."""

import time
from collections.abc import Callable
from uuid import UUID

import structlog
import tenacity
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts import quota, usage
from accounts.models import UsageEntry
from bot import events, keeping, leases, metrics, queue, reply, words
from bot.desk import approvals, handover
from bot.errors import Fenced, GaveUp, place
from bot.keeping import Kept
from bot.leases import Claimed
from bot.llm import counting
from bot.llm.errors import ContentRefused, UpstreamError
from bot.models import Conversation, Turn
from bot.privacy.errors import PrivacyError
from bot.reply import Reply
from bot.steps import approved, asking, degraded, opening, prepared, read, refusals
from bot.steps.refusals import Refusal
from bot.steps.work import Work

# How long a reply waits for a database that restarts; the lease outlives it.
DATABASE_SECONDS = 10
# What an attempt has at least, however much the ones before it have taken.
LEAST_SECONDS = 10

log = structlog.get_logger(__name__)


def run_next() -> bool:
    """The turn whose turn it is, from claim to final; False when none waits.

    1. Claim it: whoever comes second takes another, or nothing.
    2. Say at once that somebody is at work; take back what an earlier attempt has shown.
    3. Answer it, one way or another.
    4. End it: store the reply under the fence, settle the quota, send `final`.
    5. See whether the customer has said more meanwhile.
    """
    claimed = leases.claim()
    if claimed is None:
        return False
    _attempt(claimed, answer)
    return True


def answer_in_short(turn_id: UUID) -> bool:
    """Answer a turn that would wait too long without a model; its real answer follows when it is its turn."""
    claimed = leases.claim_this(turn_id)
    if claimed is None:
        return False
    _attempt(claimed, degraded.in_short)
    return True


def give_up(turn_id: UUID) -> bool:
    """End a turn on which too many workers were lost, with what cannot fail."""
    claimed = leases.claim_lost(turn_id)
    if claimed is None:
        return False
    _attempt(claimed, _last_resort)
    return True


def _attempt(claimed: Claimed, act: Callable[[Work], Reply]) -> None:
    """Steps 2 to 5 of the story; whatever nobody foresaw costs the turn one attempt of three."""
    work: Work | None = None
    turn_log = events.TurnLog(claimed.turn, claimed.attempt, claimed.conversation)
    with keeping.keeper().keep(turn_log, claimed.locale, settings.TURN_DEADLINE) as kept:
        try:
            work = _open(claimed, kept)
            _begin(work, claimed)
            end(work, _handed_over(work) or act(work))
        except Fenced:
            log.info("turn fenced", turn=str(claimed.turn), attempt=claimed.attempt)
            _let_go(claimed, work)
        except (DatabaseError, InterfaceError) as error:
            # Its lease ends by itself, and a new attempt begins when the database is back.
            log.warning("turn lost its database", turn=str(claimed.turn), error=type(error).__name__)
            return
        except Exception as error:
            # Told without its words, which may be a customer's.
            log.error("turn broke", turn=str(claimed.turn), error=type(error).__name__, at=place(error))  # noqa: TRY400
            metrics.count("attempts_lost", cause="raised")
            leases.lose(claimed.turn, claimed.attempt)
            queue.ticket()
    if leases.another_waits(claimed.conversation):
        queue.ticket()


def answer(work: Work) -> Reply:
    """What the turn ends with.

    1. Scrub what was said; without a scrubber nothing goes to a model.
    2. Do what the customer approved.
    3. A prepared reply, where one surely fits.
    4. Choose a model, hold the quota, and let it talk, with tools.
    5. Without a model or quota: the degraded ladder, honestly labelled.
    """
    try:
        read.scrub(work)
        ending = approved.carry_out(work) or prepared.reply(work)
        return _instead(work, ending) if ending else asking.reply(work)
    except PrivacyError as error:
        # Also in the middle: what a tool has found cannot be masked.
        log.warning("scrubber down", turn=str(work.turn.id), error=type(error).__name__)
        metrics.count("scrubber_failures")
        return _without_model(work, refusals.MODEL_DOWN)
    except refusals.REFUSED as refused:
        return _without_model(work, refusals.of(refused))
    except ContentRefused:
        return _instead(work, _failed(work, "refused", "content refused"))
    except UpstreamError as error:
        work.check_fence()
        log.warning("model gone", turn=str(work.turn.id), kind=error.kind)
        return _without_model(work, refusals.MODEL_DOWN)
    except GaveUp as error:
        return _instead(work, _failed(work, "gave_up", f"ceiling of {error}"))


def _without_model(work: Work, refusal: Refusal) -> Reply:
    """Step 5 of an answer; found in this very process, so the question may be as it was typed."""
    question = work.question or read.unscrubbed(work)
    return _instead(work, approved.give_up(work) or degraded.reply(work, question, refusal))


def _failed(work: Work, words_of: str, reason: str) -> Reply:
    return Reply(words.say(words_of, work.locale), "failed", "system", reason=reason)


def _instead(work: Work, ending: Reply) -> Reply:
    """A reply that no model streamed: what a model had begun to say is taken back."""
    work.check_fence()
    if work.first_text_at or (work.shown.cards and not ending.cards):
        work.log.reset()
    if work.calls:
        # What the model has cost before it was given up.
        ending.input_tokens, ending.output_tokens = work.calls.input_tokens, work.calls.output_tokens
        ending.cost = work.calls.cost
    elif work.attempt > 1:
        _charge_earlier(work.turn, ending)
    return ending


def _charge_earlier(turn: Turn, ending: Reply) -> None:
    """What models have cost in the attempts before this one, which has asked none."""
    entries = UsageEntry.objects.filter(turn=turn.id)
    spent = entries.aggregate(input=Sum("input_tokens"), output=Sum("output_tokens"), cost=Sum("cost"))
    ending.input_tokens, ending.output_tokens = spent["input"] or 0, spent["output"] or 0
    ending.cost = spent["cost"]


def _last_resort(work: Work) -> Reply:
    return _instead(work, approved.give_up(work) or degraded.last_resort(work))


def _handed_over(work: Work) -> Reply | None:
    """The bot says nothing any more once a person has the conversation."""
    if work.conversation.handler == Conversation.Handler.BOT:
        return None
    reply.leave_undone(work.turn)
    return Reply("", "handed_over", "system")


def _begin(work: Work, claimed: Claimed) -> None:
    """Step 2 of the story."""
    metrics.count("attempts")
    if claimed.lost:
        metrics.count("attempts_lost", cause="lease")
        # What the models had said to a worker that was lost is known only from what was shown.
        shown = work.log.take_over_shown()
        produced = counting.tokens(shown.text) if shown else 0
        usage.close_lost(claimed.turn, claimed.attempt, produced)
    if claimed.attempt > 1:
        approvals.take_back(claimed.turn)
    if claimed.attempt > 1 or _was_told_its_place(work.turn):
        # Whatever was numbered before, this begins above it.
        work.log.reset()
    work.log.working(words.say("working.thinking", work.locale))


def _was_told_its_place(turn: Turn) -> bool:
    return (timezone.now() - turn.queued_at).total_seconds() > settings.PLACE_AFTER


def end(work: Work, ending: Reply) -> None:
    """Step 4 of the story; waits for a database that restarts. Raises Fenced when the turn is not ours."""
    for attempt in tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((OperationalError, InterfaceError)),
        wait=tenacity.wait_exponential(multiplier=0.1, max=1),
        stop=tenacity.stop_after_delay(DATABASE_SECONDS),
        before_sleep=lambda _: connection.close(),
        reraise=True,
    ):
        with attempt:
            _store(work, ending)
    if ending.handover:
        # What the customer said meanwhile is for the person, too.
        reply.fence(work.conversation.id, "handed_over")


def _store(work: Work, ending: Reply) -> None:
    with transaction.atomic():
        if ending.handover:
            handover.lock(work.conversation.id)
        if not reply.end(work.turn, work.attempt, ending, work.log):
            raise Fenced
        if ending.handover:
            handover.join_queue(work.conversation.id, ending.handover)
        if ending.deferred:
            _answer_later(work.turn)


def _answer_later(turn: Turn) -> None:
    """The real answer comes with what the customer has said meanwhile, or when nobody else waits."""
    waiting = Turn.objects.filter(conversation=turn.conversation_id, state=Turn.State.QUEUED)
    if not waiting.update(answers=turn):
        Turn.objects.create(conversation_id=turn.conversation_id, answers=turn, deferred=True, rank=turn.rank)
        transaction.on_commit(queue.ticket)


def _let_go(claimed: Claimed, work: Work | None) -> None:
    """Whoever ended the turn may have done so before we held its quota, and does not know what it cost."""
    ended = Turn.objects.filter(id=claimed.turn, state=Turn.State.DONE)
    if work and work.calls:
        spent = work.calls
        ended.filter(cost=None).update(
            input_tokens=spent.input_tokens, output_tokens=spent.output_tokens, cost=spent.cost
        )
    if ended.exists():
        quota.release(claimed.turn)


def _open(claimed: Claimed, kept: Kept) -> Work:
    turn = opening.opened(claimed.turn)
    if turn.conversation.forgotten_at:
        # Just now: there is nothing to answer any more, and no key to read it with.
        raise Fenced
    if turn.started_at:
        # What earlier attempts have taken is gone; but there is time to say something.
        taken = (timezone.now() - turn.started_at).total_seconds()
        kept.ends_at = time.monotonic() + max(LEAST_SECONDS, settings.TURN_DEADLINE - taken)
    return Work(turn, claimed.attempt, kept)
