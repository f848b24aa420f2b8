"""A connection read by h11, where httptools is not installed; it has no fast path."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .connection import BoundedConnection


class PlainProtocol(BoundedConnection, H11Protocol):  # type: ignore[misc] # eof_received
    """Reads requests as uvicorn does, within our limits."""

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
