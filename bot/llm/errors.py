"""What goes wrong with a provider.

UpstreamError
├── Unreachable        refused, no route, unknown host
├── TimedOut           a deadline passed: connect, first_token, silence or whole
├── RateLimited        429
├── QuotaGone          402, or 429 insufficient_quota
├── Refused            401, 403
├── BadRequest         400 and other 4xx: ours
│   └── ContextTooLong
├── UnknownModel       404
├── ServerFault        5xx, 408, 409
├── CutStream          ended without a finish reason
├── Malformed          an event nobody can read
├── ContentRefused     the provider's policy refused the content
└── CircuitOpen        not asked: it failed too often just now
"""

from typing import ClassVar

from bot.llm.base import Usage


class UpstreamError(Exception):
    """One upstream call failed; `usage` is what it costs all the same, None when nothing was sent."""

    kind: ClassVar[str] = "upstream"
    # The same target may be asked again shortly.
    retryable: ClassVar[bool] = False
    # It says something about the provider's health, or its account with us, and not about our request.
    counts_against_provider: ClassVar[bool] = False

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
    counts_against_provider = True


class TimedOut(UpstreamError):
    """A deadline passed; `deadline` names it."""

    kind = "timed_out"
    counts_against_provider = True

    def __init__(self, deadline: str, *, usage: Usage | None = None) -> None:
        super().__init__(f"It did not answer in time ({deadline.replace('_', ' ')})", usage=usage)
        self.deadline = deadline


class RateLimited(UpstreamError):
    kind = "rate_limited"
    retryable = True
    counts_against_provider = True


class QuotaGone(UpstreamError):
    kind = "quota_gone"
    counts_against_provider = True


class Refused(UpstreamError):
    kind = "refused"
    counts_against_provider = True


class BadRequest(UpstreamError):
    kind = "bad_request"


class ContextTooLong(BadRequest):
    kind = "context_too_long"


class UnknownModel(UpstreamError):
    kind = "unknown_model"
    counts_against_provider = True


class ServerFault(UpstreamError):
    kind = "server_fault"
    retryable = True
    counts_against_provider = True


class CutStream(UpstreamError):
    kind = "cut_stream"
    retryable = True
    counts_against_provider = True


class Malformed(UpstreamError):
    kind = "malformed"
    retryable = True
    counts_against_provider = True


class ContentRefused(UpstreamError):
    kind = "content_refused"


class CircuitOpen(UpstreamError):
    kind = "circuit_open"
