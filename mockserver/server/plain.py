"""A connection read by h11, where httptools is not installed; it has no fast path."""

import re
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .connection import BoundedConnection
from .refusals import OTHER_CODING, UNSUPPORTED_VERSION, Refusal, unreadable

_HEAD = re.compile(rb".*?\n\r?\n", re.DOTALL)
_VERSION = re.compile(rb"\S+ (?:\S+ HTTP/([0-9]\.[0-9])|/\S*)\r\n")
_AMBIGUOUS = (
    (re.compile(rb"(?<!\r)\n"), "a line ends without CR"),
    (re.compile(rb"\n[ \t]"), "a header is folded"),
    (re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]"), "it has a control character"),
    (
        re.compile(rb"(?i)\ncontent-length:([^\n]*,|.*\ncontent-length:)", re.DOTALL),
        "it has more than one Content-Length",
    ),
)
"""What h11 reads in one of two ways and httptools refuses, in the head of a request."""
_CODING = re.compile(rb"(?i)\ntransfer-encoding:(?![ \t]*chunked[ \t]*\r\n)")


class _StrictConnection(h11.Connection):
    """Refuses the heads that httptools refuses, with the same status."""

    refusal: Refusal | None = None

    def receive_data(self, data: bytes) -> None:
        """Take bytes; empty lines before a request are ignored (RFC 9112, 2.2)."""
        if data and self.their_state is h11.IDLE and not self.trailing_data[0]:
            data = data.lstrip(b"\r\n")
            if not data:
                return
        super().receive_data(data)

    def next_event(self) -> Any:
        """Return the next event.

        Raises:
            h11.RemoteProtocolError: if what was sent is refused.
        """
        head = self.their_state is h11.IDLE and _HEAD.match(self.trailing_data[0])
        self.refusal = _refusal_of(head[0]) if head else None
        if self.refusal is not None:
            raise h11.RemoteProtocolError(self.refusal.message)
        return super().next_event()


def _refusal_of(head: bytes) -> Refusal | None:
    for pattern, problem in _AMBIGUOUS:
        if pattern.search(head):
            return unreadable(problem)
    version = _VERSION.match(head)
    if version is not None and version[1] not in {b"1.0", b"1.1"}:
        return UNSUPPORTED_VERSION
    return OTHER_CODING if _CODING.search(head) else None


class PlainProtocol(BoundedConnection, H11Protocol):  # type: ignore[misc] # eof_received
    """Reads requests as uvicorn does, within our limits."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn: Any = _StrictConnection(h11.SERVER, self.limits.head_bytes)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        self.refuse(self.conn.refusal or unreadable(msg))

    @property
    def is_busy(self) -> bool:
        """Whether a request has arrived whose response is not complete."""
        cycle = self.cycle
        return cycle is not None and not (cycle.response_complete or cycle.disconnected)

    @property
    def arriving(self) -> str:
        """What of a request is arriving: "head", "body", or "" between requests."""
        is_unfinished = self.is_busy and self.cycle.more_body
        if is_unfinished or self.conn.their_state is h11.SEND_BODY:
            return "body"
        is_between = self.conn.their_state is not h11.IDLE or not self.conn.trailing_data[0]
        return "" if is_between else "head"

    def data_received(self, data: bytes) -> None:
        """Read what has come."""
        if not self._is_deaf:
            super().data_received(data)
            self.note_data()
