"""Requests that came before, by their bytes: the same bytes ask the same, and need no reading."""

from typing import Any, NamedTuple

from .reading import Request

MOST_BYTES = 4 * 2**20
_LARGEST = 4096
_ENTRY_BYTES = 2048
"""What an entry takes beside the bytes and the texts in its environ, roughly."""


class Known(NamedTuple):
    """What the bytes of one request are; `asked` is what kept answers look it up by.

    All requests of the same bytes share its environ: nobody may change that.
    """

    request: Request
    asked: Any


class KnownRequests:
    """Whole requests by their bytes; the oldest go where there is too much."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}
        self._bytes = 0
        self.get = self._known.get

    def add(self, data: bytes, known: Known) -> None:
        """Keep one, unless it is unusually large."""
        if len(data) > _LARGEST:
            return
        if data not in self._known:
            self._bytes += _size(data)
        self._known[data] = known
        while self._bytes > MOST_BYTES:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._bytes -= _size(oldest)


def _size(data: bytes) -> int:
    return _ENTRY_BYTES + 3 * len(data)
