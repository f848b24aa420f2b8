"""Reads requests out of the bytes of one connection; httptools finds their parts."""

import re
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserInvalidURLError,
    HttpParserUpgrade,
    HttpRequestParser,
    parse_url,
)

from .refusals import (
    HEAD_TOO_LARGE,
    MOST_BODY_BYTES,
    MOST_HEAD_BYTES,
    TOO_LARGE,
    Refusal,
    cut_off,
    unreadable,
)

Environ = dict[str, Any]

_METHOD = re.compile(rb"(?:\r\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]+) ")
"""A method, as RFC 9110 (9.1) lets it be called, at the beginning of a request."""
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose bodies mean nothing; they are neither waited for nor kept."""


class Request(NamedTuple):
    """One request; `environ` is that of PEP 3333 without `wsgi.input`, which `body` is for."""

    environ: Environ
    body: bytes
    keeps_alive: bool
    """Whether the connection may serve another one after it."""


class _Arriving:
    """A request that is arriving; `head` is what it asks once its head is whole.

    `is_wanted` tells whether its body is waited for, `promised` how long that is to be.
    """

    __slots__ = (
        *("body_bytes", "head", "head_bytes", "headers", "is_wanted", "pieces", "promised"),
        "target",
    )

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.head_bytes = 0
        self.head: Request | None = None
        self.is_wanted = False
        self.promised: int | None = None
        self.pieces: list[bytes] = []
        self.body_bytes = 0


class Reader:
    """Finds requests in what arrives; the `on_…` methods are called by the parser.

    After a `refusal` nothing more is read.
    """

    def __init__(self, common: Environ) -> None:
        self._common = common
        self._parser = HttpRequestParser(self)
        self._arriving: _Arriving | None = None
        self._found: list[Request] = []
        self._taken_up: Request | None = None
        self._method = b""
        self._begun = 0
        self._is_over = False
        self.refusal: Refusal | None = None
        self.asks_to_go_on = False
        """Whether the sender of the body that arrives waits to be told that it is wanted."""

    @property
    def is_between(self) -> bool:
        """Whether every request that began to arrive is whole."""
        return self._arriving is None

    @property
    def is_in_head(self) -> bool:
        """Whether a head is arriving."""
        return self._arriving is not None and self._arriving.head is None

    @property
    def awaits_body(self) -> bool:
        """Whether a body is arriving that its request waits for."""
        return self._arriving is not None and self._arriving.is_wanted

    @property
    def held_bytes(self) -> int:
        """What the body that arrives takes."""
        return self._arriving.body_bytes if self._arriving else 0

    def feed(self, data: bytes) -> list[Request]:
        """Give the requests that are whole with these bytes."""
        self._found, self._begun, self._method = [], 0, b""
        rest = data
        while rest and not self._is_over and self.refusal is None:
            rest = self._fed(rest)
        self._weigh_unfinished_head(len(data))
        return self._found

    def _weigh_unfinished_head(self, size: int) -> None:
        """Refuse a head that does not end: the parser gathers it, and tells of whole headers only.

        What came with other requests before it is not counted.
        """
        arriving = self._arriving
        if arriving is None or arriving.head is not None or self._found or self._begun > 1:
            return
        arriving.head_bytes += size
        if arriving.head_bytes > MOST_HEAD_BYTES:
            self.refusal = HEAD_TOO_LARGE

    def _fed(self, data: bytes) -> bytes:
        """Read what can be read, and give the rest."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as offer:  # of another protocol, which need not be taken up
            self._parser = HttpRequestParser(self)
            return self._head_again() + data[offer.args[0] :]
        except HttpParserInvalidMethodError as problem:
            again = b"" if self._method or self._begun > 1 else self._in_other_words(data)
            if not again:
                self.refusal = unreadable(problem)
            return again
        except HttpParserCallbackError:
            raise  # it is ours
        except HttpParserError as problem:
            if not self._is_over:  # what follows a last request is no request
                self.refusal = self.refusal or unreadable(problem)
        return b""

    def _in_other_words(self, data: bytes) -> bytes:
        """Give a request of a method that the parser does not know with one it knows."""
        found = _METHOD.match(data)
        if found is None:
            return b""
        self._method = found[1]
        self._parser, self._begun = HttpRequestParser(self), 0
        return b"POST" + data[found.end(1) :]

    def _head_again(self) -> bytes:
        """Give a head that lets a new parser read the body where the old one saw none."""
        if self._taken_up is None:
            return b""
        environ = self._taken_up.environ
        length = environ.get("CONTENT_LENGTH")
        how = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        return f"POST / HTTP/1.1\r\n{how}\r\n\r\n".encode("ascii")

    def is_known(self, found: list[Request], *, was_between: bool) -> bool:
        """Tell whether the bytes just read are one whole request, and nothing else."""
        is_one = was_between and self._begun == len(found) == 1 and self.is_between
        return is_one and self.refusal is None

    def end(self) -> Refusal | None:
        """Give what is to be told to a sender who sends no more; None if nothing is amiss."""
        arriving = self._arriving
        if arriving is None or not arriving.is_wanted:
            return None
        return cut_off(arriving.body_bytes, arriving.promised)

    def on_message_begin(self) -> None:
        self._arriving = _Arriving()
        self._begun += 1

    def on_url(self, part: bytes) -> None:
        if self._arriving is not None:
            self._arriving.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        arriving = self._arriving
        if arriving is None or arriving.head is not None:  # what follows a body in chunks
            return
        arriving.headers.append((name, value))

    def on_headers_complete(self) -> None:
        arriving = self._arriving
        if arriving is None:
            return
        size = len(arriving.target) + sum(len(name) + len(text) for name, text in arriving.headers)
        if size > MOST_HEAD_BYTES:
            self.refusal = HEAD_TOO_LARGE
            return
        arriving.head, self._taken_up = self._taken_up or self._head(arriving), None
        if arriving.head is None:
            return
        environ = arriving.head.environ
        if environ["REQUEST_METHOD"] in _WITHOUT_BODY:
            self._found.append(arriving.head)
            return
        arriving.is_wanted = True
        length = environ.get("CONTENT_LENGTH", "")
        arriving.promised = int(length) if length.isdecimal() else None
        if arriving.promised is not None and arriving.promised > MOST_BODY_BYTES:
            self.refusal = TOO_LARGE
        self.asks_to_go_on = environ.get("HTTP_EXPECT", "").lower() == "100-continue"

    def on_body(self, piece: bytes) -> None:
        arriving = self._arriving
        if arriving is None or not arriving.is_wanted or self.refusal:
            return
        arriving.pieces.append(piece)
        arriving.body_bytes += len(piece)
        if arriving.body_bytes > MOST_BODY_BYTES:
            self.refusal = TOO_LARGE

    def on_message_complete(self) -> None:
        arriving, self._arriving = self._arriving, None
        if arriving is None or arriving.head is None or self.refusal:
            return
        if self._parser.should_upgrade() and _has_body(arriving.head.environ):
            self._taken_up = arriving.head  # the parser takes all that follows for no HTTP
            return
        self.asks_to_go_on = False
        self._is_over = not arriving.head.keeps_alive
        if arriving.is_wanted:
            self._found.append(arriving.head._replace(body=b"".join(arriving.pieces)))

    def _head(self, arriving: _Arriving) -> Request | None:
        """Give a request whose head is whole; None if it is refused."""
        try:
            environ = self._environ(arriving)
        except HttpParserInvalidURLError:
            self.refusal = unreadable(f"the address {arriving.target.decode('latin-1')!r}")
            return None
        self._method = b""
        return Request(environ, b"", self._parser.should_keep_alive())

    def _environ(self, arriving: _Arriving) -> Environ:
        path, query = _split(arriving.target)
        environ = {
            **self._common,
            "REQUEST_METHOD": (self._method or self._parser.get_method()).decode("ascii"),
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_PROTOCOL": f"HTTP/{self._parser.get_http_version()}",
        }
        for name, value in arriving.headers:
            key, text = _key(name), value.decode("latin-1")
            before = environ.get(key)
            if before is not None:
                text = f"{before}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
            environ[key] = text
        return environ


def _has_body(environ: Environ) -> bool:
    return "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH", "0") != "0"


def _split(target: bytes) -> tuple[bytes, bytes]:
    """Give path and query of what was asked for, which may be a whole URL.

    Raises:
        HttpParserInvalidURLError: if it is neither.
    """
    if not target.startswith(b"/"):
        if target == b"*":
            return target, b""
        parts = parse_url(target)
        return parts.path or b"/", parts.query or b""
    path, _, query = target.partition(b"#")[0].partition(b"?")
    return path, query


@lru_cache(maxsize=1024)
def _key(name: bytes) -> str:
    """Give what the environ calls a header."""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
