"""Counts requests in fixed windows and tells each caller the state of its window."""

import threading
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from limits import RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from .errors import ApiError
from .settings import RatePolicy
from .shared_numbers import SharedLock, SharedWindows


@dataclass(frozen=True, slots=True)
class Window:
    """The state of one caller's window just after a request was counted."""

    limit: int
    remaining: int
    reset_s: int
    is_exceeded: bool

    @property
    def headers(self) -> dict[str, str]:
        """The documented response headers."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


class RateLimits:
    """Counts for each caller; a window begins with the first request after the last one ended."""

    def __init__(self, policy: RatePolicy, lock: SharedLock) -> None:
        self._policy = policy
        self._item = RateLimitItemPerSecond(policy.limit, policy.window_s)
        self._storage = _Windows(SharedWindows(lock, policy.window_s))
        self._limiter = FixedWindowRateLimiter(self._storage)

    def count(self, moment: datetime, session: str, kind: str, caller: str) -> Window:
        """Count one request of a caller at a time of the session.

        Every session has windows of its own, since its clock may be another one; `kind` keeps
        keys and addresses apart.
        """
        now = self._storage.here.moment = moment.timestamp()
        is_allowed = self._limiter.hit(self._item, session, kind, caller)
        counted, end = self._storage.here.counted
        limit = self._policy.limit
        return Window(
            limit=limit,
            remaining=max(0, limit - counted),
            reset_s=max(0, ceil(end - now)),
            is_exceeded=not is_allowed,
        )

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
        self.here.counted = self._windows.add(key, self.here.moment, amount)
        return self.here.counted[0]

    def get(self, key: str) -> int:
        return self._windows.state(key, self.here.moment)[0]

    def get_expiry(self, key: str) -> float:
        return self._windows.state(key, self.here.moment)[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        return None  # windows end by themselves

    def clear(self, key: str) -> None:
        self._windows.clear(key)
