"""Numbers that every worker of one server sees; those of several live in memory a fork shares."""

import hashlib
import itertools
import mmap
import os
import struct
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

if sys.platform != "win32":
    import fcntl

SLOTS = 4096
"""How many windows are counted at once; a new one takes the place of one that ends soon."""

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
        self._numbers = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")

    @property
    def value(self) -> int:
        """The number; reading it costs no system call and no lock."""
        return self._numbers[0]

    def next(self) -> int:
        """Raise it by one and give it."""
        with self._lock:
            number = self._numbers[0] + 1
            self._numbers[0] = number
        return number

    def raise_to(self, number: int) -> None:
        """Set it, unless it is higher already."""
        with self._lock:
            if number > self._numbers[0]:
                self._numbers[0] = number


class Windows(Protocol):
    """Counts of fixed windows by name; times are seconds since 1970 of any clock."""

    def add(self, name: str, moment: float) -> tuple[int, float]:
        """Count one and give how many there are now, and when the window ends."""

    def clear(self, name: str) -> None:
        """Forget one window."""


def make_windows(workers: int, lock: Lock, window_s: int) -> Windows:
    """Give windows that so many processes see."""
    return SharedWindows(lock, window_s) if workers > 1 else OwnWindows(window_s)


# A request may come to the count behind one that was told a later time: then the end of the window
# is further away than its length. What lies beyond twice that is a clock that was set back.
_LONGEST = 2


class OwnWindows:
    """Windows of one process; counters step under the interpreter's lock and need no other."""

    def __init__(self, window_s: int) -> None:
        self._window_s = window_s
        self._longest_s = _LONGEST * window_s
        self._windows: dict[str, tuple[float, Callable[[], int]]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, moment: float) -> tuple[int, float]:
        """Count one and give how many there are now, and when the window ends."""
        window = self._windows.get(name)
        if window is None or not 0 < window[0] - moment <= self._longest_s:
            window = self._begun(name, moment)
        end, count = window
        latest = moment + self._window_s
        return count(), end if end < latest else latest

    def _begun(self, name: str, moment: float) -> tuple[float, Callable[[], int]]:
        """Give the window that begins now, whichever thread was the first to see that."""
        with self._lock:
            window = self._windows.get(name)
            if window is None or not 0 < window[0] - moment <= self._longest_s:
                self._windows.pop(name, None)
                if len(self._windows) >= SLOTS:
                    self._make_room()
                window = (moment + self._window_s, itertools.count(1).__next__)
                self._windows[name] = window
            return window

    def _make_room(self) -> None:
        """Forget a quarter of the windows: those that are over or end first."""
        first = sorted(self._windows, key=lambda name: self._windows[name][0])
        for name in first[: SLOTS // 4]:
            del self._windows[name]

    def clear(self, name: str) -> None:
        """Forget one window."""
        with self._lock:
            self._windows.pop(name, None)


class SharedWindows:
    """Windows that all processes see which were forked from the one that made them."""

    def __init__(self, lock: Lock, window_s: int) -> None:
        self._lock = lock
        self._window_s = window_s
        self._longest_s = _LONGEST * window_s
        self._memory = mmap.mmap(-1, _WINDOW.size * SLOTS)

    def add(self, name: str, moment: float) -> tuple[int, float]:
        """Count one and give how many there are now, and when the window ends."""
        key, offset = _key_of(name)
        memory = self._memory
        with self._lock:
            held, end, count = _WINDOW.unpack_from(memory, offset)
            if held != key:
                offset = self._place(key, offset)
                held, end, count = _WINDOW.unpack_from(memory, offset)
            if held != key or not 0 < end - moment <= self._longest_s:
                end, count = moment + self._window_s, 0
            count += 1
            _WINDOW.pack_into(memory, offset, key, end, count)
        latest: float = moment + self._window_s
        return count, end if end < latest else latest

    def clear(self, name: str) -> None:
        """Forget one window."""
        key, offset = _key_of(name)
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


@lru_cache(maxsize=SLOTS)
def _key_of(name: str) -> tuple[bytes, int]:
    """Give what a window is found by: a hash of its name, and where the search begins."""
    key = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest()
    return key, int.from_bytes(key[:4], "little") % SLOTS * _WINDOW.size
