"""Follow the server's rate limit: one window for each credential, read from responses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from deadringer.contracts.exchanges import Exchange

LONGEST_WAIT_S = 120.0
WAIT_WITHOUT_HINT_S = 60.0
SPARE_REQUESTS = 1  # for other users of the same key
STUCK_AFTER = 2


@dataclass(slots=True)
class _KeyWindow:
    remaining: int
    resets_at_s: float


@dataclass(slots=True)
class RateLimiter:
    """Wait before a request that would exceed the window, and after a 429.

    `now_s` and `sleep` are the clock; `log` receives the reason of each wait.
    """

    now_s: Callable[[], float]
    sleep: Callable[[float], None]
    log: Callable[[str], None]
    limit: int | None = None
    waited_s: float = 0.0
    _windows: dict[str, _KeyWindow] = field(default_factory=dict)
    _fruitless_waits: int = 0

    def left(self, credential: str) -> int | None:
        """Return how many requests the window still allows, or None if that is not known."""
        window = self._windows.get(credential)
        if window is None or self.now_s() >= window.resets_at_s or self._is_stuck:
            return None
        return max(0, window.remaining - SPARE_REQUESTS)

    def resets_in_s(self, credential: str) -> float:
        """Return the seconds until the window ends, 0 if that is not known."""
        window = self._windows.get(credential)
        return max(0.0, window.resets_at_s - self.now_s()) if window else 0.0

    def before(self, credential: str) -> None:
        """Wait for the next window if this one is used up."""
        if self.left(credential) == 0:
            self._wait(self._windows[credential].resets_at_s - self.now_s(), "the rate limit")
            self._fruitless_waits += 1
            self._windows.pop(credential, None)

    def after(self, credential: str, exchange: Exchange) -> None:
        """Update the window from the response's RateLimit headers."""
        remaining = _number(exchange.response_headers, "ratelimit-remaining")
        reset_s = _number(exchange.response_headers, "ratelimit-reset")
        limit = _number(exchange.response_headers, "ratelimit-limit")
        self.limit = limit if limit is not None and limit > 0 else self.limit
        if remaining is None or reset_s is None or reset_s > LONGEST_WAIT_S:
            return
        if remaining > SPARE_REQUESTS:
            self._fruitless_waits = 0
        self._windows[credential] = _KeyWindow(remaining, self.now_s() + max(reset_s, 0))

    def after_429(self, exchange: Exchange) -> None:
        """Wait for the time that a 429 specifies."""
        hint_s = wait_hint_s(exchange)
        self._wait(WAIT_WITHOUT_HINT_S if hint_s is None else hint_s, "a 429 response")

    @property
    def _is_stuck(self) -> bool:
        # A server that reports an empty window after every wait is wrong; obey only 429.
        return self._fruitless_waits >= STUCK_AFTER

    def _wait(self, seconds: float, why: str) -> None:
        seconds = min(max(seconds, 0.0) + 0.1, LONGEST_WAIT_S)
        self.sleep(seconds)
        self.log(f"waited {seconds:.0f} s for {why}")
        self.waited_s += seconds


def wait_hint_s(exchange: Exchange) -> float | None:
    """Return the seconds to wait after a 429, at most LONGEST_WAIT_S; None if nothing states them.

    Reads Retry-After (seconds or a date), RateLimit-Reset, then `error.retryAfterSeconds`.
    """
    headers = exchange.response_headers
    body = exchange.body
    error = body.get("error") if isinstance(body, dict) else None
    in_body = error.get("retryAfterSeconds") if isinstance(error, dict) else None
    hints = (
        _number(headers, "retry-after"),
        _seconds_to_date(headers),
        _number(headers, "ratelimit-reset"),
        in_body,
    )
    numbers = (one for one in hints if isinstance(one, int | float) and not isinstance(one, bool))
    # The bound comes before the conversion: a float cannot hold every integer of a body.
    return next((float(min(one, LONGEST_WAIT_S)) for one in numbers if one >= 0), None)


def _seconds_to_date(headers: Mapping[str, str]) -> float | None:
    """Return the seconds from the response's Date, or else from now, to the date in Retry-After."""
    ends_at = _date(headers.get("retry-after", ""))
    if ends_at is None:
        return None
    sent_at = _date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (ends_at - sent_at).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    try:
        return int(float(headers.get(name, "")))
    except (ValueError, OverflowError):
        return None
