"""Limits that refuse: the library `limits` decides, over our windows.

A module of its own, so that a start that refuses nothing does not load the library.
"""

import threading
from functools import lru_cache

from limits import RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from .rate_windows import MOST_WINDOWS, Caller, RatePolicy, Windows


class EnforcedLimit:
    """Decides which requests are beyond the limit."""

    def __init__(self, policy: RatePolicy, windows: Windows) -> None:
        self._item = _Item(policy.limit, policy.window_s)
        self._storage = _Counts(windows)
        self._limiter = FixedWindowRateLimiter(self._storage)

    def hit(self, caller: "Caller", now: float) -> tuple[bool, int, float]:
        """Count one request; return if it is beyond, how many there are, when the window ends."""
        here = self._storage.here
        here.name, here.now = caller.window_name, now
        is_within = self._limiter.hit(self._item, *caller)
        return not is_within, *here.counted


class _Item(RateLimitItemPerSecond):
    """The library's limit, which writes the same names anew for each request."""

    @lru_cache(maxsize=MOST_WINDOWS)  # noqa: B019 - one item lives as long as the server
    def key_for(self, *identifiers: str) -> str:
        return super().key_for(*identifiers)


class _Here(threading.local):
    """What one thread is counting: whose window, at which time, and the result of its count."""

    name: str = ""
    now: float = 0.0
    counted: tuple[int, float] = (0, 0.0)


class _Counts(Storage):
    """The library's storage over our windows, at a time that is an argument.

    The library's own memory storage reads the machine's clock and starts a thread at each hit.
    """

    def __init__(self, windows: Windows) -> None:
        super().__init__()
        self.here = _Here()
        self._windows = windows

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.here.counted = self._windows.add(self.here.name, self.here.now)
        return self.here.counted[0]

    def get(self, key: str) -> int:
        return self.here.counted[0]

    def get_expiry(self, key: str) -> float:
        return self.here.counted[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        return None  # windows end by themselves

    def clear(self, key: str) -> None:
        self._windows.clear(self.here.name)
