"""Counts requests in fixed windows and returns the state of each caller's window."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.server.heads import header_lines

from .rate_windows import Caller, RatePolicy, RateWindows, Windows

if TYPE_CHECKING:
    from .clock import VirtualClock
    from .enforced_limits import EnforcedLimit


HeaderItems = tuple[tuple[str, str], ...]


@dataclass
class RateWindow:
    """The state of one caller's window just after a request was counted."""

    limit: int
    remaining: int
    reset_s: int
    is_refused: bool

    @property
    def header_items(self) -> HeaderItems:
        """The documented response headers."""
        return (
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.reset_s)),
        )

    @cached_property
    def lines(self) -> bytes:
        """The documented response headers as they are sent."""
        return header_lines(self.header_items)


def _enforced(policy: RatePolicy, windows: Windows) -> "EnforcedLimit":
    from .enforced_limits import EnforcedLimit  # where nothing is refused, no start waits for it

    return EnforcedLimit(policy, windows)


Meter = Callable[[datetime], RateWindow]
"""Counts a request at a time of the machine."""


class RateLimits:
    """Counts for each caller; a window begins with the first request after the last one ended.

    Only if it `is_enforced` a request beyond the limit is to be refused.
    """

    def __init__(
        self, policy: RatePolicy, windows: Windows | None = None, *, is_enforced: bool = False
    ) -> None:
        self._policy = policy
        self._windows = windows or RateWindows(policy.window_s)
        self._enforced = _enforced(policy, self._windows) if is_enforced else None

    @property
    def may_wait(self) -> bool:
        """Whether counting may wait for another machine, so that no event loop may do it."""
        return self._windows.may_wait

    def count(self, moment: datetime, caller: Caller, speed: float = 1) -> RateWindow:
        """Count one request of a caller at a time of the session, whose clock has a speed."""
        now, is_beyond = moment.timestamp(), False
        if self._enforced:
            is_beyond, counted, end = self._enforced.hit(caller, now)
        else:
            counted, end = self._windows.add(caller.window_name, now)
        return self._window(now, counted, end, speed, is_refused=is_beyond)

    def meter(self, caller: Caller, clock: "VirtualClock") -> "Meter":
        """Return a function that counts one caller's requests as `count` does, only faster."""
        name, limit = caller.window_name, self._policy.limit
        add, is_enforced = self._windows.add, self._enforced is not None
        at, real = None if clock.is_the_machines else clock.at, clock.speed or 1
        message = (-1, -1, RateWindow(limit, 0, 0, is_refused=False))

        def count(moment: datetime) -> RateWindow:
            nonlocal message
            now = (at(moment) if at else moment).timestamp()
            counted, end = add(name, now)
            left = limit - counted
            if left < 0:
                left = -1
            reset_s = ceil((end - now) / real)
            told_left, told_reset_s, window = message
            if left == told_left and reset_s == told_reset_s:  # as it is beyond the limit
                return window
            window = RateWindow(limit, max(left, 0), reset_s, is_enforced and left < 0)
            message = (left, reset_s, window)
            return window

        return count

    def _window(
        self, now: float, counted: int, end: float, speed: float, *, is_refused: bool
    ) -> RateWindow:
        """Return the state of a window; its reset is in the machine's seconds."""
        limit = self._policy.limit
        left = limit - counted
        reset_s = ceil((end - now) / speed) if speed else ceil(end - now)
        return RateWindow(limit, left if left > 0 else 0, reset_s, is_refused)

    def refusal(self, window: RateWindow) -> ApiError:
        """Return the documented 429 for a window."""
        period = "minute" if self._policy.window_s == 60 else f"{self._policy.window_s} seconds"
        wait_s = max(1, window.reset_s)
        return ApiError(
            "RATE_LIMITED",
            f"Rate limit exceeded. Maximum {window.limit} requests per {period} allowed.",
            f"Wait {wait_s} seconds, then try again",
            more={"retryAfterSeconds": wait_s},
            headers={"Retry-After": str(wait_s)},
        )
