"""Numbers that every worker of one server sees: they live in memory that a fork shares."""

import hashlib
import mmap
import os
import struct
import sys
import tempfile
import threading
import weakref
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

if sys.platform != "win32":
    import fcntl

SLOTS = 4096
"""How many windows are counted at once; a new one takes the place of one that ends soon."""

_NUMBER = struct.Struct("<q")
_WINDOW = struct.Struct("<16sdq")
_PROBES = 8


class Lock(Protocol):
    """What is held while shared numbers change."""

    def __enter__(self) -> object:
        """Wait for the lock and take it."""

    def __exit__(self, *failure: Any) -> None:
        """Give it back."""


class LockBetweenProcesses:
    """Keeps threads and workers apart; make it before they are forked.

    It is a lock on a file without a name, which the system takes back from a process that is
    killed.
    """

    def __init__(self) -> None:
        self._threads = threading.Lock()
        self._file, name = tempfile.mkstemp(prefix="deadringer-")
        Path(name).unlink()
        weakref.finalize(self, os.close, self._file)

    def __enter__(self) -> None:
        self._threads.acquire()
        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_failure: object) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        self._threads.release()


def make_lock(workers: int) -> Lock:
    """Give a lock for so many processes; that of one costs next to nothing."""
    return LockBetweenProcesses() if workers > 1 else threading.Lock()


class SharedNumber:
    """A number that only rises."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._memory = mmap.mmap(-1, _NUMBER.size)

    @property
    def value(self) -> int:
        """The number; reading it costs no system call and no lock."""
        found: int = _NUMBER.unpack_from(self._memory)[0]
        return found

    def next(self) -> int:
        """Raise it by one and give it."""
        with self._lock:
            number = self.value + 1
            _NUMBER.pack_into(self._memory, 0, number)
        return number

    def raise_to(self, number: int) -> None:
        """Set it, unless it is higher already."""
        with self._lock:
            if number > self.value:
                _NUMBER.pack_into(self._memory, 0, number)


class SharedWindows:
    """Counts of fixed windows by name; times are seconds since 1970 of any clock."""

    def __init__(self, lock: Lock, window_s: int) -> None:
        self._lock = lock
        self._window_s = window_s
        # A request may come to the count behind one that was told a later time. What lies beyond
        # that is a clock that was set back.
        self._longest_s = 2 * window_s
        self._memory = mmap.mmap(-1, _WINDOW.size * SLOTS)

    def add(self, key_of_name: "WindowKey", moment: float, amount: int = 1) -> tuple[int, float]:
        """Count and give how many there are now, and when the window ends."""
        key, offset = key_of_name
        memory = self._memory
        with self._lock:
            held, end, count = _WINDOW.unpack_from(memory, offset)
            if held != key:
                offset = self._place(key, offset)
                held, end, count = _WINDOW.unpack_from(memory, offset)
            if held != key or not 0 < end - moment <= self._longest_s:
                end, count = moment + self._window_s, 0
            count += amount
            _WINDOW.pack_into(memory, offset, key, end, count)
        latest: float = moment + self._window_s
        return count, end if end < latest else latest

    def state(self, key_of_name: "WindowKey", moment: float) -> tuple[int, float]:
        """Give how many were counted and when the window ends, (0, moment) if it is over."""
        key, offset = key_of_name
        with self._lock:
            held, end, count = _WINDOW.unpack_from(self._memory, self._place(key, offset))
        is_live = held == key and 0 < end - moment <= self._longest_s
        return (count, end) if is_live else (0, moment)

    def clear(self, key_of_name: "WindowKey") -> None:
        """Forget one window."""
        key, offset = key_of_name
        with self._lock:
            offset = self._place(key, offset)
            if _WINDOW.unpack_from(self._memory, offset)[0] == key:
                _WINDOW.pack_into(self._memory, offset, key, 0.0, 0)

    def _place(self, key: bytes, first: int) -> int:
        """Give where a name stands or may stand: its own slot, a free one, or the first to end."""
        best, best_end = first, float("inf")
        for probe in range(_PROBES):
            offset = (first + probe * _WINDOW.size) % (SLOTS * _WINDOW.size)
            held, end, _count = _WINDOW.unpack_from(self._memory, offset)
            if held == key:
                return offset
            if end < best_end:
                best, best_end = offset, end
        return best


class WindowKey(NamedTuple):
    """What a window is found by: a hash of its name, and the slot where the search begins."""

    key: bytes
    offset: int


@lru_cache(maxsize=SLOTS)
def window_key(name: str) -> WindowKey:
    """Give what the window of a name is found by."""
    key = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest()
    return WindowKey(key, int.from_bytes(key[:4], "little") % SLOTS * _WINDOW.size)
