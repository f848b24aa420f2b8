"""Rate windows that all replicas share: exact by one question a request, or a little behind."""

import threading
import time
from hashlib import blake2b

from deadringer.mockserver.errors import ApiError

from .rate_windows import MOST_WINDOWS
from .redis_connection import RedisConnection

LAG_S = 0.1
"""How far the counts of other replicas may be behind where nothing is refused."""
_IDLE_S = 10.0
"""A window that was not used for so long is no longer compared with those of other replicas."""
_STORED_S = 86_400
"""The least time that a window is stored: with a clock that stands, only a reset ends it."""
_COUNT = """
local name, moment, window, stored, begun_end, more = unpack(ARGV)
local key = KEYS[1] .. name
local end_s, count = unpack(redis.call('HMGET', key, 'end', 'count'))
local left = end_s and tonumber(end_s) - tonumber(moment) or 0
if not (left > 0 and left <= 2 * window) then
    end_s = begun_end
    redis.call('HSET', key, 'end', end_s, 'count', 0)
    redis.call('EXPIRE', key, stored)
end
return {redis.call('HINCRBY', key, 'count', more), end_s}
"""
"""Count requests in a window; one that is over, or too far in the future, begins anew."""


class SharedWindows:
    """Windows on the server, exact over all replicas; each request is one question to it.

    Raises:
        StateUnreachableError: from `add` and `clear`, if the server cannot be asked.
    """

    may_wait = True

    def __init__(self, connection: RedisConnection, window_s: int) -> None:
        self._connection = connection
        self._window_s = window_s
        self._stored_s = max(_STORED_S, 2 * window_s)
        self._count = connection.script(_COUNT, "window:")

    def add(self, name: str, moment: float) -> tuple[int, float]:
        """Count one request; return how many the window has now, and when it ends."""
        latest = moment + self._window_s
        count, end = self.add_many(name, moment, latest, 1)
        return count, min(end, latest)

    def add_many(self, name: str, moment: float, end: float, more: int) -> tuple[int, float]:
        """Count requests in a window, which ends at `end` if it begins with them."""
        count, stored = self._count.run(
            _hidden(name), repr(moment), self._window_s, self._stored_s, repr(end), more
        )
        return int(count), float(stored)

    def clear(self, name: str) -> None:
        """Forget one window."""
        with self._connection.asking() as client:
            client.unlink(self._connection.key(f"window:{_hidden(name)}"))

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _hidden(name: str) -> str:
    """Return what stands for a name, which holds the key of a caller."""
    return blake2b(name.encode(), digest_size=16).hexdigest()


class _ComparedWindow:
    """A window as this replica sees it: its own requests, and those it last heard of."""

    __slots__ = ("end", "moment", "others", "own", "sent", "used_s")

    def __init__(self, moment: float, end: float) -> None:
        self.moment, self.end = moment, end
        self.own = self.sent = self.others = 0
        self.used_s = 0.0


class LaggingWindows:
    """Windows in memory, compared with those of other replicas every `LAG_S` by a thread."""

    may_wait = False

    def __init__(self, connection: RedisConnection, window_s: int) -> None:
        self._shared = SharedWindows(connection, window_s)
        self._window_s = window_s
        self._windows: dict[str, _ComparedWindow] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._compare, name="rate windows", daemon=True)
        self._thread.start()

    def add(self, name: str, moment: float) -> tuple[int, float]:
        """Count one request; return how many the window has now, and when it ends."""
        with self._lock:
            window = self._windows.get(name)
            if window is None or not 0 < window.end - moment <= 2 * self._window_s:
                window = self._begun(name, moment)
            window.own += 1
            window.moment, window.used_s = moment, time.monotonic()
            return window.own + window.others, min(window.end, moment + self._window_s)

    def clear(self, name: str) -> None:
        """Forget one window, here; no limit is enforced by it."""
        with self._lock:
            self._windows.pop(name, None)

    def close(self) -> None:
        """Count what was not yet counted, if that is possible."""
        self._closed.set()
        self._thread.join()

    def _begun(self, name: str, moment: float) -> _ComparedWindow:
        if len(self._windows) >= MOST_WINDOWS:
            oldest = sorted(self._windows, key=lambda one: self._windows[one].used_s)
            for one in oldest[: MOST_WINDOWS // 4]:
                del self._windows[one]
        window = self._windows[name] = _ComparedWindow(moment, moment + self._window_s)
        return window

    def _compare(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._closed.wait(LAG_S)
            since = time.monotonic() - _IDLE_S
            used = [one for one in self._windows.copy().items() if one[1].used_s > since]
            try:
                for name, window in used:
                    self._exchange(name, window)
            except ApiError:
                pass  # what was not sent is sent later

    def _exchange(self, name: str, window: _ComparedWindow) -> None:
        with self._lock:
            more, moment = window.own - window.sent, window.moment
        count, end = self._shared.add_many(name, moment, window.end, more)
        with self._lock:
            window.sent += more
            window.others = count - window.sent
            window.end = end
