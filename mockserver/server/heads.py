"""The heads of answers: what stands before a body."""

import time
from collections.abc import Iterable
from email.utils import formatdate

Headers = Iterable[tuple[str, str]]
CLOSES = b"Connection: close\r\n"
STAYS = b"Connection: keep-alive\r\n"
"""What an HTTP/1.0 client is told that asked to be kept."""
CHUNKED = b"Transfer-Encoding: chunked\r\n"
_BODILESS = frozenset({"204", "304"})


def status_line(status: str) -> bytes:
    """Give the first line of an answer."""
    return f"HTTP/1.1 {status}\r\n".encode("latin-1")


def header_lines(headers: Headers) -> bytes:
    """Give headers as they are sent.

    Raises:
        ValueError: if one holds the end of a line, or a character beyond Latin-1.
    """
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines):
        raise ValueError("A header of the answer holds more than one line.")
    return text.encode("latin-1")


def value_of(headers: Headers, wanted: str) -> str | None:
    """Give the value of the first header of that name, which is in small letters."""
    return next((value for name, value in headers if name.lower() == wanted), None)


def has_body(method: str, status: str) -> bool:
    """Tell whether an answer of this status to this method has a body (RFC 9110, 6.4.1)."""
    return method != "HEAD" and status[:3] not in _BODILESS and not status.startswith("1")


class LastLines:
    """The end of every head: when the answer was made, as RFC 9110 (6.6.1) asks.

    It is made anew once a second.
    """

    def __init__(self) -> None:
        self._second = 0
        self._lines = b""

    def __call__(self) -> bytes:
        """Give those of this moment."""
        second = int(time.time())
        if second != self._second:
            self._lines = f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode("ascii")
            self._second = second
        return self._lines
