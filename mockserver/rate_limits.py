"""Counts requests in fixed windows and tells each caller the state of its window."""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from limits import RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from .errors import ApiError
from .settings import RatePolicy
from .shared_numbers import SLOTS, SharedLock, SharedWindows, window_key


class Caller(NamedTuple):
    """Whose window a request counts in: `kind` keeps keys and addresses apart.

    Every session has windows of its own, since its clock may be another one; a reset begins them
    anew, for a frozen clock would never end them.
    """

    session: str
    kind: str
    name: str


class Window(NamedTuple):
    """The state of one caller's window just after a request was counted."""

    limit: int
    remaining: int
    reset_s: int
    is_refused: bool

    @property
    def header_items(self) -> tuple[tuple[str, str], ...]:
        """The documented response headers."""
        return (
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.reset_s)),
        )


class RateLimits:
    """Counts for each caller; a window begins with the first request after the last one ended.

    Only if it `is_enforced` a request beyond the limit is to be refused.
    """

    def __init__(
        self, policy: RatePolicy, lock: SharedLock | None = None, *, is_enforced: bool = False
    ) -> None:
        self._is_enforced = is_enforced
        lock = lock or SharedLock()
        self._policy = policy
        self._item = _Item(policy.limit, policy.window_s)
        self._windows = SharedWindows(lock, policy.window_s)
        self._storage = _Windows(self._windows)
        self._limiter = FixedWindowRateLimiter(self._storage)

    def count(self, moment: datetime, caller: Caller, speed: float = 1) -> Window:
        """Count one request of a caller at a time of the session, whose clock has a speed."""
        here = self._storage.here
        here.moment = moment.timestamp()
        is_beyond = not self._limiter.hit(self._item, *caller)
        return self._window(is_beyond, here.moment, *here.counted, speed)

    def meter(self, caller: Caller, speed: float) -> Callable[[datetime], Window]:
        """Give what counts one caller's requests as `count` does, with its names looked up once."""
        key, limit = window_key(self._item.key_for(*caller)), self._policy.limit

        def count(moment: datetime) -> Window:
            now = moment.timestamp()
            counted, end = self._windows.add(key, now)
            return self._window(counted > limit, now, counted, end, speed)

        return count

    def _window(
        self, is_beyond: bool, now: float, counted: int, end: float, speed: float
    ) -> Window:
        """Give the state of a window; callers wait in the machine's seconds, unless time stands."""
        limit = self._policy.limit
        left = limit - counted
        reset_s = ceil((end - now) / speed) if speed else ceil(end - now)
        return Window(limit, left if left > 0 else 0, reset_s, is_beyond and self._is_enforced)

    def refusal(self, window: Window) -> ApiError:
        """Give the documented 429 for a window."""
        period = "minute" if self._policy.window_s == 60 else f"{self._policy.window_s} seconds"
        wait_s = max(1, window.reset_s)
        return ApiError(
            "RATE_LIMITED",
            f"Rate limit exceeded. Maximum {window.limit} requests per {period} allowed.",
            f"Wait {wait_s} seconds, then try again",
            more={"retryAfterSeconds": wait_s},
            headers={"Retry-After": str(wait_s)},
        )


class _Item(RateLimitItemPerSecond):
    """The library's limit, which writes the same names anew for each request."""

    @lru_cache(maxsize=SLOTS)  # noqa: B019 - one item lives as long as the server
    def key_for(self, *identifiers: str) -> str:
        return super().key_for(*identifiers)


class _Here(threading.local):
    """What one thread is counting: the time it is, and what the last count gave."""

    moment: float = 0.0
    counted: tuple[int, float] = (0, 0.0)


class _Windows(Storage):
    """The library's storage over counts that all workers share, at a time told from outside.

    The library's own memory storage asks the machine's clock and starts a thread at each hit.
    """

    def __init__(self, windows: SharedWindows) -> None:
        super().__init__()
        self.here = _Here()
        self._windows = windows

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.here.counted = self._windows.add(window_key(key), self.here.moment, amount)
        return self.here.counted[0]

    def get(self, key: str) -> int:
        return self._windows.state(window_key(key), self.here.moment)[0]

    def get_expiry(self, key: str) -> float:
        return self._windows.state(window_key(key), self.here.moment)[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        return None  # windows end by themselves

    def clear(self, key: str) -> None:
        self._windows.clear(window_key(key))
