"""Ask the model, run the tools it asks for, ask again, and stream what it says."""

import json
from collections import Counter
from dataclasses import dataclass

from bot import events, words
from bot.errors import GaveUp
from bot.llm import counting
from bot.llm.base import Deadlines, Finish, Message, Provider, Request, Restart, Text, ToolRequest
from bot.llm.errors import ContentRefused, Malformed, Stopped
from bot.models import ToolCall
from bot.reply import Reply
from bot.steps import prompt, refusals
from bot.steps.calls import Calls
from bot.steps.refusals import Refusal
from bot.steps.voice import Voice
from bot.steps.work import Work
from bot.tools import registry, runner

TOOL_CALLS = 8
# The same call with the same arguments: the second time it is answered from the first, then it is a loop.
SAME_CALLS = 2


@dataclass
class Answer:
    """What a model said: everything that was streamed, in one text."""

    text: str = ""
    asked: ToolCall | None = None
    handover: events.HandoverReason | None = None
    # Why it broke off, where a limit or a ceiling has cut it short.
    cut: Refusal | None = None


class _Talk:
    """What is asked, round by round: the conversation so far, and this turn's calls of tools."""

    def __init__(self, work: Work, calls: Calls) -> None:
        self._work, self._calls = work, calls
        self._models = [model.name for model in calls.choice.models]
        self._budget = calls.ceilings.budget(calls.choice.context_tokens)
        self._shortened = False
        self._tools = tuple(tool.spec for tool in registry.offered().values())
        self._story = prompt.Story(work, self._models)
        self._exchanges: list[Message] = []
        self._ran: dict[tuple[str, str], runner.Ran] = {}
        self._asked: Counter[tuple[str, str]] = Counter()

    @property
    def rounds(self) -> int:
        return self._calls.ceilings.rounds

    def request(self) -> Request:
        return Request(
            model="",  # each target fills in its own, with its settings
            messages=self._messages(),
            tools=self._tools,
            deadlines=Deadlines(whole=max(0.1, self._work.seconds_left)),
            cancelled=self._work.log.fenced_event,
            shorten=None if self._shortened else self._shorten,
        )

    def count(self, requests: list[ToolRequest]) -> None:
        """Before tools are run: nobody goes round in circles here."""
        self._asked.update(_key(request) for request in requests)
        if self._asked.total() > TOOL_CALLS:
            raise GaveUp("tool calls")
        if max(self._asked.values()) > SAME_CALLS:
            raise GaveUp("same call")

    def use(self, request: ToolRequest, name: str, answer: Answer) -> None:
        """Run one tool request, or propose its change; its result is part of what is asked next."""
        key = _key(request)
        if key not in self._ran:
            ran = runner.run(self._work.bench, request, name)
            if isinstance(ran, runner.Asked):
                answer.asked = ran.call
                return
            answer.handover = answer.handover or ran.handover
            self._ran[key] = ran
        ran = self._ran[key]
        self._exchanges += prompt.exchange(name, request.name, ran.arguments, ran.content)

    def _messages(self) -> tuple[Message, ...]:
        """What tools have found stays; as much of the conversation as then has room comes before it."""
        found = [self._work.tally.tools(self._tools), *map(counting.message_text, self._exchanges)]
        frame = counting.PER_TOOL * len(self._tools) + counting.PER_REPLY
        space = prompt.Space(self._budget - frame, self._calls.room() - counting.MOST_BEFORE_TOOLS)
        return (*self._story.within(space, found), *self._exchanges)

    def _shorten(self) -> tuple[Message, ...]:
        """In half the space."""
        self._shortened = True
        self._budget //= 2
        return self._messages()


def run(work: Work, calls: Calls, provider: Provider) -> Answer:
    """The conversation with the model until it answers, proposes a change or hands over.

    What a limit or a ceiling refuses in the middle ends with what is there. Raises UpstreamError when no
    model answers, Fenced when the turn is lost; what refused it, when nothing is there yet.
    """
    answer, voice = Answer(), Voice(work)
    try:
        _converse(work, _Talk(work, calls), provider, voice, answer)
    except (*refusals.REFUSED, GaveUp) as error:
        # Cards of an approved change do not say what became of it.
        if not voice.text.strip() and (work.approved or not work.shown.cards):
            raise
        answer.cut = refusals.of(error)
    answer.text = voice.text
    return answer


def _converse(work: Work, talk: _Talk, provider: Provider, voice: Voice, answer: Answer) -> None:
    for round_number in range(talk.rounds):
        requests = _ask(work, provider, talk.request(), voice)
        if not requests:
            if not voice.text.strip() and not work.shown.cards:
                raise Malformed("The answer is empty")
            return
        talk.count(requests)
        for number, request in enumerate(requests):
            talk.use(request, f"call_{work.attempt}_{round_number}_{number}", answer)
            if answer.asked:
                return
        work.check_fence()
        if answer.handover:
            return
    raise GaveUp("rounds")


def _ask(work: Work, provider: Provider, request: Request, voice: Voice) -> list[ToolRequest]:
    """One question: text goes out as it comes, the tools asked for are returned."""
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
                case Restart():
                    requests.clear()
                    voice.restart()
                case Finish(reason):
                    if reason == "content_filter":
                        raise ContentRefused("The provider's policy ended the answer")
                    voice.stop()
                case _:
                    # Usage: whoever made the call has it.
                    pass
    except Stopped:
        work.check_fence()
        raise
    finally:
        pieces.close()
    return requests


def _key(request: ToolRequest) -> tuple[str, str]:
    """The same for the same call, however its JSON is written."""
    try:
        arguments = json.dumps(json.loads(request.arguments), sort_keys=True)
    except (ValueError, RecursionError):
        arguments = request.arguments
    return request.name, arguments


def reply(work: Work, calls: Calls, said: Answer) -> Reply:
    """What the turn ends with once the model has spoken."""
    text, reason = said.text, calls.choice.reason
    outcome: events.Outcome = "answered"
    if said.asked:
        text, outcome = text or words.say("approval.ask", work.locale), "awaiting_approval"
        _ask_customer(work, said.asked)
    elif said.handover:
        text, outcome = text or words.say("handover.promise", work.locale), "handed_over"
    elif said.cut:
        text, outcome, reason = _and_why(said.text, said.cut, work.locale), "degraded", said.cut.reason
    work.log.text(text.removeprefix(said.text))
    return Reply(
        text=text,
        outcome=outcome,
        source="model",
        reason=reason,
        model=calls.model or calls.choice.first.name,
        model_class=calls.choice.model_class,
        cards=work.shown.cards,
        sources=work.shown.sources,
        input_tokens=calls.input_tokens,
        output_tokens=calls.output_tokens,
        cost=calls.cost,
        first_text_at=work.first_text_at,
        streamed=True,
        counts=work.first_text_at is not None,
        handover=said.handover,
    )


def _and_why(text: str, cut: Refusal, locale: str) -> str:
    """What was said, with one sentence that it ends here."""
    sentence = cut.text or words.say(f"cut.{cut.about}", locale, why=cut.why(locale))
    return f"{text}\n\n{sentence}" if text else sentence


def _ask_customer(work: Work, call: ToolCall) -> None:
    if call.expires_at is None:
        raise GaveUp("approval without an end")
    work.log.approval(call.id, call.title, call.lines, call.expires_at)
