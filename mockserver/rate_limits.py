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

SWEEP_ABOVE = 1024
"""How many windows are kept before the ended ones are thrown away."""


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

    def __init__(self, policy: RatePolicy) -> None:
        self._policy = policy
        self._item = RateLimitItemPerSecond(policy.limit, policy.window_s)
        self._storage = _Windows(policy.window_s)
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._lock = threading.Lock()

    def count(self, moment: datetime, session: str, kind: str, caller: str) -> Window:
        """Count one request of a caller at a time of the session.

        Every session has windows of its own, since its clock may be another one; `kind` keeps
        keys and addresses apart.
        """
        names = session, kind, caller
        with self._lock:  # count and state belong to one moment
            now = self._storage.moment = moment.timestamp()
            is_allowed = self._limiter.hit(self._item, *names)
            state = self._limiter.get_window_stats(self._item, *names)
        return Window(
            limit=self._policy.limit,
            remaining=state.remaining,
            reset_s=max(0, ceil(state.reset_time - now)),
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


class _Windows(Storage):
    """The counts in memory, at a moment that is told from outside.

    The library's own memory storage asks the machine's clock and starts a thread at each hit.
    """

    def __init__(self, window_s: int) -> None:
        super().__init__()
        self.moment = 0.0
        self._window_s = window_s
        self._counts: dict[str, tuple[int, float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count, end = self._live(key) or (0, self.moment + expiry)
        if not count:
            self._sweep()
        self._counts[key] = (count + amount, end)
        return count + amount

    def get(self, key: str) -> int:
        live = self._live(key)
        return live[0] if live else 0

    def get_expiry(self, key: str) -> float:
        live = self._live(key)
        return live[1] if live else self.moment

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        cleared = len(self._counts)
        self._counts.clear()
        return cleared

    def clear(self, key: str) -> None:
        self._counts.pop(key, None)

    def _live(self, key: str) -> tuple[int, float] | None:
        found = self._counts.get(key)
        if not found or found[1] <= self.moment:
            return None
        return found if found[1] - self.moment <= self._window_s else None  # the clock went back

    def _sweep(self) -> None:
        if len(self._counts) >= SWEEP_ABOVE:
            self._counts = {
                key: window for key, window in self._counts.items() if window[1] > self.moment
            }
