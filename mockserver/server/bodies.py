"""Bodies of requests in memory: all of them are counted, and those in gzip are decoded."""

import threading
import zlib
from collections.abc import Iterator
from typing import Self

from .limits import Limits
from .refusals import BODY_TOO_LARGE, NOT_GZIP, TOO_MANY_BODIES, TOO_MANY_MEMBERS, RefusedError

MOST_MEMBERS = 10_000
"""Members of one gzip body: RFC 1952 sets no limit, and each costs time whatever it holds."""
_PIECE_BYTES = 2**14
"""Compressed bytes that are read at a time: what follows a member in them is copied."""
_GROWTH_BYTES = 2**18
"""Bytes by which a body grows at a time, at most."""


class HeldBytes:
    """Counts the bytes of all bodies in memory; the event loop and every thread add to it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._count = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Count further bytes.

        Raises:
            RefusedError: if there is no room for them; then they are not counted.
        """
        with self._lock:
            if self._count + count > self.limits.held_bytes:
                raise RefusedError(TOO_MANY_BODIES.of(limits=self.limits))
            self._count += count

    def release(self, count: int) -> None:
        """Count bytes no longer that were taken."""
        with self._lock:
            self._count -= count


class Body:
    """One body, whose bytes are counted until the `with` block ends."""

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self._count = 0
        self._data: bytes | bytearray = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._held.release(self._count)

    def append(self, piece: bytes) -> None:
        """Add bytes.

        Raises:
            RefusedError: if the body becomes too large, or there is no room for it.
        """
        limits = self._held.limits
        if self._count + len(piece) > limits.body_bytes:
            raise RefusedError(BODY_TOO_LARGE.of(limits=limits))
        self._held.take(len(piece))
        self._count += len(piece)
        self._data += piece

    def whole(self) -> bytes:
        """Return all bytes; none can be added from here on."""
        self._data = bytes(self._data)
        return self._data


def gunzip(compressed: bytes, body: Body) -> bytes:
    """Return a gzip body decoded; `body` holds it.

    Raises:
        RefusedError: if it is no gzip, becomes too large, or there is no room for it.
    """
    for piece in _decoded(compressed):
        body.append(piece)
    return body.whole()


def _decoded(compressed: bytes) -> Iterator[bytes]:
    """Yield a gzip body decoded, in pieces.

    Raises:
        RefusedError: if it is no gzip, or has too many members.
    """
    member, members, is_between = _member(), 0, True
    for start in range(0, len(compressed), _PIECE_BYTES):
        rest = compressed[start : start + _PIECE_BYTES]
        while rest:
            is_between = False
            try:
                yield member.decompress(rest, _GROWTH_BYTES)
            except zlib.error:
                raise RefusedError(NOT_GZIP) from None
            rest = member.unconsumed_tail
            if member.eof:
                rest, member, is_between = member.unused_data, _member(), True
                members += 1
                if members > MOST_MEMBERS:
                    raise RefusedError(TOO_MANY_MEMBERS)
    if not is_between:
        raise RefusedError(NOT_GZIP)


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(16 + zlib.MAX_WBITS)
