"""Any endpoint that speaks OpenAI's chat completions."""

import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from typing import cast

import httpx2
import openai

from bot.llm import diagnosis, sockets, sse, usage, wire
from bot.llm.answer import Answer
from bot.llm.base import Finish, Pieces, Request, Text
from bot.llm.errors import CutStream, Malformed, Stopped, TimedOut, Unreachable, UpstreamError
from bot.llm.watchdog import CANCELLED, END_WAIT, USAGE_WAIT, WATCHDOG, Watch
from bot.llm.wire import Capabilities

MODELS_DEADLINE = 5.0
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=60)


class OpenAICompatible:
    """One provider: make it once and share it between threads, for it holds the connections."""

    def __init__(self, base_url: str, api_key: str, capabilities: Capabilities | None = None) -> None:
        self._capabilities = capabilities or Capabilities()
        # Models that have been seen to think unseen, whatever is known of them elsewhere.
        self._thinkers: set[str] = set()
        client = httpx2.Client(verify=_tls(), limits=LIMITS, follow_redirects=False)
        sockets.install(client)
        try:
            self._client = openai.OpenAI(
                base_url=base_url,
                # Never empty: the SDK would take the key of the environment, which is another provider's.
                api_key=api_key or "none",
                max_retries=0,
                http_client=client,
            )
        except httpx2.InvalidURL as error:
            raise Unreachable(f"The address is not valid: {error}") from error

    def stream(self, request: Request) -> Pieces:
        """Ask the model; see `Provider.stream`.

        A call that is stopped is not read on for the usage at its end: that would keep a worker's place
        for an answer nobody waits for, and pay for all of it. What it has cost is estimated.
        """
        if request.is_cancelled:
            raise Stopped("Cancelled before it was asked")
        request = replace(request, thinks=request.thinks or request.model in self._thinkers)
        answer, watch = Answer(), Watch(request.deadlines, request.cancelled)
        try:
            yield from self._asked(request, answer, watch)
            yield from answer.tool_requests()
        except (UpstreamError, *diagnosis.TRANSPORT_ERRORS) as error:
            explained = _explained(error, watch)
            if watch.sent and not isinstance(explained.__cause__, openai.APIStatusError):
                explained.usage = usage.of(request, answer, watch.seconds)
            if explained is error:
                raise
            raise explained from error
        if answer.thinks_unseen:
            self._thinkers.add(request.model)
        yield usage.of(request, answer, watch.seconds)
        yield Finish(answer.finish or "stop")

    def models(self) -> list[str]:
        """Names of the models on offer, within five seconds: the test of a connection."""
        try:
            found = self._client.get(
                "/models", cast_to=object, options={"timeout": httpx2.Timeout(MODELS_DEADLINE)}
            )
        except openai.APIStatusError as error:
            raise diagnosis.of_status(error) from error
        except diagnosis.TRANSPORT_ERRORS as error:
            raise diagnosis.of_transport(error) from error
        listed = found.get("data") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise Malformed("The answer is not a list of models")
        return [str(model["id"]) for model in listed if isinstance(model, dict) and "id" in model]

    def close(self) -> None:
        self._client.close()

    def _asked(self, request: Request, answer: Answer, watch: Watch) -> Iterator[Text]:
        WATCHDOG.add(watch)
        try:
            with sockets.watched(watch):
                response = self._post(request)
            with closing(response):
                yield from _read(response, answer, watch)
        finally:
            WATCHDOG.remove(watch)

    def _post(self, request: Request) -> httpx2.Response:
        deadlines = request.deadlines
        # The watch is stricter than a timeout per read, and each timed read costs a system call more.
        timeout = httpx2.Timeout(
            deadlines.first_token, connect=deadlines.connect, pool=deadlines.connect, read=None
        )
        try:
            response = self._client.post(
                "/chat/completions",
                cast_to=httpx2.Response,  # the response itself: see sse.events
                body=wire.body(request, self._capabilities),
                options={"timeout": timeout},
                stream=True,
                stream_cls=openai.Stream[httpx2.Response],
            )
        except openai.APIStatusError as error:
            raise diagnosis.of_status(error) from error
        return cast(httpx2.Response, response)


@cache
def _tls() -> ssl.SSLContext:
    """Shared, for reading the certificate store takes longer than a call."""
    return httpx2.create_ssl_context()


def _read(response: httpx2.Response, answer: Answer, watch: Watch) -> Iterator[Text]:
    """Feed the answer and yield its text as it arrives."""
    _check_streams(response)
    try:
        for event in sse.events(response.iter_bytes()):
            if event is None:
                watch.expect_end(END_WAIT)
                continue
            if error := diagnosis.of_event(event):
                raise error
            if text := answer.feed(event):
                watch.rest()
                yield Text(text)
                watch.gather()
            _expect_next(answer, watch)
    except diagnosis.TRANSPORT_ERRORS:
        if answer.finish is None:
            raise
    if answer.finish is None:
        raise CutStream("The stream ended without a finish reason")


def _check_streams(response: httpx2.Response) -> None:
    if "json" not in response.headers.get("content-type", ""):
        return
    response.read()
    try:
        reported = diagnosis.of_event(response.json())
    except (ValueError, AttributeError):
        reported = None
    raise reported or Malformed("The answer is not a stream")


def _expect_next(answer: Answer, watch: Watch) -> None:
    if answer.finish:
        watch.expect_end(USAGE_WAIT)
    elif answer.begun:
        watch.expect_more()


def _explained(error: Exception, watch: Watch) -> UpstreamError:
    if watch.passed and not isinstance(error, Stopped):
        return Stopped("Cancelled") if watch.passed == CANCELLED else TimedOut(watch.passed)
    return error if isinstance(error, UpstreamError) else diagnosis.of_transport(error)
