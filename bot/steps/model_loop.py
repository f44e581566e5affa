"""Ask the model, run the tools it asks for, ask again, and stream what it says."""

from dataclasses import dataclass

from django.utils import timezone

from bot import events, words
from bot.errors import GaveUp
from bot.llm.base import Finish, Message, Provider, Request, Text, ToolRequest
from bot.llm.errors import Malformed
from bot.models import ToolCall
from bot.privacy.restore import DeltaBuffer
from bot.reply import Reply
from bot.steps import prompt
from bot.steps.choice import Choice, deadlines
from bot.steps.upstream import Calls
from bot.steps.work import Work
from bot.tools import registry, runner

ROUNDS = 5
TOOL_CALLS = 8


@dataclass
class Answer:
    """What a model said: everything that was streamed, in one text."""

    text: str = ""
    asked: ToolCall | None = None
    handover: events.HandoverReason | None = None


class _Voice:
    """Streams text to the customer; a piece never ends inside a placeholder."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._gap = False
        self.text = ""

    def start(self) -> None:
        """The beginning of one round, with the placeholders that tools have added."""
        self._buffer = DeltaBuffer(self._work.veil.known_placeholders())

    def say(self, text: str) -> None:
        self._send(self._buffer.feed(text))

    def stop(self) -> None:
        """The end of one round: what was held back goes out; what follows is a new paragraph."""
        self._send(self._buffer.flush())
        self._gap = bool(self.text)

    def _send(self, text: str) -> None:
        if text and self._gap:
            text, self._gap = f"\n\n{text.lstrip()}", False
        if text:
            self.text += text
            self._work.log.text(text)
            self._work.first_text_at = self._work.first_text_at or timezone.now()


def run(work: Work, choice: Choice, provider: Provider) -> Answer:
    """The conversation with the model until it answers, proposes a change or hands over.

    Raises UpstreamError when no model answers, GaveUp at the ceilings, Fenced when the turn is lost.
    """
    answer = Answer()
    voice = _Voice(work)
    messages = prompt.build(work, choice.context_tokens)
    seen: dict[tuple[str, str], str] = {}
    for round_number in range(ROUNDS):
        requests = _ask(work, choice, provider, messages, voice, answer)
        answer.text = voice.text
        if not requests:
            if not answer.text.strip() and not work.shown.cards:
                raise Malformed("The answer is empty")
            return answer
        if len(seen) + len(requests) > TOOL_CALLS:
            break
        for number, request in enumerate(requests):
            name = f"call_{work.attempt}_{round_number}_{number}"
            content = _use(work, request, name, seen, answer)
            if answer.asked:
                answer.text = voice.text
                return answer
            messages += prompt.exchange(name, request.name, request.arguments, content)
        work.check_fence()
        if answer.handover:
            answer.text = voice.text
            return answer
    raise GaveUp


def _ask(
    work: Work, choice: Choice, provider: Provider, messages: list[Message], voice: _Voice, answer: Answer
) -> list[ToolRequest]:
    """One upstream call: text goes out as it comes, the tools asked for are returned."""
    request = Request(
        model=choice.first.name,
        messages=tuple(messages),
        tools=tuple(tool.spec for tool in registry.offered().values()),
        max_tokens=choice.answer_tokens,
        temperature=choice.first.temperature,
        deadlines=deadlines(choice.first, work.seconds_left),
    )
    requests: list[ToolRequest] = []
    voice.start()
    pieces = provider.stream(request)
    try:
        for piece in pieces:
            work.check_fence()
            match piece:
                case Text(text):
                    voice.say(text)
                case ToolRequest():
                    requests.append(piece)
                case Finish():
                    voice.stop()
                case _:
                    # Usage: whoever made the call has it.
                    pass
    finally:
        pieces.close()
    return requests


def _use(
    work: Work, request: ToolRequest, name: str, seen: dict[tuple[str, str], str], answer: Answer
) -> str:
    """The result of one tool request, as JSON for the model."""
    key = (request.name, request.arguments)
    if key in seen:
        return seen[key]
    ran = runner.run(work.bench, request, name)
    if isinstance(ran, runner.Asked):
        answer.asked = ran.call
        return ""
    answer.handover = answer.handover or ran.handover
    seen[key] = ran.content
    return ran.content


def reply(work: Work, choice: Choice, calls: Calls, said: Answer) -> Reply:
    """What the turn ends with once the model has spoken."""
    text = said.text
    outcome: events.Outcome = "answered"
    if said.asked:
        text, outcome = text or words.say("approval.ask", work.locale), "awaiting_approval"
        _ask_customer(work, said.asked)
    elif said.handover:
        text, outcome = text or words.say("handover.promise", work.locale), "handed_over"
    if text != said.text:
        work.log.text(text)
    return Reply(
        text=text,
        outcome=outcome,
        source="model",
        reason=choice.reason,
        model=calls.model or choice.first.name,
        model_class=choice.model_class,
        cards=work.shown.cards,
        sources=work.shown.sources,
        input_tokens=calls.input_tokens,
        output_tokens=calls.output_tokens,
        cost=calls.cost,
        first_text_at=work.first_text_at,
        counts=True,
        handover=said.handover,
    )


def _ask_customer(work: Work, call: ToolCall) -> None:
    if call.expires_at is None:
        raise GaveUp
    work.log.approval(call.id, call.title, call.lines, call.expires_at)
