"""Heads of responses as bytes, with names in small letters as uvicorn writes them."""

import time
from collections.abc import Iterable
from email.utils import formatdate

Headers = Iterable[tuple[str, str]]


def status_line(status: str) -> bytes:
    """Return the first line of a response."""
    return f"HTTP/1.1 {status}\r\n".encode("latin-1")


def header_lines(headers: Headers) -> bytes:
    """Return headers as they are sent.

    Raises:
        ValueError: if one holds the end of a line, or a character beyond Latin-1.
    """
    lines = [f"{name.lower()}: {value}\r\n" for name, value in headers]
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines):
        raise ValueError("A header of the response holds more than one line.")
    return text.encode("latin-1")


class Date:
    """The value of the Date header, made anew once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._value = b""

    def __call__(self) -> bytes:
        """Return the value of this moment."""
        second = int(time.time())
        if second != self._second:
            self._value = formatdate(second, usegmt=True).encode("ascii")
            self._second = second
        return self._value
