"""A model's answer, of the first class of models that the limits let answer."""

from dataclasses import replace

from django.conf import settings

from accounts.models import CLASSES, Limit
from accounts.quota import Exhausted
from accounts.usage import Bound
from bot.models import Model
from bot.reply import Reply
from bot.steps import choice, model_loop, upstream
from bot.steps.calls import Calls
from bot.steps.choice import Choice
from bot.steps.work import Work


def reply(work: Work) -> Reply:
    """What the model says; what a limit refuses at first is left to another model, then to a cheaper class.

    Raises Exhausted or SpendingStopped where nothing was said, Unpriced, UpstreamError, GaveUp, Fenced.
    """
    chosen, ends_at = choice.choose(work, work.binding), work.kept.ends_at
    preferred = chosen.first
    while True:
        # Models of another class may take longer.
        work.kept.ends_at = ends_at + chosen.seconds - settings.TURN_DEADLINE
        calls = work.calls = _calls(work, chosen)
        try:
            said = model_loop.run(work, calls, upstream.provider(chosen, calls))
        except Exhausted as refused:
            if calls.answered or calls.wanted is None:
                raise
            if refused.steps_down or calls.wanted != preferred:
                left = _not_asked(chosen, calls.wanted, refused)
            else:
                # The limit of the model that should answer says that none does.
                raise
            if left:
                chosen = replace(chosen, models=left)
            else:
                chosen = _cheaper(work, chosen.model_class, refused)
                preferred = chosen.first
        else:
            return model_loop.reply(work, calls, said)


def _calls(work: Work, chosen: Choice) -> Calls:
    """Those of a class that was refused may have cost something."""
    bound = Bound(work.binding, chosen.seconds * 2, work.locale)
    return replace(work.calls or Calls.begun(work, chosen), choice=chosen, bound=bound)


def _not_asked(chosen: Choice, full: Model, refused: Exhausted) -> list[Model]:
    """The models after the one that was refused; those before it have failed.

    A message is a message, whichever model it is for; tokens and money may suffice for another.
    """
    messages = [one.rule for one in refused.full if one.rule.metric == Limit.Metric.MESSAGES]
    later = chosen.models[chosen.models.index(full) + 1 :]
    return [one for one in later if not any(rule.counts(one.model_class, one.name) for rule in messages)]


def _cheaper(work: Work, full: str, refused: Exhausted) -> Choice:
    """Raises the refusal where its limits want no other class, or the tier has nothing cheaper."""
    if not refused.steps_down:
        raise refused
    try:
        return choice.choose(work, work.binding, frozenset(CLASSES[CLASSES.index(full) :]))
    except choice.NoneLeft:
        raise refused from None
