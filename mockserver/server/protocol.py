"""A connection read by httptools: cached responses are sent as soon as their request is read."""

import re
from collections import deque
from typing import Any

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .connection import LOG, BoundedConnection
from .gateway import WITHOUT_BODY, Environ, environ_of
from .limits import UNSUPPORTED_VERSION, RefusedError, head_too_large, unreadable

_METHOD = re.compile(rb"(?:\r\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]+) ")
"""A method, as RFC 9110 (9.1) lets it be called, at the beginning of a request."""
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_KNOWN_BYTES = 4096
_MOST_KNOWN = 1024
_CLOSES = b"connection: close\r\n"
_FRAME_SHARE = 8
"""Bytes that may frame one byte of a body in chunks, beyond what a head may take."""


class CachingProtocol(BoundedConnection, HttpToolsProtocol):  # type: ignore[misc] # eof_received
    """Reads requests; the `on_…` methods are called by the parser."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.parser = HttpRequestParser(self)
        self.headers = []
        self._cache = self.gateway.cache
        self._open: deque[Any] = deque()  # requests whose response is not complete
        self._phase = ""
        self._begun = 0
        self._fed = self._body_bytes = 0
        self._keeps = True
        self._is_skipped = self._is_over = False
        self._other_method = b""
        self._framing = b""
        self._asked: Any = None
        self._environ: Environ = {}
        self._extra: Environ | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a request has arrived whose response is not complete."""
        return bool(self._open)

    @property
    def arriving(self) -> str:
        """What of a request is arriving: "head", "body", or "" between requests."""
        return self._phase

    def data_received(self, data: bytes) -> None:
        """Read what has come: a request that is known by its bytes, most of the time."""
        if self._is_deaf:
            return
        was_between = not self._phase
        if was_between and not self._open and self._cache is not None:
            known = self.gateway.known.get(data)
            if known is not None and self._repeat(*known):
                self._received_s = self.loop.time()
                return
        self._begun, body_bytes = 0, self._body_bytes
        try:
            self._read(data, is_begin=was_between)
        except HttpParserCallbackError:
            LOG.exception("The server failed to read a request")
            self.transport.abort()
            return
        self._extra = None
        self._weigh(len(data) - (self._body_bytes - body_bytes), was_between=was_between)
        is_one = was_between and self._begun == 1 and not self._phase and not self._is_deaf
        if is_one and self._asked is not None and self._keeps and len(data) <= _KNOWN_BYTES:
            if len(self.gateway.known) >= _MOST_KNOWN:
                self.gateway.known.clear()
            self.gateway.known[data] = self._environ, self._asked
        self.watch_arriving()

    def _repeat(self, environ: Environ, asked: Any) -> bool:
        """Send a cached response, if there is one; where there is none, the request is read."""
        client = self.client
        if self.flow.write_paused or environ["REMOTE_ADDR"] != (client[0] if client else ""):
            return False
        try:
            reply = self._cache.answer(asked, environ)  # type: ignore[union-attr]
        except Exception:  # the application may know better
            LOG.exception("The server failed to repeat a response")
            reply = {}
        if not isinstance(reply, tuple):
            self._extra = reply
            return False
        parts, body = reply
        parts.append(b"date: %b\r\n" % self.gateway.date())
        parts.append(b"\r\n" if self._keeps else _CLOSES + b"\r\n")
        parts.append(body)
        self.transport.write(b"".join(parts))
        return True

    def _read(self, data: bytes, *, is_begin: bool) -> None:
        while data and not self._is_deaf and not self._is_over:
            try:
                self.parser.feed_data(data)
                data = b""
            except HttpParserUpgrade as offer:  # of another protocol, which is not taken up
                self.parser = HttpRequestParser(self)
                data = self._framing + data[offer.args[0] :]
            except HttpParserInvalidMethodError as problem:
                data = self._renamed(data, is_begin=is_begin)
                if not data:
                    self._refuse_unless_over(problem)
            except HttpParserCallbackError:
                raise
            except HttpParserError as problem:
                self._refuse_unless_over(problem)
                return

    def _refuse_unless_over(self, problem: HttpParserError) -> None:
        """Refuse what is no request; what follows a last request is none, and ignored."""
        if not self._is_over:
            is_version = str(problem) == "Invalid HTTP version"
            self.refuse(UNSUPPORTED_VERSION if is_version else unreadable(problem))

    def _renamed(self, data: bytes, *, is_begin: bool) -> bytes:
        """Return a request of a method that the parser does not know with one it knows.

        That can be done where a request, and nothing else, begins with these bytes.
        """
        found = _METHOD.match(data)
        if found is None or not is_begin or self._begun != 1 or self._other_method:
            return b""
        self._other_method = found[1]
        self.parser, self._begun, self._phase = HttpRequestParser(self), 0, ""
        return b"POST" + data[found.end(1) :]

    def _weigh(self, size: int, *, was_between: bool) -> None:
        """Bound a head that does not end, and what frames a body: the parser gathers both.

        What came together with another request is not counted; that is no more than one read.
        """
        most = self.limits.head_bytes
        if self._phase == "body":
            most += _FRAME_SHARE * self._body_bytes
        if self._phase and (self._begun == 0 or (self._begun == 1 and was_between)):
            self._fed += size
            if self._fed > most:
                self.refuse(head_too_large(self.limits))

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._framing or self._is_deaf:
            return
        super().on_message_begin()
        self._begun += 1
        self._phase = "head"
        self._begun_s = 0.0
        self._fed = self._body_bytes = 0
        self._asked, self._is_skipped = None, False

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        if not self._framing:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what follows a body in chunks means nothing."""
        if self._phase == "head" and len(self.headers) <= self.limits.headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Send a cached response, or have one made."""
        if self._framing:
            self._framing = b""
            return
        if self._is_deaf:
            return
        scope, target, self.url = self.scope, self.url, b"/"
        path, _, query = target.partition(b"?")
        method = self._other_method or self.parser.get_method()
        version = self.parser.get_http_version()
        read = {"method": method.decode("ascii"), "raw_path": path, "query_string": query}
        scope.update({**read, "http_version": version})  # type: ignore[typeddict-item]
        self._other_method = b""
        self._phase, self._fed = "body", 0
        can_keep = version == "1.1" and self.parser.should_keep_alive()
        self._keeps = can_keep and not self.is_stopping
        try:
            self._environ = environ_of(scope, self.limits)  # type: ignore[arg-type]
        except RefusedError:  # the gateway says so
            self._environ = {}
        if self._environ and self._is_repeated():
            self._is_skipped = True
            if not self._keeps:
                self._is_over = True
                self.transport.close()
            return
        super().on_headers_complete()
        scope.update(read)  # type: ignore[typeddict-item]
        scope["state"]["environ"] = {**self._environ, **(self._extra or {})}
        self._extra = None
        scope["state"]["is_last"] = not self._keeps
        self._open.append(self.cycle)
        if not self._keeps:
            self.cycle.keep_alive = False

    def _is_repeated(self) -> bool:
        """Send a cached response, if there is one and its turn has come."""
        if self._cache is None:
            return False
        asked = self._cache.asked(self._environ)
        self._asked = asked
        can_repeat = self._extra is None and asked is not None and not self._open
        return can_repeat and self._repeat(self._environ, asked)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(body)
        if not self._is_skipped and not self._is_deaf:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request, unless the parser took its body for another protocol."""
        if self._is_deaf:
            return
        framing = [(name, value) for name, value in self.headers if name in _FRAMING]
        if self.parser.should_upgrade() and framing and framing != [(b"content-length", b"0")]:
            lines = b"".join(b"%b: %b\r\n" % line for line in framing)
            self._framing = b"POST / HTTP/1.1\r\n%b\r\n" % lines
            return
        self._phase = ""
        self._is_over = not self._keeps
        if not self._is_skipped:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        self._open.popleft()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; uvicorn tells only the newest request of it."""
        for cycle in self._open:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def _drop_request(self) -> None:
        super()._drop_request()
        self._open.pop()
        if self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()

    @property
    def _wants_body(self) -> bool:
        return not self._is_skipped and self.scope["method"] not in WITHOUT_BODY

    def _body_progress(self) -> tuple[int, str | None]:
        return self._body_bytes, super()._body_progress()[1]
