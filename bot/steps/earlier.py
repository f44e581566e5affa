"""What a conversation tells about its last question: whether answers have failed, or it goes on from them."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection

from bot.knowledge import terms
from bot.steps import difficulty
from bot.steps.difficulty import Sign
from bot.steps.work import Work

# Turns that are looked at, the newest first.
LOOKED_BACK = 4
# So much of the words of two questions must be the same for the one to repeat the other.
ALIKE = 0.6
# A question of so few words says little by itself.
FEW_WORDS = 6
# What a degraded answer has to do with how hard the question was: nothing.
_NOT_ITS_FAULT = ("usage_limit", "spending_stopped", "unpriced", "busy")

_EARLIER = """
SELECT turn.outcome, turn.reason, turn.model_class, said.rating,
       EXISTS (SELECT 1 FROM bot_toolcall WHERE turn_id = turn.id AND name = ANY(%(tools)s)),
       (SELECT string_agg(masked, ' ' ORDER BY id) FROM bot_message
         WHERE turn_id = turn.id AND author = 'customer')
  FROM bot_turn turn LEFT JOIN bot_message said ON said.turn_id = turn.id AND said.author = 'bot'
 WHERE turn.conversation_id = %(conversation)s AND turn.state = 'done' AND turn.id <> %(turn)s
   AND turn.id IS DISTINCT FROM %(promise)s
 ORDER BY turn.queued_at DESC LIMIT %(most)s
"""


class _Turn(NamedTuple):
    """A turn that has ended; `rating` is of its reply, `used_tools` those of the site."""

    outcome: str
    reason: str
    model_class: str
    rating: int | None
    used_tools: bool
    question: str | None


def signs(work: Work, tools: list[str]) -> list[Sign]:
    """Why the question is harder than it looks, by one statement; `tools` are the site's own."""
    return list(_signs(work.question, _turns(work, tools)))


def _turns(work: Work, tools: list[str]) -> list[_Turn]:
    facts = {
        "conversation": work.conversation.id,
        "turn": work.turn.id,
        "promise": work.turn.answers_id,
        "tools": tools,
        "most": LOOKED_BACK,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, facts)
        return [_Turn(*row) for row in cursor.fetchall()]


def _signs(question: str, turns: list[_Turn]) -> Iterator[Sign]:
    if any(_failed(turn) for turn in turns):
        yield "failed"
    if turns and turns[0].rating == -1:
        yield "disliked"
    if any(_alike(question, turn.question or "") for turn in turns):
        yield "again"
    if turns and _was_harder(turns[0]) and _says_little(question):
        yield "goes_on"


def _says_little(question: str) -> bool:
    return difficulty.size(question) <= FEW_WORDS and not difficulty.is_courtesy(question)


def _failed(turn: _Turn) -> bool:
    return turn.outcome == "failed" or (turn.outcome == "degraded" and turn.reason not in _NOT_ITS_FAULT)


def _was_harder(turn: _Turn) -> bool:
    return turn.used_tools or turn.model_class not in ("", "small") or turn.outcome == "awaiting_approval"


def _alike(question: str, earlier: str) -> bool:
    mine, theirs = set(terms.words(question)), set(terms.words(earlier))
    return len(mine) > 1 and len(mine & theirs) >= ALIKE * len(mine | theirs)
