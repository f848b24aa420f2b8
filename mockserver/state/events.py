"""What was changed while the server ran: a log of events, each of which can be repeated."""

import json
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from deadringer.contracts import Json, JsonObject, exact_number
from deadringer.mockserver.errors import ApiError

from .rate_windows import RateWindows, Windows

EVERY_SESSION = "*"
"""Stands for all sessions in a `reset_all`; no session can have this name."""
BEGINNINGS = frozenset({"reset", "scenario", "reset_all"})
"""Kinds of events before which nothing counts: what they are about begins anew."""
MOST_COUNTED = 10_000
"""How many sessions have counters in memory; beyond that the least recently counted lose theirs."""


def read_body(text: str | bytes) -> Json:
    """Return what a stored JSON text holds, its numbers with their digits.

    Raises:
        ValueError, TypeError, RecursionError: if it is none.
    """
    return json.loads(text, parse_float=exact_number)


class Event(NamedTuple):
    """One change: `body` is what it takes to repeat it."""

    number: int
    session: str
    kind: str
    body: JsonObject


class SessionSnapshot(NamedTuple):
    """The sum of a session's events up to a number."""

    session: str
    number: int
    body: JsonObject


class UnreadableEventError(Exception):
    """An event of the log has a kind or a body that this version does not know."""

    def __init__(self, number: int, kind: str, problem: str) -> None:
        super().__init__(f"event {number} of kind {kind!r}: {problem}")


