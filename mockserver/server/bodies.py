"""Bodies of requests in memory: how much of them there is, and how their gzip is undone."""

import threading
import zlib
from collections.abc import Iterator

from .limits import (
    NOT_GZIP,
    TOO_MANY_MEMBERS,
    Limits,
    RefusedError,
    body_too_large,
    too_much_at_once,
)

MOST_MEMBERS = 10_000
"""Members of one gzip body: RFC 1952 sets no limit, and each costs time whatever it holds."""
_PIECE_BYTES = 2**14
"""Compressed bytes that are read at a time: what follows a member in them is copied."""
_GROWTH_BYTES = 2**18
"""Bytes by which a body grows at a time, at most."""


class HeldBytes:
    """Counts the bytes of all bodies in memory; the event loop and every thread add to it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._count = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Count further bytes.

        Raises:
            RefusedError: if there is no room for them; then they are not counted.
        """
        with self._lock:
            if self._count + count > self._limits.held_bytes:
                raise RefusedError(too_much_at_once(self._limits))
            self._count += count

    def release(self, count: int) -> None:
        """Count bytes no longer that were taken."""
        with self._lock:
            self._count -= count


def gunzip(body: bytes, limits: Limits, held: HeldBytes) -> bytes:
    """Return a gzip body uncompressed; the caller releases its length in `held`.

    Raises:
        RefusedError: if it is no gzip, becomes too large, or there is no room for it.
    """
    found, is_whole = bytearray(), False
    try:
        for piece in _uncompressed(body):
            if len(found) + len(piece) > limits.body_bytes:
                raise RefusedError(body_too_large(limits))
            held.take(len(piece))
            found += piece
        is_whole = True
        return bytes(found)
    finally:
        if not is_whole:
            held.release(len(found))


def _uncompressed(body: bytes) -> Iterator[bytes]:
    """Yield a gzip body uncompressed, in pieces.

    Raises:
        RefusedError: if it is no gzip, or has too many members.
    """
    member, members, is_between = _member(), 0, True
    for start in range(0, len(body), _PIECE_BYTES):
        rest = body[start : start + _PIECE_BYTES]
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
