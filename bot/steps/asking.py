"""A model's answer, of the first class of models that the limits let answer."""

from dataclasses import replace

from django.conf import settings

from accounts.models import CLASSES
from accounts.quota import Exhausted
from accounts.usage import Bound
from bot.reply import Reply
from bot.steps import choice, model_loop, upstream
from bot.steps.calls import Calls
from bot.steps.choice import Choice
from bot.steps.work import Work


def reply(work: Work) -> Reply:
    """What the model says; a class that a limit refuses at first leaves the turn to the next cheaper one.

    Raises Exhausted or SpendingStopped where nothing was said, Unpriced, UpstreamError, GaveUp, Fenced.
    """
    chosen, ends_at = choice.choose(work, work.binding), work.kept.ends_at
    while True:
        # Models of another class may take longer.
        work.kept.ends_at = ends_at + chosen.seconds - settings.TURN_DEADLINE
        calls = work.calls = _calls(work, chosen)
        try:
            said = model_loop.run(work, calls, upstream.provider(chosen, calls))
        except Exhausted as refused:
            if calls.answered or not refused.steps_down:
                raise
            chosen = _cheaper(work, chosen.model_class, refused)
        else:
            return model_loop.reply(work, calls, said)


def _calls(work: Work, chosen: Choice) -> Calls:
    """Those of a class that was refused may have cost something."""
    bound = Bound(work.binding, chosen.seconds * 2, work.locale)
    return replace(work.calls or Calls.begun(work, chosen), choice=chosen, bound=bound)


def _cheaper(work: Work, full: str, refused: Exhausted) -> Choice:
    """Raises the refusal where the tier has nothing cheaper."""
    try:
        return choice.choose(work, work.binding, frozenset(CLASSES[CLASSES.index(full) :]))
    except choice.NoneLeft:
        raise refused from None
