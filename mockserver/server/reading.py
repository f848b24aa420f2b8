"""Reads requests out of the bytes of one connection; httptools finds their parts."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserInvalidURLError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from .environs import Environ, header_environ, request_environ
from .refusals import (
    HEAD_TOO_LARGE,
    MOST_BODY_BYTES,
    MOST_HEAD_BYTES,
    NOT_ONE_HOST,
    OTHER_CODING,
    TOO_LARGE,
    Refusal,
    cut_off,
    unreadable,
)

_FRAMING = (("CONTENT_LENGTH", "Content-Length"), ("HTTP_TRANSFER_ENCODING", "Transfer-Encoding"))
_LONGEST_LENGTH = 19
"""Digits of a Content-Length that can be meant."""
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

    `is_wanted` tells whether its body is waited for, `promised` how long that is to be. `method`
    is what it says where the parser was told of another one.
    """

    __slots__ = (
        *("body_bytes", "head", "head_bytes", "headers", "is_wanted", "method", "pieces"),
        *("promised", "target"),
    )

    def __init__(self, method: bytes) -> None:
        self.method = method
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
        self._other_method = b""
        self._begun = 0
        self._began_between = True
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
        self._found, self._begun, self._began_between = [], 0, self.is_between
        rest = data
        while rest and not self._is_over and self.refusal is None:
            rest = self._fed(rest)
        self._weigh_unfinished_head(len(data))
        return self._found

    def _weigh_unfinished_head(self, size: int) -> None:
        """Refuse a head that does not end: the parser gathers it, and tells of whole headers only.

        What came with something else before it is not counted.
        """
        arriving = self._arriving
        is_all_head = self._begun == 0 or (self._begun == 1 and self._began_between)
        if arriving is None or arriving.head is not None or not is_all_head:
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
            again = self._in_other_words(data)
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
        """Give a request of a method that the parser does not know with one it knows.

        That can be done where a request, and nothing else, begins with these bytes.
        """
        found = _METHOD.match(data)
        is_begin = self._began_between and self._begun == 1 and not self._found
        if found is None or not is_begin or self._other_method:
            return b""
        self._other_method, self._arriving = found[1], None
        self._parser, self._begun = HttpRequestParser(self), 0
        return b"POST" + data[found.end(1) :]

    def _head_again(self) -> bytes:
        """Give a head that lets a new parser read the body where the old one saw none."""
        if self._taken_up is None:
            return b""
        environ = self._taken_up.environ
        lines = "".join(f"{name}: {environ[key]}\r\n" for key, name in _FRAMING if key in environ)
        return f"POST / HTTP/1.1\r\n{lines}\r\n".encode("latin-1")

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
        if self.refusal is not None:  # nothing after it is a request any more
            return
        self._arriving = _Arriving(self._other_method)
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
        if arriving is None or self.refusal is not None:
            return
        size = len(arriving.target) + sum(len(name) + len(text) for name, text in arriving.headers)
        if size > MOST_HEAD_BYTES:
            self.refusal = HEAD_TOO_LARGE
            return
        is_again = self._taken_up is not None
        arriving.head, self._taken_up = self._taken_up or self._head(arriving), None
        self._other_method = b""
        if arriving.head is None:
            return
        environ = arriving.head.environ
        if environ["REQUEST_METHOD"] in _WITHOUT_BODY:
            if not is_again:
                self._found.append(arriving.head)
            return
        arriving.is_wanted = True
        length = environ.get("CONTENT_LENGTH", "")
        if len(length) > _LONGEST_LENGTH:
            self.refusal = TOO_LARGE
            return
        arriving.promised = int(length) if length.isdecimal() else None
        if arriving.promised is not None and arriving.promised > MOST_BODY_BYTES:
            self.refusal = TOO_LARGE
        is_1_1 = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self.asks_to_go_on = is_1_1 and environ.get("HTTP_EXPECT", "").lower() == "100-continue"

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
            method = arriving.method or self._parser.get_method()
            asked = request_environ(method, arriving.target, self._parser.get_http_version())
        except HttpParserInvalidURLError:
            self.refusal = unreadable(f"the address {arriving.target.decode('latin-1')!r}")
            return None
        environ = {**self._common, **asked, **header_environ(arriving.headers)}
        environ.pop("HTTP_UPGRADE", None)  # no offer is taken up, nor is one refused
        self.refusal = _refusal_of(arriving.headers, environ)
        if self.refusal is not None:
            return None
        return Request(environ, b"", self._parser.should_keep_alive())


def _refusal_of(headers: Iterable[tuple[bytes, bytes]], environ: Environ) -> Refusal | None:
    """Give what RFC 9112 (3.2, 6.1) demands to be told of headers that can be read."""
    hosts = sum(name.lower() == b"host" for name, _ in headers)
    if hosts > 1 or (hosts == 0 and environ["SERVER_PROTOCOL"] == "HTTP/1.1"):
        return NOT_ONE_HOST
    is_other = environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked"
    return OTHER_CODING if is_other else None


def _has_body(environ: Environ) -> bool:
    return "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH", "0") != "0"
