"""Fixed windows of requests: how large one is, whose it is, and how many requests are in it."""

import itertools
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

MOST_WINDOWS = 4096
"""How many windows are counted at once; a new one takes the place of one that ends soon."""
# A request may be counted after one with a later time: then the end of its window is further away
# than the length of a window. What lies beyond twice that is a clock that was set back.
_LONGEST = 2


class RatePolicy(NamedTuple):
    """How many requests one key may make in a window; written `100/60`."""

    limit: int = 100
    window_s: int = 60


class Caller(NamedTuple):
    """Whose window a request counts in: `kind` keeps keys and addresses apart.

    Every session has windows of its own, since its clock may be another one; a reset begins them
    anew, for a frozen clock would never end them.
    """

    session: str
    kind: str
    name: str

    @property
    def window_name(self) -> str:
        """What the caller's window is called; only the last part may hold a slash."""
        return f"{self.session}/{self.kind}/{self.name}"


class Windows(Protocol):
    """Counts of fixed windows by name; times are seconds since 1970 of any clock."""

    may_wait: bool
    """Whether `add` may wait for another machine, so that no event loop may call it."""

    def add(self, name: str, moment: float) -> tuple[int, float]:
        """Count one request; return how many the window has now, and when it ends."""

    def clear(self, name: str) -> None:
        """Forget one window."""

    def close(self) -> None:
        """Release what is held."""


class RateWindows:
    """Counts of fixed windows by name; times are seconds since 1970 of any clock.

    Counters step under the interpreter's lock and need no other. Memory is bounded by
    `MOST_WINDOWS`, however many callers come.
    """

    may_wait = False

    def __init__(self, window_s: int) -> None:
        self._window_s = window_s
        self._longest_s = _LONGEST * window_s
        self._windows: dict[str, tuple[float, Callable[[], int]]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, moment: float) -> tuple[int, float]:
        """Count one request; return how many the window has now, and when it ends."""
        window = self._windows.get(name)
        if window is None or not 0 < window[0] - moment <= self._longest_s:
            window = self._begun(name, moment)
        end, count = window
        latest = moment + self._window_s
        return count(), end if end < latest else latest

    def clear(self, name: str) -> None:
        """Forget one window."""
        with self._lock:
            self._windows.pop(name, None)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _begun(self, name: str, moment: float) -> tuple[float, Callable[[], int]]:
        """Return the window that begins now, whichever thread was the first to see that."""
        with self._lock:
            window = self._windows.get(name)
            if window is None or not 0 < window[0] - moment <= self._longest_s:
                self._windows.pop(name, None)
                if len(self._windows) >= MOST_WINDOWS:
                    self._make_room()
                window = (moment + self._window_s, itertools.count(1).__next__)
                self._windows[name] = window
            return window

    def _make_room(self) -> None:
        """Forget a quarter of the windows: those that are over or end first."""
        first = sorted(self._windows, key=lambda name: self._windows[name][0])
        for name in first[: MOST_WINDOWS // 4]:
            del self._windows[name]
