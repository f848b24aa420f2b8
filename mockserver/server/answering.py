"""Calls the application for one request, and sends what it answers."""

import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from .heads import CHUNKED, CLOSES, STAYS, has_body, header_lines, status_line, value_of
from .pauses import BrokenConnectionError, end_pauses_of_this_thread_with
from .reading import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from .connection import Connection


class _Told:
    """The `start_response` of PEP 3333."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    def __call__(
        self, status: str, headers: list[tuple[str, str]], _failure: Any = None, /
    ) -> Callable[[bytes], object]:
        """Note status and headers; the oldest way to send a body is nobody's here."""
        self.status, self.headers = status, headers
        return _cannot_write

    def check(self) -> None:
        """Look whether the application has said what its answer is.

        Raises:
            RuntimeError: if it has not.
        """
        if not self.status:
            raise RuntimeError("The application did not call start_response.")


def _cannot_write(_piece: bytes) -> object:
    raise NotImplementedError("Give the body as the iterable that PEP 3333 asks for.")


_NEVER = threading.Event()
"""What a thread that may not wait would wait for."""


class Exchange:
    """Where one request is answered, by one thread; the connection writes in its own."""

    def __init__(self, connection: "Connection", request: Request) -> None:
        self._connection = connection
        self._method = request.environ["REQUEST_METHOD"]
        self._is_1_1 = request.environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._keeps_alive = request.keeps_alive
        self._is_chunked = False
        self._has_body = True
        self._is_begun = False
        self._is_over = False
        self._left: int | None = None
        self._turn: threading.Semaphore | None = None
        self.given_up = threading.Event() if connection.desk.has_threads else _NEVER
        """Whether nobody waits for the answer any longer."""
        self.body_bytes = len(request.body)

    def whole(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send a whole answer."""
        lines = b""
        if not has_body(self._method, status):
            body = b""
        elif (promised := value_of(headers, "content-length")) is None:
            lines = b"Content-Length: %d\r\n" % len(body)
        else:
            body = body[: int(promised)]
            self._keeps_alive = self._keeps_alive and len(body) == int(promised)
        head = self._head(status, headers, lines)
        self._send_last(head, body, closes=self._closes)

    def begin(self, status: str, headers: list[tuple[str, str]]) -> None:
        """Send the head of an answer that is made piece by piece."""
        self._has_body = has_body(self._method, status)
        promised, lines = value_of(headers, "content-length"), b""
        if promised is not None and self._has_body:
            self._left = int(promised)
        elif self._has_body:
            self._is_chunked = self._is_1_1
            lines = CHUNKED if self._is_chunked else b""
            self._keeps_alive = self._keeps_alive and self._is_chunked
        self._is_begun = True
        if self._connection.desk.has_threads:
            self._turn = threading.Semaphore(0)
        self._send(self._head(status, headers, lines))

    def piece(self, piece: bytes) -> None:
        """Send a piece, and wait until the connection can take another.

        Raises:
            BrokenPipeError: if the other side is gone.
            TypeError: if it is no bytes.
        """
        if not isinstance(piece, bytes):
            raise TypeError(f"A piece of a body is bytes, not {type(piece).__name__}.")
        if self._left is not None:
            piece = piece[: self._left]
            self._left -= len(piece)
        if piece and self._has_body:
            self._send(b"%x\r\n%b\r\n" % (len(piece), piece) if self._is_chunked else piece)

    def end(self) -> None:
        """Say that this was all."""
        last = b"0\r\n\r\n" if self._is_chunked else b""
        self._keeps_alive = self._keeps_alive and not self._left
        self._send_last(last, b"", closes=self._closes)

    def break_off(self) -> None:
        """Close the connection, with nothing more."""
        self._send_last(b"", b"", closes=True)

    def fail(self) -> None:
        """Answer for an application that could not; break off if it had begun."""
        if self._is_begun:
            self.break_off()
        else:
            self.whole("500 Internal Server Error", [], b"")

    def is_written(self) -> None:
        """Let the thread go on that sent a piece; the connection says so."""
        if self._turn is not None:
            self._turn.release()

    def _send(self, data: bytes) -> None:
        self._connection.send(self, data)
        if self._turn is not None:
            self._turn.acquire()
        if self._connection.is_gone:
            raise BrokenPipeError("The other side has closed the connection.")

    def _send_last(self, head: bytes, body: bytes, *, closes: bool) -> None:
        if not self._is_over:
            self._is_over = True
            self._connection.send_last(self, head, body, closes=closes)

    @property
    def _closes(self) -> bool:
        return not self._keeps_alive

    def _head(self, status: str, headers: list[tuple[str, str]], lines: bytes) -> bytes:
        if self._connection.desk.is_stopping:
            self._keeps_alive = False
        if (value_of(headers, "connection") or "").lower() == "close":
            self._keeps_alive = False
        elif self._closes:
            lines += CLOSES
        elif not self._is_1_1:
            lines += STAYS
        last = self._connection.desk.last_lines()
        return b"".join((status_line(status), header_lines(headers), lines, last))


_COMMON: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "deadringer",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.url_scheme": "http",
    "wsgi.version": (1, 0),
}


def answer(application: "WSGIApplication", request: Request, exchange: Exchange) -> None:
    """Ask the application, and send its answer."""
    told = _Told()
    end_pauses_of_this_thread_with(exchange.given_up)
    environ = {**_COMMON, **request.environ, "wsgi.input": io.BytesIO(request.body)}
    close: Callable[[], object] | None = None
    try:
        found = application(environ, told)
        if isinstance(found, list):
            told.check()
            exchange.whole(told.status, told.headers, b"".join(found))
        else:
            close = getattr(found, "close", None)
            _send_in_pieces(exchange, told, found)
    except (BrokenConnectionError, BrokenPipeError):
        exchange.break_off()
    finally:
        if close:
            close()


def _send_in_pieces(exchange: Exchange, told: _Told, found: Iterable[bytes]) -> None:
    """Send an answer as it is made; its head waits for the first piece, as PEP 3333 asks.

    So nothing is sent of one that breaks off before, nor while one is held before.
    """
    pieces: Iterator[bytes] = iter(found)
    first = next(pieces, b"")
    told.check()
    more: list[bytes] = []
    if value_of(told.headers, "content-length") == str(len(first)):
        try:
            more = list(islice(pieces, 1))
        except BrokenConnectionError:
            exchange.begin(told.status, told.headers)
            exchange.piece(first)
            raise
        if not more:
            exchange.whole(told.status, told.headers, first)
            return
    exchange.begin(told.status, told.headers)
    for piece in chain([first], more, pieces):
        exchange.piece(piece)
    exchange.end()
