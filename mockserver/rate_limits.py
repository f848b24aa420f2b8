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
from .shared_numbers import SLOTS, Lock, SharedWindows, window_key
from .written_settings import RatePolicy


class Caller(NamedTuple):
    """Whose window a request counts in: `kind` keeps keys and addresses apart.

    Every session has windows of its own, since its clock may be another one; a reset begins them
    anew, for a frozen clock would never end them.
    """

    session: str
    kind: str
    name: str


HeaderItems = tuple[tuple[str, str], ...]


@lru_cache(maxsize=SLOTS)
def header_items(limit: int, remaining: int, reset_s: int) -> HeaderItems:
    """Give the documented response headers of a window."""
    return (
        ("RateLimit-Limit", str(limit)),
        ("RateLimit-Remaining", str(remaining)),
        ("RateLimit-Reset", str(reset_s)),
    )


class Window(NamedTuple):
    """The state of one caller's window just after a request was counted."""

    limit: int
    remaining: int
    reset_s: int
    is_refused: bool

    @property
    def header_items(self) -> HeaderItems:
        """The documented response headers."""
        return header_items(self.limit, self.remaining, self.reset_s)


Meter = Callable[[datetime], tuple[Window | None, HeaderItems]]
"""Counts a request: gives the window if that is to be refused, and else what its answer tells."""


class RateLimits:
    """Counts for each caller; a window begins with the first request after the last one ended.

    Only if it `is_enforced` a request beyond the limit is to be refused.
    """

    def __init__(
        self, policy: RatePolicy, lock: Lock | None = None, *, is_enforced: bool = False
    ) -> None:
        self._is_enforced = is_enforced
        lock = lock or threading.Lock()
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

    def meter(self, caller: Caller, speed: float) -> "Meter":
        """Give what counts one caller's requests as `count` does, with its names looked up once."""
        key, limit = window_key(self._item.key_for(*caller)), self._policy.limit
        add, is_enforced = self._windows.add, self._is_enforced
        real = speed or 1

        def count(moment: datetime) -> tuple[Window | None, HeaderItems]:
            now = moment.timestamp()
            counted, end = add(key, now)
            if is_enforced and counted > limit:
                return self._window(True, now, counted, end, speed), ()
            left = limit - counted
            return None, header_items(limit, left if left > 0 else 0, ceil((end - now) / real))

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
