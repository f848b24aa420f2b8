"""Runs a WSGI application behind an ASGI server: the loop reads bodies, threads make responses."""

import asyncio
import io
import logging
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from functools import lru_cache
from itertools import chain
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

from .bodies import HeldBytes, gunzip
from .heads import Date
from .limits import (
    NOT_ONE_HOST,
    OTHER_CODING,
    UNSUPPORTED_VERSION,
    Limits,
    Refusal,
    RefusedError,
    body_too_large,
    head_too_large,
    unreadable,
    unsupported_encoding,
)
from .wire import BrokenConnectionError, attach

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOG = logging.getLogger("deadringer")
Environ = dict[str, Any]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ErrorBody = Callable[[int, str, str], bytes]
"""Returns the JSON body of a refusal: of its status, what is wrong, and how to mend it."""

WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose bodies mean nothing; they are neither waited for nor kept."""
_LONGEST_LENGTH = 19
"""Digits of a Content-Length that can be meant."""
_WHOLE_URL = re.compile(rb"https?://([^/?#@\s]+)(/.*)?", re.IGNORECASE)
_LOGIN = re.compile(rb"//[^/?#]*@")
"""Name and password in a URL, which RFC 9110 (4.2.4) has no place for."""
_COMMON: Environ = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "deadringer",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


class ResponseCache(Protocol):
    """Responses that are sent from the event loop: nothing here may wait."""

    def asked(self, environ: Environ) -> Any:
        """Return the key of a request; None if no response to it is ever cached."""

    def answer(self, asked: Any, environ: Environ) -> tuple[list[bytes], bytes] | Environ:
        """Return status line and headers, in parts, and the body of a cached response.

        Where there is none: what the application's environ is to hold beside the request's.
        """


class Connection(Protocol):
    """What the gateway needs of a connection; `scope["state"]["connection"]` holds it."""

    transport: asyncio.Transport
    exchange: "Exchange | None"
    is_gone: bool

    @property
    def is_hurried(self) -> bool:
        """Whether a response may not be delayed: the client is leaving, or the server stops."""

    def send_refusal(self, refusal: Refusal, *, has_body: bool = True) -> None:
        """Send a refusal at once, though the request may still arrive, and close."""

    def break_off(self, *, is_reset: bool) -> None:
        """Close at once what is written, or reset the connection."""


def environ_of(scope: Scope, limits: Limits) -> Environ:
    """Return what PEP 3333 wants to be known of a request, without `wsgi.input`.

    Raises:
        RefusedError: if RFC 9112 wants the request refused, or it is too large.
    """
    fields = scope["headers"]
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in fields)
    if size > limits.head_bytes or len(fields) > limits.headers:
        raise RefusedError(head_too_large(limits))
    version = scope["http_version"]
    if version not in {"1.0", "1.1"}:
        raise RefusedError(UNSUPPORTED_VERSION)
    path, _, fragment = scope["raw_path"].partition(b"#")
    query = b"" if fragment else scope["query_string"].partition(b"#")[0]
    host, port = scope["server"] or ("localhost", None)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": f"HTTP/{version}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.url_scheme": scope["scheme"],
    }
    _add_headers(environ, fields)
    hosts = sum(name == b"host" for name, _ in fields)
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        raise RefusedError(NOT_ONE_HOST)
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        raise RefusedError(OTHER_CODING)
    is_server_wide = path == b"*" and scope["method"] == "OPTIONS"
    if not path.startswith(b"/") and not is_server_wide:
        whole = _WHOLE_URL.fullmatch(path)
        if whole is None:
            shown = unquote_to_bytes(_LOGIN.sub(b"//***@", path)).decode("latin-1")
            raise RefusedError(unreadable(f"the address {shown!r}"))
        environ["HTTP_HOST"] = whole[1].decode("latin-1")
        path = whole[2] or b"/"
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    return environ


def _add_headers(environ: Environ, headers: list[tuple[bytes, bytes]]) -> None:
    """Add headers; the values of one that comes again are joined.

    A name with an underscore is left out: it would pass for one with a hyphen. So is the offer of
    another protocol, which is never taken up.
    """
    for name, value in headers:
        if b"_" in name or name == b"upgrade":
            continue
        key = _key(name)
        text, before = value.decode("latin-1"), environ.get(key)
        if before is not None:
            text = f"{before}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text


@lru_cache(maxsize=1024)
def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


class Gateway:
    """The ASGI application, and what all connections of a server share.

    `redact` returns a text without its secrets; it is given the messages of refusals.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        error_body: ErrorBody,
        cache: ResponseCache | None = None,
        limits: Limits | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self.application = application
        self.redact = redact
        self.error_body = error_body
        self.cache = cache
        self.limits = limits or Limits()
        self.date = Date()
        self.known: dict[bytes, tuple[Environ, Any]] = {}
        """Environ and cache key of requests that came before, by their bytes."""
        self.is_stopping = False
        self._pool = _Pool(self.limits.threads)
        self.held = HeldBytes(self.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        connection: Connection = scope["state"]["connection"]
        exchange = Exchange(self, scope, send)
        connection.exchange = exchange
        held = 0
        try:
            environ = scope["state"].get("environ") or environ_of(scope, self.limits)
            body = b""
            if environ["REQUEST_METHOD"] not in WITHOUT_BODY:
                read = await self._body(environ, receive)
                if read is None:
                    return
                body, held = read, len(read)
            exchange.begin({**_COMMON, **environ}, body)
            self._pool.submit(exchange.run)
            await exchange.finish()
        except RefusedError as refused:
            exchange.is_broken = True
            connection.send_refusal(refused.refusal, has_body=scope["method"] != "HEAD")
        except asyncio.CancelledError:  # the server stops, and its patience is at an end
            connection.transport.abort()
        finally:
            self.held.release(held)
            if connection.exchange is exchange:
                connection.exchange = None
        if exchange.is_broken:
            while (await receive())["type"] != "http.disconnect":
                pass

    async def _body(self, environ: Environ, receive: Receive) -> bytes | None:
        """Return the whole body, counted among those that are held; None of a gone client."""
        length = environ.get("CONTENT_LENGTH", "")
        if not (length or "0").isdecimal():
            raise RefusedError(unreadable(f"the Content-Length {length!r}"))
        if len(length) > _LONGEST_LENGTH or int(length or 0) > self.limits.body_bytes:
            raise RefusedError(body_too_large(self.limits))
        if length in {"", "0"} and "HTTP_TRANSFER_ENCODING" not in environ:
            return b""
        body, more, is_whole = bytearray(), True, False
        try:
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                piece, more = message["body"], message["more_body"]
                if len(body) + len(piece) > self.limits.body_bytes:
                    raise RefusedError(body_too_large(self.limits))
                self.held.take(len(piece))
                body += piece
            is_whole = True
            return bytes(body)
        finally:
            if not is_whole:
                self.held.release(len(body))


class Response(NamedTuple):
    """A whole response of the application."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


_FAILED = Response("500 Internal Server Error", [], b"")


class Exchange:
    """One request and its response: the event loop reads and writes, one thread runs `run`."""

    def __init__(self, gateway: Gateway, scope: Scope, send: Send) -> None:
        self.connection: Connection = scope["state"]["connection"]
        self.given_up = threading.Event()
        self.is_broken = False
        self._gateway = gateway
        self._send = send
        self._method: str = scope["method"]
        self._is_1_0 = scope["http_version"] == "1.0"
        self._is_last_request = scope["state"].get("is_last", False)
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[Response | RefusedError | None] = self._loop.create_future()
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        if self.connection.is_hurried:
            self.given_up.set()

    def begin(self, environ: Environ, body: bytes) -> None:
        """Note the request."""
        self._environ, self._body = environ, body

    async def finish(self) -> None:
        """Send what the thread made.

        Raises:
            RefusedError: if the body could not be read after all.
        """
        outcome = await self._outcome
        if isinstance(outcome, RefusedError):
            raise outcome
        if outcome is not None:
            await self._send_whole(outcome)

    async def _send_whole(self, response: Response) -> None:
        """Send a whole response; one shorter than its Content-Length is the last."""
        body = response.body if self._has_body(response.status) else b""
        announced = _length_in(response.headers)
        headers = response.headers
        if announced is None and self._has_body(response.status):
            headers = [*headers, ("Content-Length", str(len(body)))]
        elif announced is not None:
            body = body[:announced]
        is_short = self._has_body(response.status) and len(body) < (announced or 0)
        await self._send(self._start(response.status, headers))
        await self._send({"type": "http.response.body", "body": body, "more_body": is_short})
        if is_short:
            self._break_off(is_reset=False)

    def _has_body(self, status: str) -> bool:
        """Return whether a response of this status has a body (RFC 9110, 6.4.1)."""
        return self._method != "HEAD" and status[:3] not in {"204", "304"} and status[:1] != "1"

    def _start(self, status: str, headers: list[tuple[str, str]]) -> Message:
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if status[:3] in {"204", "304"}:  # which uvicorn would wait for
            lines = [line for line in lines if line[0].lower() != b"content-length"]
        lines.append((b"date", self._gateway.date()))
        if self._is_last_request and _value_of(headers, "connection") is None:
            lines.append((b"connection", b"close"))
        return {"type": "http.response.start", "status": int(status[:3]), "headers": lines}

    def _break_off(self, *, is_reset: bool) -> None:
        self.is_broken = True
        self.connection.break_off(is_reset=is_reset)

    def run(self) -> None:
        """Make the response, in a thread."""
        attach(self)
        try:
            outcome: Response | RefusedError | None = self._answer()
        except RefusedError as refused:
            outcome = refused
        except (BrokenConnectionError, BrokenPipeError) as broken:
            is_reset = isinstance(broken, BrokenConnectionError) and broken.is_reset
            self._in_loop(lambda: self._break_off(is_reset=is_reset))
            outcome = None
        except BaseException:  # outside Flask, which answers its own
            LOG.exception("The server failed to answer a %s", self._method)
            outcome = _FAILED
            if self._status == "sent":
                self._in_loop(lambda: self._break_off(is_reset=False))
                outcome = None
        finally:
            attach(None)
        self._in_loop(lambda: self._end(outcome))

    def _end(self, outcome: Response | RefusedError | None) -> None:
        if not self._outcome.done():  # it was cancelled
            self._outcome.set_result(outcome)

    def _in_loop(self, what: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(what)
        except RuntimeError:  # the server has stopped without this response
            LOG.warning("A response to a %s came too late.", self._method)

    def write_raw(self, data: bytes) -> None:
        """Write bytes as they are (see `wire.write_raw`)."""
        self._in_loop(lambda: self.connection.transport.write(data))

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _failure: Any = None, /
    ) -> Callable[[bytes], object]:
        self._status, self._headers = status, headers
        return _cannot_write

    def _answer(self) -> Response | None:
        """Call the application; None if the response is sent already, piece by piece."""
        body = _decoded(self._environ, self._body, self._gateway)
        try:
            return self._response({**self._environ, "wsgi.input": io.BytesIO(body)})
        finally:
            if body is not self._body:
                self._gateway.held.release(len(body))

    def _response(self, environ: Environ) -> Response | None:
        found = self._gateway.application(environ, self._start_response)
        try:
            pieces = iter(found)
            # PEP 3333: the head waits for the first piece. So nothing is sent of a response that
            # breaks off before that.
            first = next(pieces, b"")
            if not self._status:
                raise RuntimeError("The application did not call start_response.")
            if isinstance(found, list) or len(first) == _length_in(self._headers):
                return self._collected(first, pieces)
            if self._is_1_0 and _length_in(self._headers) is None:
                return self._collected(first, pieces)
            self._send_in_pieces(first, pieces)
            return None
        finally:
            close = getattr(found, "close", None)
            if close:
                close()

    def _collected(self, first: bytes, pieces: Iterator[bytes]) -> Response:
        found = [first]
        try:
            for piece in pieces:
                found.append(piece)  # noqa: PERF402 (of one that breaks off, all is sent)
        except BrokenConnectionError:
            self._send_in_pieces(b"".join(found), iter(()), is_whole=False)
            raise
        return Response(self._status, self._headers, b"".join(found))

    def _send_in_pieces(
        self, first: bytes, pieces: Iterator[bytes], *, is_whole: bool = True
    ) -> None:
        """Send a response as it is made, no more of it than announced."""
        status, left = self._status, _length_in(self._headers)
        self._send_and_wait(self._start(status, self._headers))
        self._status = "sent"
        for piece in chain([first], pieces):
            if left is not None:
                piece = piece[:left]
                left -= len(piece)
            if piece and self._has_body(status):
                self._send_and_wait(
                    {"type": "http.response.body", "body": piece, "more_body": True}
                )
        if left and self._has_body(status):
            raise BrokenConnectionError
        if is_whole:
            self._send_and_wait({"type": "http.response.body", "body": b"", "more_body": False})

    def _send_and_wait(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(self._sending(message), self._loop).result()
        if self.connection.is_gone:
            raise BrokenPipeError("The client has closed the connection.")

    async def _sending(self, message: Message) -> None:
        await self._send(message)


def _cannot_write(_piece: bytes) -> object:
    raise NotImplementedError("Return the body as the iterable that PEP 3333 asks for.")


def _value_of(headers: list[tuple[str, str]], wanted: str) -> str | None:
    return next((value for name, value in headers if name.lower() == wanted), None)


def _length_in(headers: list[tuple[str, str]]) -> int | None:
    value = _value_of(headers, "content-length")
    return None if value is None else int(value)


def _decoded(environ: Environ, body: bytes, gateway: Gateway) -> bytes:
    """Return a body without its Content-Encoding, which leaves the environ.

    If it is another one than before, it is counted among those that are held.

    Raises:
        RefusedError: if it is another than gzip, is none, or there is no room for the body.
    """
    coding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip()
    if not body or coding.lower() in {"", "identity"}:
        return body
    if coding.lower() not in {"gzip", "x-gzip"}:
        raise RefusedError(unsupported_encoding(coding))
    found = gunzip(body, gateway.limits, gateway.held)
    del environ["HTTP_CONTENT_ENCODING"]
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(len(found))
    return found


class _Pool:
    """Threads that start as they are needed, up to so many; the process does not wait for them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def submit(self, work: Callable[[], None]) -> None:
        """Have work done by the next free thread; called from the event loop alone."""
        self._work.put(work)
        if self._idle.acquire(blocking=False) or self._started >= self._most:
            return
        try:
            threading.Thread(target=self._run, name="response", daemon=True).start()
            self._started += 1
        except RuntimeError:  # the system grants no more; the others do it
            if not self._started:
                raise

    def _run(self) -> None:
        while True:
            try:
                work = self._work.get_nowait()
            except Empty:
                self._idle.release()
                work = self._work.get()
            work()
