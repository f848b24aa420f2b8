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
from .environ import Environ, environ_of
from .refusals import HEAD_TOO_LARGE, OTHER_CODING, UNSUPPORTED_VERSION, RefusedError, unreadable

_METHOD = re.compile(rb"(?:\r\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]+) ")
"""A method, as RFC 9110 (9.1) lets it be called, at the beginning of a request."""
_KNOWN_PROBLEMS = {
    "Invalid HTTP version": UNSUPPORTED_VERSION,
    "Pause on PRI/Upgrade": UNSUPPORTED_VERSION,  # the preface of HTTP/2
    "Request has invalid `Transfer-Encoding`": OTHER_CODING,
}
"""By the message of the parser, the refusals that are not UNREADABLE."""
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_MOST_PARSED = 1024
_LARGEST_PARSED = 4096
"""Requests that are recognised by their bytes: how many, and of how many bytes at most."""
_CLOSES = b"connection: close\r\n"
_FRAME_SHARE = 8
"""Bytes that may frame one byte of a body in chunks, beyond what a head may take."""


class _Counter:
    """Counts the requests that a parser has read."""

    count = 0

    def on_message_complete(self) -> None:
        self.count += 1


def _length_of(data: bytes, count: int) -> int:
    """Return how many bytes the first `count` requests take, which the parser does not report."""
    read = _Counter()
    parser, place = HttpRequestParser(read), 0
    try:
        while read.count < count:
            parser.feed_data(data[place : place + 1])
            place += 1
    except (HttpParserError, HttpParserUpgrade):  # one of them was not read as it is
        return len(data)
    return place


