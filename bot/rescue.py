"""A thread in every worker that sees to it that no turn is forgotten, whoever dies and whatever is away."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from accounts import quota, usage
from bot import events, heartbeats, keeping, leases, line, queue, reply, turn, words
from bot.errors import place
from bot.line import Waiting
from bot.llm import counting
from bot.models import Message, Turn

LOOK_SECONDS = 1.0
BEAT_EVERY = 5
SWEEP_EVERY = 30
# A ticket is on its way for so long before another is sent.
TICKET_SECONDS = 2.0
# With room in this worker a turn is taken within moments; if not, this worker's queue is broken.
STUCK_SECONDS = 8.0
# On SIGTERM: finish what can be finished, then hand the rest to the other workers.
FINISH_SECONDS = 6.0
MOST_IN_SHORT = 20
_ANY_ATTEMPT = 2**15 - 1  # as many as the column holds
LOCK = 0x46645265  # one worker looks at a time

log = structlog.get_logger(__name__)


class Rescue:
    """1. Say that this worker lives. 2. Give lost and forgotten turns to a worker. 3. Tell those who wait.

    4. When the worker is told to leave, hand back what it cannot finish.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._leaving = threading.Event()
        self._looks = 0
        self._told: dict[UUID, int] = {}
        self._own = ThreadPoolExecutor(slots, thread_name_prefix="rescue-turn")
        self._thread = threading.Thread(target=self._run, name="rescue", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        """The worker shuts down: finish or hand back, in the rescue's own thread."""
        self._leaving.set()

    @property
    def is_leaving(self) -> bool:
        return self._leaving.is_set()

    def stop(self) -> None:
        self._leaving.set()
        self._thread.join(FINISH_SECONDS + 5)
        self._own.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._leaving.wait(LOOK_SECONDS):
            try:
                self._look(timezone.now())
            except (DatabaseError, InterfaceError, RedisError) as error:
                log.warning("rescue could not look", error=type(error).__name__)
            except Exception as error:
                # Nobody looks after this thread: whatever it was, the next look may go well.
                log.error("rescue broke", error=type(error).__name__, at=place(error))  # noqa: TRY400
            finally:
                close_old_connections()
        self._hand_back()

    def _look(self, now: datetime) -> None:
        self._looks += 1
        if self._looks % BEAT_EVERY == 1:
            self._beat()
        with transaction.atomic():
            if not _lock():
                return
            waiting = line.waiting(now)
        if self._looks % SWEEP_EVERY == 0:
            sweep(now)
        if waiting:
            end_forlorn(waiting)
            self._call_workers(waiting, now)
            self._tell(waiting, now)
        else:
            self._told.clear()

    def _beat(self) -> None:
        try:
            heartbeats.beat(self._slots, len(keeping.keeper().kept))
        except RedisError as error:
            log.warning("no heartbeat", error=type(error).__name__)

    def _call_workers(self, waiting: list[Waiting], now: datetime) -> None:
        """A ticket for each turn that has none; what no ticket brings to a worker is answered right here."""
        old = [turn for turn in waiting if turn.begun or _waited(turn, now) > TICKET_SECONDS]
        claimable = [turn for turn in old if not turn.forlorn and not turn.ending]
        try:
            missing = len(claimable) - queue.tickets()
            away = missing > 0 and not queue.ticket(missing)
        except RedisError:
            away = True
        stuck = [turn for turn in claimable if _waited(turn, now) > STUCK_SECONDS]
        free = self._slots - len(keeping.keeper().kept)
        for _ in (claimable if away else stuck)[: max(0, free)]:
            self._own.submit(_answer_here)

    def _tell(self, waiting: list[Waiting], now: datetime) -> None:
        """Their place to those who wait long; an answer in short to those who would wait too long."""
        fresh = [turn for turn in waiting if not turn.begun and not turn.deferred]
        if not any(_waited(turn, now) > settings.PLACE_AFTER for turn in fresh):
            return
        each = line.seconds_a_turn() / max(1, heartbeats.slots())
        late: list[Waiting] = []
        for number, turn_waiting in enumerate(line.in_order(fresh), start=1):
            seconds = number * each
            if _waited(turn_waiting, now) + seconds > settings.DEFER_AFTER:
                late.append(turn_waiting)
            elif _waited(turn_waiting, now) > settings.PLACE_AFTER:
                self._tell_place(turn_waiting, number, seconds)
        for turn_waiting in late[:MOST_IN_SHORT]:
            turn.answer_in_short(turn_waiting.turn)

    def _tell_place(self, waits: Waiting, number: int, seconds: float) -> None:
        if self._told.get(waits.turn) == number:
            return
        self._told[waits.turn] = number
        said = words.say("working.place", waits.locale, place=number, seconds=max(1, round(seconds)))
        events.TurnLog(waits.turn, waits.attempt, waits.conversation).working(said)

    def _hand_back(self) -> None:
        keeper = keeping.keeper()
        keeper.wait_until_free(FINISH_SECONDS)
        if kept := keeper.kept:
            log.info("turns handed back", count=len(kept))
            leases.hand_back(kept)
            for mine in kept:
                mine.fenced_event.set()
            queue.ticket(len(kept))


def end_forlorn(waiting: Iterable[Waiting]) -> None:
    """End what nobody else will: fences whose author has died, turns on which too many workers were lost."""
    for one in waiting:
        if one.ending:
            _end_fenced(one)
        elif one.forlorn:
            turn.give_up(one.turn)


def sweep(now: datetime) -> None:
    """Give back what was held too long, should nobody else, and charge what dead workers had asked of models.

    That is for turns that others have ended, and for those that are not kept any more.
    """
    quota.expire(now)
    settled = now - timedelta(seconds=SWEEP_EVERY)
    open_calls = usage.turns_with_open_calls()
    known = Turn.objects.in_bulk(open_calls)
    for turn_id in open_calls:
        ended = known.get(turn_id)
        if ended is None:
            usage.close_lost(turn_id, _ANY_ATTEMPT, 0)
        elif ended.finished_at and ended.finished_at < settled:
            usage.close_lost(turn_id, ended.attempt + 1, _said(ended))


def _said(ended: Turn) -> int:
    """Tokens of what a model has said in this turn: all that is known of calls whose worker died."""
    said = Message.objects.filter(turn=ended, author=Message.Author.BOT, source="model")
    return counting.tokens(said.values_list("masked", flat=True).first() or "")


def _end_fenced(one: Waiting) -> None:
    row = Turn.objects.select_related("conversation__customer__site__default_tier").get(id=one.turn)
    if reply.end_fenced(row, one.attempt, one.ending):  # type: ignore[arg-type]
        reply.leave_undone(row)


def _answer_here() -> None:
    try:
        turn.run_next()
    except (DatabaseError, InterfaceError) as error:
        log.warning("rescue could not answer", error=type(error).__name__)
    finally:
        close_old_connections()


def _waited(waits: Waiting, now: datetime) -> float:
    return (now - waits.queued_at).total_seconds()


def _lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


_running: list[Rescue] = []


def start(slots: int) -> None:
    """This worker's rescue; it has `slots` places for turns."""
    _running.append(Rescue(slots))
    _running[-1].start()


def leave() -> None:
    """The worker has been told to end: it takes no more turns, and finishes or hands back its own."""
    for one in _running:
        one.leave()


def leaving() -> bool:
    return any(one.is_leaving for one in _running)


def stop() -> None:
    while _running:
        _running.pop().stop()
