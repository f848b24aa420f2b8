"""The RateLimit headers of one key's responses, in the order they arrived."""

from collections.abc import Iterator

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.rules import Scope

from .subjects import Part

STEADY_REQUESTS = 10
"""So many responses of one window are validated together."""
AROUND_THE_END_S = 2.0
"""A window may end so long before or after the moment that its first response names."""
MOST_IN_WINDOW = 1000
"""So many responses of one window are retained."""


class RateSeries:
    """The responses to one key; `has_windows` is whether whole windows are validated too.

    Without `is_alone`, others may use the key: what a count must be after the end of a window is
    then not known, and not tested.
    """

    def __init__(self, *, has_windows: bool = True, is_alone: bool = False) -> None:
        self._has_windows = has_windows
        self._is_alone = is_alone
        self._last: Exchange | None = None
        self._window: list[Exchange] = []
        self._around_the_end: list[Exchange] = []

    def parts(self, exchange: Exchange) -> Iterator[Part]:
        """Yield what the next exchange can be tested on, together with earlier ones."""
        if exchange.failure is not None:
            return
        if self._last is not None:
            yield Scope.EXCHANGES, (self._last, exchange), ""
        self._last = exchange
        if self._has_windows:
            yield from self._of_window(exchange)

    def _of_window(self, exchange: Exchange) -> Iterator[Part]:
        """Yield what the headers of responses that are not neighbours are tested on."""
        window, around = self._window, self._around_the_end
        after_s = _seconds_after_the_end(window, exchange)
        if after_s > AROUND_THE_END_S:
            if self._is_alone and around and len(window) > 1:
                yield Scope.WINDOW, ([window[0], window[-1], *around, exchange],), ""
            window.clear()
            around.clear()
        elif after_s > -1:
            around.append(exchange)
            del around[MOST_IN_WINDOW:]
            return
        if len(window) > 1:
            # The first of the window shows drifts that are too small between two neighbours.
            yield Scope.EXCHANGES, (window[0], exchange), ""
        window.append(exchange)
        if len(window) % STEADY_REQUESTS == 0:
            yield Scope.WINDOW, (window[-STEADY_REQUESTS:],), ""
        if len(window) > MOST_IN_WINDOW:
            del window[1 : MOST_IN_WINDOW // 2]


def _seconds_after_the_end(window: list[Exchange], exchange: Exchange) -> float:
    """Return how long after the end of a window an exchange was sent, as its first one named it."""
    if not window:
        return -AROUND_THE_END_S
    first = window[0]
    try:
        reset_s = float(first.response_headers.get("ratelimit-reset", ""))
    except ValueError:
        return AROUND_THE_END_S + 1
    return exchange.sent_at_s - (first.sent_at_s + reset_s)