class CachingProtocol(BoundedConnection, HttpToolsProtocol):  # type: ignore[misc] # eof_received
    """Reads requests; the `on_…` methods are called by the parser."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.parser = HttpRequestParser(self)
        self.headers = []
        self._cache = self.gateway.cache
        self._open: deque[Any] = deque()  # requests whose response is not complete
        self._phase = ""
        self._begun = 0  # requests that began in the data at hand
        self._framing_bytes = self._body_bytes = 0  # of the request that arrives
        self._keeps_alive = True
        self._is_from_cache = self._is_over = False
        self._other_method = b""
        self._framing = b""
        self._key: Any = None
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
        """Read what has come: most of the time, a request that came before in the same bytes."""
        if self._is_deaf:
            return
        was_between = not self._phase
        if was_between and not self._open and self._cache is not None:
            parsed = self.gateway.parsed_requests.get(data)
            if parsed is not None and self._send_cached(*parsed):
                self._active_s = self.loop.time()
                return
        self._begun, body_bytes = 0, self._body_bytes
        try:
            self._parse(data, is_begin=was_between)
        except HttpParserCallbackError:
            LOG.exception("The server failed to read a request")
            self.transport.abort()
            return
        self._extra = None
        self._weigh(len(data) - (self._body_bytes - body_bytes), was_between=was_between)
        is_one = was_between and self._begun == 1 and not self._phase and not self._is_deaf
        if is_one and self._key is not None and self._keeps_alive and len(data) <= _LARGEST_PARSED:
            if len(self.gateway.parsed_requests) >= _MOST_PARSED:
                self.gateway.parsed_requests.clear()
            self.gateway.parsed_requests[data] = self._environ, self._key
        self.note_data()

    def _send_cached(self, environ: Environ, key: Any) -> bool:
        """Send a cached response, if there is one; where there is none, the request is read."""
        client = self.client
        if self.is_unread or environ["REMOTE_ADDR"] != (client[0] if client else ""):
            return False
        try:
            found = self._cache.lookup(key, environ)  # type: ignore[union-attr]
        except Exception:  # the application may know better
            LOG.exception("The server failed to repeat a response")
            found = {}
        if not isinstance(found, tuple):
            self._extra = found
            return False
        parts, body = found
        parts.append(b"date: %b\r\n" % self.gateway.date())
        parts.append(b"\r\n" if self._keeps_alive else _CLOSES + b"\r\n")
        parts.append(body)
        self.transport.write(b"".join(parts))
        return True

    def _parse(self, data: bytes, *, is_begin: bool) -> None:
        while data and not self._is_deaf and not self._is_over:
            before = self._begun
            try:
                self.parser.feed_data(data)
                data = b""
            except HttpParserUpgrade as offer:  # of another protocol, which is not accepted
                self.parser = HttpRequestParser(self)
                data = self._framing + data[offer.args[0] :]
            except HttpParserInvalidMethodError as problem:
                data = self._renamed(data, self._begun - before - 1, is_begin=is_begin)
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
            self.refuse(_KNOWN_PROBLEMS.get(str(problem)) or unreadable(problem))

    def _renamed(self, data: bytes, before: int, *, is_begin: bool) -> bytes:
        """Return a request of a method that the parser does not support with one it does.

        That can be done where these bytes begin with a request; the `before` first ones are read.
        """
        if not is_begin or self._other_method:
            return b""
        data = data[_length_of(data, before) :]
        found = _METHOD.match(data)
        if found is None:
            return b""
        self._other_method = found[1]
        self.parser, self._phase = HttpRequestParser(self), ""
        self._begun -= 1  # it begins again
        return b"POST" + data[found.end(1) :]

    def _weigh(self, size: int, *, was_between: bool) -> None:
        """Bound a head that does not end, and what frames a body: the parser gathers both.

        What came together with another request is not counted; that is no more than one read.
        """
        most = self.limits.head_bytes
        if self._phase == "body":
            most += _FRAME_SHARE * self._body_bytes
        if self._phase and (self._begun == 0 or (self._begun == 1 and was_between)):
            self._framing_bytes += size
            if self._framing_bytes > most:
                self.refuse(HEAD_TOO_LARGE.of(limits=self.limits))

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._framing or self._is_deaf:
            return
        super().on_message_begin()
        self._begun += 1
        self._phase = "head"
        self._begun_s = 0.0
        self._framing_bytes = self._body_bytes = 0
        self._key, self._is_from_cache = None, False

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        if not self._framing:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what follows a body in chunks means nothing."""
        if self._phase != "head" or len(self.headers) > self.limits.headers:
            return
        if self.parser.get_http_version() == "1.0" and name.lower() == b"expect":
            return  # HTTP/1.0 has no 100 (RFC 9110, 10.1.1)
        super().on_header(name, value.strip(b" \t"))  # httptools leaves what follows a value

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
        scope.update({**read, "http_version": version})
        self._other_method = b""
        self._phase, self._framing_bytes = "body", 0
        is_kept_alive = version == "1.1" and self.parser.should_keep_alive()
        self._keeps_alive = is_kept_alive and not self.is_stopping
        try:
            self._environ = environ_of(scope, self.limits)
        except RefusedError:  # the gateway refuses it, when its turn has come
            self._environ = {}
        if self._environ and self._is_answered_from_cache():
            self._is_from_cache = True
            if not self._keeps_alive:
                self._is_over = True
                self.transport.close()
            return
        super().on_headers_complete()
        scope.update(read)
        scope["state"]["environ"] = {**self._environ, **(self._extra or {})}
        scope["state"]["is_last"] = not self._keeps_alive
        self._extra = None
        self._open.append(self.cycle)

    def _is_answered_from_cache(self) -> bool:
        """Send a cached response, if there is one and its turn has come."""
        if self._cache is None:
            return False
        self._key = self._cache.key_of(self._environ)
        is_cacheable = self._extra is None and self._key is not None and not self._open
        return is_cacheable and self._send_cached(self._environ, self._key)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(body)
        if not self._is_from_cache and not self._is_deaf:
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
        self._is_over = not self._keeps_alive
        if not self._is_from_cache:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        self._open.popleft()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; uvicorn itself ends only the newest request."""
        for cycle in self._open:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def _drop_request(self) -> None:
        super()._drop_request()
        self._open.pop()

    @property
    def _wants_body(self) -> bool:
        return not self._is_from_cache and super()._wants_body
