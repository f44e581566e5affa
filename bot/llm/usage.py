"""What a call has used: as its provider counts, else as well as it can be told here."""

import structlog

from bot.llm import counting
from bot.llm.answer import Answer
from bot.llm.base import Request, Usage
from bot.llm.reported import Reported

log = structlog.get_logger(__name__)


def of(request: Request, answer: Answer, seconds: float) -> Usage:
    """What a call has used that was sent so long ago; estimated where the provider has not told it all.

    Of an answer that was cut the provider has counted a part at most: the larger of both counts it is.
    """
    told = _sensible(request.model, answer.reported)
    if told and answer.finish and told.input and _counts_all(told, answer):
        return Usage(told.input, told.cached, told.output or 0, told.reasoning, exact=True)
    guess = counting.estimate(request, answer.produced, seconds)
    if told is None:
        return guess
    trusted = answer.finish and told.output
    output = trusted or max(told.output or 0, guess.output)
    return Usage(told.input or guess.input, told.cached, output, told.reasoning, exact=False)


def _counts_all(told: Reported, answer: Answer) -> bool:
    """Whether the output is told, and not as nothing while there is some."""
    return told.output is not None and bool(told.output or not answer.produced)


def _sensible(model: str, told: Reported | None) -> Reported | None:
    if told is None or told.sensible:
        return told
    log.warning("usage makes no sense", model=model, input=told.input, output=told.output)
    return None
