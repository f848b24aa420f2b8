"""One request and its response: a thread runs the application, the event loop sends."""

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from .bodies import Body, HeldBytes, gunzip
from .environ import Environ, Scope
from .heads import Date
from .refusals import UNSUPPORTED_ENCODING, Refusal, RefusedError
from .wire import BrokenConnectionError, attach

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Connection(Protocol):
    """What a response needs of its connection; `scope["state"]["connection"]` holds it."""

    transport: asyncio.Transport
    writer: "ResponseWriter | None"
    is_gone: bool

    @property
    def is_stopping(self) -> bool:
        """Whether the server stops: responses are the last of their connections."""

    @property
    def is_hurried(self) -> bool:
        """Whether a response may not be delayed: the client is leaving, or the server stops."""

    def send_refusal(self, refusal: Refusal, *, has_body: bool = True) -> None:
        """Send a refusal at once, though the request may still arrive, and close."""

    def break_off(self, *, is_reset: bool) -> None:
        """Close once all that is written has left, or reset the connection at once."""

    async def wait_until_closed(self) -> None:
        """Return once the connection is closed."""


class ResponseWriter:
    """What the application may do with a connection while it handles one request (a `Wire`)."""

    def __init__(
        self, scope: Scope, send: Send, held: HeldBytes, date: Date, *, decodes_bodies: bool
    ) -> None:
        self.given_up = threading.Event()
        self.has_begun = self.is_complete = False
        self._connection: Connection = scope["state"]["connection"]
        self._send = send
        self._held = held
        self._date = date
        self._decodes_bodies = decodes_bodies
        self._method: str = scope["method"]
        self._is_1_0 = scope["http_version"] == "1.0"
        self._is_last = scope["state"].get("is_last", False)
        self._loop = asyncio.get_running_loop()
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        if self._connection.is_hurried:
            self.given_up.set()

    def run(
        self, application: "WSGIApplication", environ: Environ, body: bytes
    ) -> Iterable[Message]:
        """Return the response as ASGI messages; none of it if it is sent already, in pieces.

        Raises:
            RefusedError: if the body cannot be decoded.
            BrokenConnectionError: if the response is to end here, whatever is sent of it.
            BrokenPipeError: if the client is gone.
        """
        attach(self)
        try:
            with Body(self._held) as decoded:
                if self._decodes_bodies:
                    body = _without_encoding(environ, body, decoded)
                environ["wsgi.input"] = io.BytesIO(body)
                return self._response(application, environ)
        finally:
            attach(None)

    def _response(self, application: "WSGIApplication", environ: Environ) -> Iterable[Message]:
        found = application(environ, self._start_response)
        try:
            pieces = iter(found)
            # PEP 3333: the head waits for the first piece. So nothing is sent of a response that
            # breaks off before that.
            first = next(pieces, b"")
            if not self._status:
                raise RuntimeError("The application did not call start_response.")
            length = self._length()
            is_whole = isinstance(found, list) or len(first) == length
            if is_whole or (self._is_1_0 and length is None):
                return self._collected(first, pieces, length)
            self._stream(chain([first], pieces), length)
            return ()
        finally:
            close = getattr(found, "close", None)
            if close:
                close()

    def _collected(
        self, first: bytes, pieces: Iterator[bytes], length: int | None
    ) -> Iterable[Message]:
        """Return a response whose body is at hand; send one that breaks off after all."""
        try:
            body = b"".join([first, *pieces])
        except BrokenConnectionError:
            self._send_and_wait(self._start(), _piece(first))
            raise
        if not self._has_body:
            body, length = b"", None
        elif length is None:
            self._headers = [*self._headers, ("Content-Length", str(len(body)))]
        elif len(body) < length:
            self._stream([body], length)
        return self._start(), _piece(body[:length], is_last=True)

    def _stream(self, pieces: Iterable[bytes], length: int | None) -> None:
        """Send a response as it is made, no more of it than its length.

        Raises:
            BrokenConnectionError: if there is less: a client must not take it for the whole.
        """
        self._send_and_wait(self._start())
        left = length
        for piece in pieces:
            piece = piece[:left]
            left = None if left is None else left - len(piece)
            if piece and self._has_body:
                self._send_and_wait(_piece(piece))
        if left and self._has_body:
            raise BrokenConnectionError
        self._send_and_wait(_piece(b"", is_last=True))

    @property
    def _has_body(self) -> bool:
        """Whether a response of this status has a body (RFC 9110, 6.4.1)."""
        is_bodiless = self._status[:3] in {"204", "304"} or self._status[:1] == "1"
        return self._method != "HEAD" and not is_bodiless

    def _length(self) -> int | None:
        names = (int(value) for name, value in self._headers if name.lower() == "content-length")
        return next(names, None)

    def _start(self) -> Message:
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._headers]
        if self._status[:3] in {"204", "304"}:  # uvicorn would wait for the body
            lines = [line for line in lines if line[0].lower() != b"content-length"]
        if not any(name.lower() == b"date" for name, _ in lines):
            lines.append((b"date", self._date()))
        if self._is_last or self._connection.is_stopping:
            lines.append((b"connection", b"close"))  # upon which uvicorn closes
        return {"type": "http.response.start", "status": int(self._status[:3]), "headers": lines}

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _failure: Any = None, /
    ) -> Callable[[bytes], object]:
        self._status, self._headers = status, headers
        return _cannot_write

    def write_raw(self, data: bytes) -> None:
        """Write bytes as they are (see `wire.write_raw`)."""
        self._loop.call_soon_threadsafe(self._connection.transport.write, data)

    def _send_and_wait(self, *messages: Message) -> None:
        asyncio.run_coroutine_threadsafe(self.send(messages), self._loop).result()
        if self._connection.is_gone:
            raise BrokenPipeError("The client has closed the connection.")

    async def send(self, messages: Iterable[Message]) -> None:
        """Send messages of the response, in the event loop."""
        for message in messages:
            self.has_begun = True
            await self._send(message)
            self.is_complete = not message.get("more_body", True)

    async def send_failure(self) -> None:
        """Send that the application failed, where nothing is sent yet."""
        self._status, self._headers = "500 Internal Server Error", [("Content-Length", "0")]
        await self.send([self._start(), _piece(b"", is_last=True)])


def _piece(data: bytes, *, is_last: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": not is_last}


def _cannot_write(_piece: bytes) -> object:
    raise NotImplementedError("Return the body as the iterable that PEP 3333 requires.")


def _without_encoding(environ: Environ, body: bytes, decoded: Body) -> bytes:
    """Return a body without its Content-Encoding, which leaves the environ.

    Raises:
        RefusedError: if it is another than gzip, is none, or there is no room for the body.
    """
    coding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip()
    if not body or coding.lower() in {"", "identity"}:
        return body
    if coding.lower() not in {"gzip", "x-gzip"}:
        raise RefusedError(UNSUPPORTED_ENCODING.of(coding=coding))
    found = gunzip(body, decoded)
    del environ["HTTP_CONTENT_ENCODING"]
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(len(found))
    return found
