"""The ladder when the model cannot be asked: prepared reply, best passage, promise. Needs no network."""

from bot import words
from bot.events import Source
from bot.knowledge import search
from bot.models import ToolCall
from bot.reply import Reply
from bot.steps import canned
from bot.steps.work import Work

PASSAGE_CHARACTERS = 700


def reply(work: Work, question: str, reason: str) -> Reply:
    """The best honest answer without a model; `reason` is usage_limit or model_down."""
    if work.approved:
        return _outcome_of_changes(work, reason)
    site, locale = work.conversation.site_id, work.locale
    match = canned.best(site, question, locale)
    if match and canned.fair(match):
        return Reply(text=match.reply.answer, outcome="degraded", source="canned", reason=reason)
    found = search.best_passage(site, question, locale)
    if found:
        intro = words.say("passage.intro", locale, title=found.title)
        sources = [Source(title=found.title, url=found.url)] if found.url else []
        text = f"{intro}\n\n{_cut(found.text)}"
        return Reply(text=text, outcome="degraded", source="passage", reason=reason, sources=sources)
    return Reply(
        text=words.say(f"promise.{reason}", locale), outcome="degraded", source="promise", reason=reason
    )


def _outcome_of_changes(work: Work, reason: str) -> Reply:
    """What became of an approved change is told even when no model can word it."""
    lines = []
    for call in work.approved:
        if call.state == ToolCall.State.DONE:
            lines.append(words.say("approval.done", work.locale, title=call.title))
        else:
            why = (call.result or {}).get("error", "")
            lines.append(words.say("approval.failed", work.locale, why=why))
    return Reply(
        text="\n\n".join(lines), outcome="degraded", source="promise", reason=reason, cards=work.shown.cards
    )


def _cut(text: str) -> str:
    """A passage short enough to read in a chat, cut at a sentence."""
    if len(text) <= PASSAGE_CHARACTERS:
        return text
    head = text[:PASSAGE_CHARACTERS]
    end = max(head.rfind(mark) for mark in (". ", "。", "\n"))
    return head[: end + 1].strip() if end > 0 else f"{head.strip()}…"
