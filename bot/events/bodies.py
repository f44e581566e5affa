"""A stored message, and a stored reply's final, as a browser sees them."""

from bot.events.frames import AllowanceBody, Final, MessageBody
from bot.models import Message, Turn


def message_body(message: Message, text: str | None) -> MessageBody:
    """`message` as a browser sees it; `text` is the face its reader is entitled to.

    Comes with its agent and turn, or asks the database for them.
    """
    turn = message.turn if message.author == Message.Author.BOT else None
    return MessageBody(
        id=message.uuid,
        author=message.author,  # type: ignore[arg-type]
        name=message.agent.name if message.agent else None,
        text=text,
        source=message.source or None,
        turn=turn.id if turn else None,
        cards=message.cards or None,
        sources=message.sources or None,
        rating=message.rating,
        deferred=turn.deferred or None if turn else None,
        answers=turn.answers_id if turn else None,
        created_at=message.created_at,
    )


def stored_final(turn: Turn, allowance: AllowanceBody) -> Final:
    """The final of a turn that is done, from the stored reply; with placeholders, as it was written."""
    said = Message.objects.select_related("agent").filter(turn=turn, author=Message.Author.BOT).first()
    # Where it was deleted, its turn has ended all the same.
    message = said or Message(author=Message.Author.BOT, created_at=turn.finished_at or turn.queued_at)
    message.turn = turn
    return Final(
        turn=turn.id,
        attempt=turn.attempt,
        message=message_body(message, message.masked or ""),
        state=turn.outcome,  # type: ignore[arg-type]
        allowance=allowance,
    )