class UnreadableStateError(ApiError):
    """The log cannot be read; a request that needs what it holds gets INTERNAL_ERROR."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            "INTERNAL_ERROR",
            f"cannot read state: {problem}",
            "Use another session, or stop the server and restore the file of --state from a copy",
        )


class StateUnreachableError(ApiError):
    """The log is on another machine and cannot be asked; clients get 503 STATE_UNREACHABLE.

    A change that was refused in this way may have been made all the same. `is_gone` is set if the
    other side does not run, so that it acknowledges no change to any server meanwhile.
    """

    is_up_to_date = False
    """Whether no change was acknowledged that this server does not know."""

    def __init__(self, reason: str, *, is_gone: bool = False) -> None:
        super().__init__(
            "STATE_UNREACHABLE",
            f"The shared state cannot be reached: {reason}",
            headers={"Retry-After": "1"},
        )
        self.is_gone = is_gone


class EventsGoneError(Exception):
    """Events that were asked for are no longer in the log; the snapshots hold what they did."""


class ChangedMeanwhileError(Exception):
    """A session has a newer event than the change was made for; nothing was added."""


class UnreadableSnapshotError(UnreadableStateError):
    """The snapshot of a session is damaged, or this version does not know its form."""

    def __init__(self, session: str, problem: str) -> None:
        whose = f"session {session!r}" if session else "the default session"
        super().__init__(f"the snapshot of {whose}: {problem}")


class Origin(NamedTuple):
    """Where a reader begins that has read no event: all before it is in the snapshots."""

    history: str = ""
    number: int = 0
    reset_all: Event | None = None
    """The last reset of all sessions, if its event may be gone."""


class EventLog(ABC):
    """The events of all sessions in one order, with what belongs to them.

    An implementation guarantees:

    - Numbers rise, also over restarts, and are never used twice.
    - `add`, `count`, `set_once` and `save` are atomic and safe to call from several threads. What
      they returned for is as durable as the log is; if they raise, nothing has changed.
    - An event of `BEGINNINGS` removes the events, counters and the snapshot of its session from
      before it; `reset_all` those of every session.
    - `save` makes the events of a session unnecessary up to the number of its snapshot.
    - `add` with `after` adds nothing if the session has an event with a greater number.
    - If what is stored is damaged, every method raises UnreadableStateError and changes nothing.
    """

    is_durable: bool
    """Whether events outlive the process; if not, snapshots are not stored."""
    is_shared: bool = False
    """Whether other servers write to it as well."""
    newest: int = 0
    """The number of the newest event that is known; reading it costs nothing."""
    history: str = ""
    """Names the sequence of numbers; it changes if a log has lost events, never otherwise."""

    @property
    def is_current(self) -> bool:
        """Whether `newest` is known to be the newest event; reading it costs nothing."""
        return True

    def refresh(self) -> None:  # noqa: B027 - a log of one server is current
        """Make `newest` current: no event that was acknowledged before the call is newer.

        Raises:
            StateUnreachableError: if that cannot be known.
        """

    def follow(self, apply: Callable[[], None]) -> None:  # noqa: B027 - no other server adds events
        """Have a function called soon after another server added an event.

        What it raises as ApiError is ignored: a request that needs the event gets the error.
        """

    def other_servers(self) -> int:
        """Return how many other servers use the log now.

        Raises:
            StateUnreachableError: if that cannot be known.
        """
        return 0

    def agreed_world(self, world: str) -> str:
        """Return the description of the world that all servers of this log show.

        It is `world`, unless another server that uses the log now has a different one.
        """
        return world

    def origin(self) -> Origin:
        """Return where a reader begins."""
        return Origin()

    def trim(self, number: int) -> None:  # noqa: B027 - `save` may have dropped them
        """Drop events up to a number, all of which are in snapshots, if they still take room."""

    def rate_windows(self, window_s: int, *, is_exact: bool) -> Windows:
        """Return the rate windows of all servers that use this log.

        Unless they are to be exact, the counts of other servers may come a little later.
        """
        return RateWindows(window_s)

    @abstractmethod
    def add(self, session: str, kind: str, body: JsonObject, after: int | None = None) -> int:
        """Append an event and return its number.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if it cannot be written.
            ChangedMeanwhileError: if the session has an event after the number `after`.
        """

    @abstractmethod
    def since(self, number: int) -> Iterator[Event]:
        """Yield the events after a number, oldest first; the caller has taken all before it.

        Raises:
            EventsGoneError: if some of them were dropped.
            UnreadableEventError: if the body of one is not JSON.
        """

    @abstractmethod
    def count(self, session: str, name: str) -> int:
        """Raise a counter of a session by one and return its value from before.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if it cannot be written.
        """

    @abstractmethod
    def counted(self, session: str, name: str) -> int:
        """Return the value of a counter, 0 for one that was never raised."""

    @abstractmethod
    def set_once(self, name: str, value: str) -> str:
        """Return the value of a name; the first value written stays."""

    @abstractmethod
    def save(self, snapshots: Iterable[SessionSnapshot]) -> None:
        """Keep snapshots in place of the events that they sum up, all of them or none.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if they cannot be written.
        """

    @abstractmethod
    def load(self, session: str) -> SessionSnapshot | None:
        """Return the snapshot of a session, None if it has none.

        Raises:
            UnreadableSnapshotError: if its body is not JSON.
        """

    @abstractmethod
    def saved_names(self) -> list[str]:
        """Return the names of the sessions that have a snapshot."""

    @abstractmethod
    def forget(self, session: str) -> None:
        """Release what is held in memory for a session that has left it."""

    @abstractmethod
    def close(self) -> None:
        """Write what is pending and release the log; it is of no use afterwards."""


class MemoryEventLog(EventLog):
    """A log that ends with the process: events that were taken are dropped."""

    is_durable = False

    def __init__(self) -> None:
        self._pending: list[Event] = []
        self._counts: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._values: dict[str, str] = {}
        self._last: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, session: str, kind: str, body: JsonObject, after: int | None = None) -> int:
        """Append an event and return its number.

        Raises:
            ChangedMeanwhileError: if the session has an event after the number `after`.
        """
        with self._lock:
            if after is not None and after < self._newest_of(session):
                raise ChangedMeanwhileError
            number = self.newest + 1
            if kind == "reset_all":
                self._counts.clear()
                self._last.clear()
            elif kind in BEGINNINGS:
                self._counts.pop(session, None)
            self._last[session] = number
            self._pending.append(Event(number, session, kind, body))
            self.newest = number
        return number

    def _newest_of(self, session: str) -> int:
        return max(self._last.get(session, 0), self._last.get(EVERY_SESSION, 0))

    def since(self, number: int) -> Iterator[Event]:
        """Yield the events after a number, oldest first, and drop those before it."""
        with self._lock:
            self._pending = [event for event in self._pending if event.number > number]
            return iter([*self._pending])

    def count(self, session: str, name: str) -> int:
        """Raise a counter of a session by one and return its value from before."""
        with self._lock:
            counts = self._counts.setdefault(session, {})
            self._counts.move_to_end(session)
            if len(self._counts) > MOST_COUNTED:
                self._counts.popitem(last=False)
            before = counts.get(name, 0)
            counts[name] = before + 1
        return before

    def counted(self, session: str, name: str) -> int:
        """Return the value of a counter, 0 for one that was never raised."""
        with self._lock:
            return self._counts.get(session, {}).get(name, 0)

    def set_once(self, name: str, value: str) -> str:
        """Return the value of a name; the first value written stays."""
        with self._lock:
            return self._values.setdefault(name, value)

    def save(self, snapshots: Iterable[SessionSnapshot]) -> None:
        """Keep nothing: there is no restart to keep it for."""

    def load(self, session: str) -> None:
        """Return None: nothing was saved."""

    def saved_names(self) -> list[str]:
        """Return no names."""
        return []

    def forget(self, session: str) -> None:
        """Drop the counters of a session."""
        with self._lock:
            self._counts.pop(session, None)
            self._last.pop(session, None)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
