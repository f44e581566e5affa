"""What goes wrong with a provider, and what follows.

kind              what it is                                  same again  next model  breaker
----------------  ------------------------------------------  ----------  ----------  -------
unreachable       refused, no route, unknown host             yes         yes         counts
timed_out         a deadline: connect, first_token, silence,  no          yes         counts
                  whole
rate_limited      429                                         yes         yes         counts
quota_gone        402, or 429 insufficient_quota              no          yes         opens
refused           401, 403                                    no          yes         opens
bad_request       400 and other 4xx: ours                     no          yes         well
context_too_long  400, 413: the prompt does not fit           shorter     yes         well
unknown_model     404                                         no          yes         opens
server_fault      5xx, 408, 409, an error inside a stream     yes         yes         counts
cut_stream        ended without a finish reason               yes         yes         counts
malformed         an event nobody can read                    yes         yes         counts
content_refused   the provider's policy refused the content   no          no          well
circuit_open      not asked: it failed just now               no          yes         nothing
busy              not asked: no place among its streams       no          yes         nothing
stopped           we ended it: a stop, a take-over            no          no          nothing

UpstreamError is the root of all; ContextTooLong is a BadRequest. What the breaker makes of it: `counts` as a
failure, `opens` it at once for longer, `well`: the provider works and our request is the matter, `nothing`.
Text of the failed call that was seen already is taken back by a Restart before the next one.
"""

from typing import ClassVar, Literal, TypeAlias

from bot.llm.base import Usage

Effect: TypeAlias = Literal["counts", "opens", "well", "nothing"]


class UpstreamError(Exception):
    """One upstream call failed; `usage` is what it costs all the same, None when nothing was sent."""

    kind: ClassVar[str] = "upstream"
    # The same target may be asked again shortly.
    retryable: ClassVar[bool] = False
    # Another target may be able to answer.
    next_model: ClassVar[bool] = True
    # What it tells the breaker of this provider and model.
    breaker: ClassVar[Effect] = "counts"
    # It stays as it is until somebody changes something.
    needs_operator: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        usage: Usage | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage
        self.status = status
        self.retry_after = retry_after


class Unreachable(UpstreamError):
    kind = "unreachable"
    retryable = True


class TimedOut(UpstreamError):
    """A deadline passed; `deadline` names it."""

    kind = "timed_out"

    def __init__(self, deadline: str, *, usage: Usage | None = None) -> None:
        super().__init__(f"It did not answer in time ({deadline.replace('_', ' ')})", usage=usage)
        self.deadline = deadline


class RateLimited(UpstreamError):
    kind = "rate_limited"
    retryable = True


class QuotaGone(UpstreamError):
    kind = "quota_gone"
    breaker = "opens"
    needs_operator = True


class Refused(UpstreamError):
    kind = "refused"
    breaker = "opens"
    needs_operator = True


class BadRequest(UpstreamError):
    kind = "bad_request"
    breaker = "well"
    needs_operator = True


class ContextTooLong(BadRequest):
    kind = "context_too_long"
    needs_operator = False


class UnknownModel(UpstreamError):
    kind = "unknown_model"
    breaker = "opens"
    needs_operator = True


class ServerFault(UpstreamError):
    kind = "server_fault"
    retryable = True


class CutStream(UpstreamError):
    kind = "cut_stream"
    retryable = True


class Malformed(UpstreamError):
    kind = "malformed"
    retryable = True


class ContentRefused(UpstreamError):
    kind = "content_refused"
    next_model = False
    breaker = "well"


class CircuitOpen(UpstreamError):
    kind = "circuit_open"
    breaker = "nothing"


class Busy(UpstreamError):
    kind = "busy"
    breaker = "nothing"


class Stopped(UpstreamError):
    kind = "stopped"
    next_model = False
    breaker = "nothing"
