"""The ladder when the model cannot be asked: prepared reply, best passage, promise. Asks no model."""

from bot import words
from bot.events import Source
from bot.knowledge import search
from bot.models import ToolCall
from bot.privacy.errors import PrivacyError
from bot.reply import Reply
from bot.steps import canned, prepared, read
from bot.steps.refusals import BUSY, MODEL_DOWN, Refusal
from bot.steps.work import Work
from bot.tools.runner import Shown

PASSAGE_CHARACTERS = 700


def reply(work: Work, question: str, refusal: Refusal) -> Reply:
    """The best honest answer without a model, or what the limit that is in the way says itself."""
    reason = refusal.reason
    if work.approved:
        return _outcome_of_changes(work, reason)
    if refusal.text:
        return Reply(text=refusal.text, outcome="degraded", source="promise", reason=reason)
    site, locale = work.conversation.site_id, work.locale
    why = refusal.why(locale)
    match = canned.best(site, question, locale)
    if match and canned.fair(match) and _shown(work, match.reply.tool, refusal):
        text = _after(why, match.reply.answer)
        cards = work.shown.cards if match.reply.tool else []
        return Reply(text=text, outcome="degraded", source="canned", reason=reason, cards=cards)
    found = search.best_passage(site, question, locale)
    if found:
        intro = words.say("passage.intro", locale, title=found.title)
        sources = [Source(title=found.title, url=found.url)] if found.url else []
        text = _after(why, f"{intro}\n\n{_cut(found.text)}")
        return Reply(text=text, outcome="degraded", source="passage", reason=reason, sources=sources)
    text = words.say(f"promise.{refusal.about}", locale, why=why)
    return Reply(text=text, outcome="degraded", source="promise", reason=reason)


def in_short(work: Work) -> Reply:
    """What can be said at once to somebody who would wait long for a model; the real answer follows."""
    said = reply(work, read.unscrubbed(work), BUSY)
    intro = words.say("deferred", work.locale)
    said.text = said.text if said.source == "promise" else f"{intro}\n\n{said.text}"
    said.deferred = True
    return said


def last_resort(work: Work) -> Reply:
    """What is said when everything else has failed again and again."""
    if work.approved:
        return _outcome_of_changes(work, MODEL_DOWN.reason)
    text = words.say("promise.model_down", work.locale)
    return Reply(text, "degraded", "promise", reason="too many attempts")


def _shown(work: Work, tool: str, refusal: Refusal) -> bool:
    """Whether what the reply speaks of is there to be seen: its tool's card, and none that a model showed."""
    if not tool:
        return True
    if refusal == BUSY:
        # Said by whoever looks after all that wait: no site's own code holds that up.
        return False
    if work.shown.cards:
        work.log.reset()
        work.shown = Shown()
    try:
        return prepared.show(work, tool)
    except PrivacyError:
        # Nothing that cannot be masked is shown; what needs no tool is still to be had.
        return False


def _outcome_of_changes(work: Work, reason: str) -> Reply:
    """What became of an approved change is told even when no model can word it."""
    lines = []
    for call in work.approved:
        if call.state == ToolCall.State.DONE:
            lines.append(words.say("approval.done", work.locale, title=call.title))
        else:
            lines.append(_failure(call, work.locale))
    return Reply(
        text="\n\n".join(lines), outcome="degraded", source="promise", reason=reason, cards=work.shown.cards
    )


def _failure(call: ToolCall, locale: str) -> str:
    """Of a change that a limit left no room for it is told which; the model's instruction is not for them."""
    result = call.result or {}
    if "limit" in result:
        return _after(result["limit"], words.say("approval.undone", locale, title=call.title))
    return words.say("approval.failed", locale, why=result.get("error", ""))


def _after(why: str, text: str) -> str:
    """What stands in for an answer, after the limit that is in the way of it."""
    return f"{why}\n\n{text}" if why else text


def _cut(text: str) -> str:
    """A passage short enough to read in a chat, cut at a sentence."""
    if len(text) <= PASSAGE_CHARACTERS:
        return text
    head = text[:PASSAGE_CHARACTERS]
    end = max(head.rfind(mark) for mark in (". ", "。", "\n"))
    return head[: end + 1].strip() if end > 0 else f"{head.strip()}…"
