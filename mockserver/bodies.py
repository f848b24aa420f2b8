"""Reads the bodies of requests in the threads that took them, for Granian lets no other do it.

While one reads, another takes requests. There are only so many of them, and a body that stands
still would hold one for ever: after a while its sender is told so. The reading ends when the sender
then hangs up.
"""

import io
import threading
import time
from http import HTTPStatus
from typing import Any

from .takers import Takers

MOST_BYTES = 64 * 2**20
PATIENCE_S = 5.0
"""How long a body may stand still."""
LONGEST_S = 60.0
"""How long all of a body may take."""
MOST_READERS = 60
"""Threads that may read bodies at a time, of those that take requests; the others stay free."""
_TURN_S = 0.25
"""How long a body waits for its turn, which takes no time unless the others stand still."""
_MOST_WAITING = 2
"""Bodies that wait for their turn, each with a thread."""
_LOOK_EVERY_S = 0.5
_PIECE = 65_536
_WITHOUT = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose bodies mean nothing; they are not read."""


class _Reading:
    """A body under way: where its sender is answered, and when its last piece came."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.begun = self.since = time.monotonic()
        self.is_given_up = False

    def give_up_if_late(self) -> None:
        """Tell the sender of a body that takes too long, once."""
        now = time.monotonic()
        is_late = now - self.since > PATIENCE_S or now - self.begun > LONGEST_S
        if is_late and not self.is_given_up:
            self.is_given_up = True
            _refuse(
                self.protocol,
                HTTPStatus.REQUEST_TIMEOUT,
                f"The body stood still for {PATIENCE_S:g} seconds, or took {LONGEST_S:g}",
                "Send the whole body that Content-Length promises",
            )


class Bodies:
    """Reads bodies, and keeps watch over those that stand still."""

    def __init__(self, takers: Takers) -> None:
        self._takers = takers
        self._under_way: set[_Reading] = set()
        self._turns = threading.BoundedSemaphore(MOST_READERS)
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)
        self._watch = threading.Lock()
        self._is_watched = False

    def take(self, protocol: Any, scope: dict[str, Any]) -> bool:
        """Put the body itself in the place of Granian's stream; False if it came to nothing.

        Its sender is then answered: 413 beyond `MOST_BYTES`, 408 where it took too long, 400 where
        it ended too early, 503 where too many others have not arrived. One in chunks that is cut
        off cannot be told from one that has ended.
        """
        stream, scope["wsgi.input"] = scope["wsgi.input"], io.BytesIO()
        if scope["REQUEST_METHOD"] in _WITHOUT:
            return True
        promised = int(scope.get("CONTENT_LENGTH") or 0)
        if promised > MOST_BYTES:
            return _is_refused_as_too_large(protocol)
        self._takers.leave()
        if not self._has_turn():
            busy = f"{MOST_READERS} other bodies have not arrived"
            _refuse(protocol, HTTPStatus.SERVICE_UNAVAILABLE, busy, "Try again in a few seconds")
            return False
        try:
            body, is_given_up = self._read(protocol, stream)
        finally:
            self._turns.release()
        if len(body) > MOST_BYTES:
            return _is_refused_as_too_large(protocol)
        if len(body) < promised and not is_given_up:
            _refuse(
                protocol,
                HTTPStatus.BAD_REQUEST,
                f"The body ended after {len(body)} of {promised} bytes",
                "Send as many bytes as Content-Length says",
            )
            return False
        scope["wsgi.input"] = io.BytesIO(body)
        return not is_given_up

    def _has_turn(self) -> bool:
        """Wait for a turn; of many that would, most are told at once, lest all threads wait."""
        if self._turns.acquire(blocking=False):
            return True
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._turns.acquire(timeout=_TURN_S)
        finally:
            self._waiting.release()

    def _read(self, protocol: Any, stream: Any) -> tuple[bytes, bool]:
        """Give the body, and whether its sender was told that it took too long."""
        reading, pieces, size = _Reading(protocol), [], 0
        self._under_way.add(reading)
        self._start_watching()
        try:
            while size <= MOST_BYTES and (piece := stream.read(_PIECE)):
                pieces.append(piece)
                size += len(piece)
                reading.since = time.monotonic()
        finally:
            self._under_way.discard(reading)
        return b"".join(pieces), reading.is_given_up

    def _start_watching(self) -> None:
        if self._is_watched:
            return
        with self._watch:
            if not self._is_watched:
                self._is_watched = True
                threading.Thread(target=self._look, name="bodies", daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            for reading in tuple(self._under_way):
                reading.give_up_if_late()


def _is_refused_as_too_large(protocol: Any) -> bool:
    fix = f"Send at most {MOST_BYTES:,} bytes"
    _refuse(protocol, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large", fix)
    return False


def _refuse(protocol: Any, status: HTTPStatus, message: str, fix: str) -> None:
    """Answer, unless that is done, and close: what follows in the connection is no request."""
    from .errors import ApiError, error_body  # bring Flask, which few bodies need
    from .strict_json import written

    body = written(error_body(ApiError("BAD_REQUEST", message, fix)))
    head = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    protocol.response_bytes(int(status), head, body)
