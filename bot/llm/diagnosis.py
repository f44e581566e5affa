"""Telling from what a provider answered which error it is."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from bot.llm.errors import (
    BadRequest,
    ContentRefused,
    ContextTooLong,
    CutStream,
    QuotaGone,
    RateLimited,
    Refused,
    ServerFault,
    TimedOut,
    UnknownModel,
    Unreachable,
    UpstreamError,
)

Kind = type[UpstreamError]

QUOTA = ("insufficient_quota", "billing_hard_limit", "arrearage", "insufficient balance", "credit balance")
CONTENT = ("content_filter", "content_policy", "responsibleaipolicy", "datainspection", "data_inspection")
CONTEXT = ("context_length", "context length", "maximum context", "exceed_context", "prompt is too long")
KEY = ("invalid_api_key", "api_key_invalid", "api key not valid", "authentication_error", "permission_error")
MODEL = ("model_not_found", "model_not_exist", "not_found_error")
RATE = ("rate_limit", "rate limit", "resource_exhausted", "too many requests", "throttling")
# Words in a refusal's code, type or message, most telling first.
SIGNS: tuple[tuple[tuple[str, ...], Kind], ...] = (
    (QUOTA, QuotaGone),
    (CONTENT, ContentRefused),
    (CONTEXT, ContextTooLong),
    (KEY, Refused),
    (MODEL, UnknownModel),
)


def of_status(error: openai.APIStatusError) -> UpstreamError:
    """The error behind a response that is not 200."""
    kind = _kind(error.status_code, _words(error.body))
    message = f"HTTP {error.status_code}: {_message(error.body)}"
    return kind(message, status=error.status_code, retry_after=_retry_after(error.response.headers))


def of_event(event: Mapping[str, Any]) -> UpstreamError | None:
    """The error an event of a running stream, or a whole body, reports; None when it reports none."""
    error = event.get("error") or (event if event.get("object") == "error" else None)
    if not error:
        return None
    status, words = _status(error), _words(error)
    kind = _kind(status, words) if status else _kind_by_words(words)
    return kind(f"Error event: {_message(error)}", status=status)


def of_transport(error: Exception) -> UpstreamError:
    """The error behind a broken or missing connection."""
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    match cause:
        case httpx2.ConnectTimeout() | httpx2.PoolTimeout():
            return TimedOut("connect")
        case httpx2.TimeoutException():
            return TimedOut("first_token")
        case httpx2.ConnectError() | httpx2.UnsupportedProtocol() | httpx2.ProxyError():
            return Unreachable(f"No connection: {cause}")
        case httpx2.LocalProtocolError():
            return Refused(f"The request cannot be sent: {cause}")
    return CutStream(f"The connection broke: {type(cause).__name__}")


TRANSPORT_ERRORS = (httpx2.RequestError, ssl.SSLError, openai.APIConnectionError)


def _kind(status: int, words: str) -> Kind:
    if status in (402, 429):
        return QuotaGone if status == 402 or _any(QUOTA, words) else RateLimited
    if status in (408, 409) or status >= 500:
        return ServerFault
    if status in (401, 403):
        return ContentRefused if _any(CONTENT, words) else Refused
    if status < 400:
        return Refused  # a redirect would carry the conversation to an address nobody configured
    return {404: UnknownModel, 413: ContextTooLong}.get(status) or _sign(words) or BadRequest


def _kind_by_words(words: str) -> Kind:
    if kind := _sign(words):
        return kind
    if _any(RATE, words):
        return RateLimited
    return BadRequest if "invalid_request" in words else ServerFault


def _sign(words: str) -> Kind | None:
    return next((kind for signs, kind in SIGNS if _any(signs, words)), None)


def _any(signs: tuple[str, ...], words: str) -> bool:
    return any(sign in words for sign in signs)


def _fields(error: object) -> dict[str, Any]:
    """The error object, also out of the list of one that Gemini sends."""
    if isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, dict) and isinstance(error.get("error"), dict):
        error = error["error"]
    return error if isinstance(error, dict) else {"message": str(error or "")}


def _words(error: object) -> str:
    fields = _fields(error)
    return " ".join(str(fields.get(name) or "") for name in ("code", "type", "status", "message")).lower()


def _message(error: object) -> str:
    return str(_fields(error).get("message") or "no reason given")[:200]


def _status(error: object) -> int | None:
    code = str(_fields(error).get("code") or "")
    return int(code) if len(code) == 3 and code.isdigit() and code >= "400" else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the provider asks to wait."""
    if milliseconds := _number(headers.get("retry-after-ms", "")):
        return milliseconds / 1000
    given = headers.get("retry-after", "")
    if (seconds := _number(given)) is not None:
        return max(seconds, 0)
    try:
        when = parsedate_to_datetime(given)
    except ValueError:
        return None
    return max((when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
