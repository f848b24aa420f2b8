"""What was changed while the server ran: a log of events, each of which can be repeated."""

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from deadringer.contracts import JsonObject
from deadringer.mockserver.errors import ApiError

EVERY_SESSION = "*"
"""Stands for all sessions in a `reset_all`; no session can have this name."""
BEGINNINGS = frozenset({"reset", "scenario", "reset_all"})
"""Kinds of events before which nothing counts: what they are about begins anew."""
MOST_COUNTED = 10_000
"""How many sessions have counters in memory; beyond that the least recently counted lose theirs."""


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


class UnreadableSnapshotError(UnreadableStateError):
    """The snapshot of a session is damaged, or this version does not know its form."""

    def __init__(self, session: str, problem: str) -> None:
        whose = f"session {session!r}" if session else "the default session"
        super().__init__(f"the snapshot of {whose}: {problem}")


class EventLog(ABC):
    """The events of all sessions in one order, with what belongs to them.

    An implementation guarantees:

    - Numbers rise, also over restarts, and are never used twice.
    - `add`, `count`, `set_once` and `save` are atomic and safe to call from several threads. What
      they returned for is as durable as the log is; if they raise, nothing has changed.
    - An event of `BEGINNINGS` removes the events, counters and the snapshot of its session from
      before it; `reset_all` those of every session.
    - `save` replaces the events of a session up to the number of its snapshot.
    - If what is stored is damaged, every method raises UnreadableStateError and changes nothing.
    """

    is_durable: bool
    """Whether events outlive the process; if not, snapshots are not stored."""
    newest: int = 0
    """The number of the newest event; reading it costs nothing."""

    @abstractmethod
    def add(self, session: str, kind: str, body: JsonObject) -> int:
        """Append an event and return its number.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if it cannot be written.
        """

    @abstractmethod
    def since(self, number: int) -> Iterator[Event]:
        """Yield the events after a number, oldest first; the caller has taken all before it.

        Raises:
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
        self._lock = threading.Lock()

    def add(self, session: str, kind: str, body: JsonObject) -> int:
        """Append an event and return its number."""
        with self._lock:
            if kind == "reset_all":
                self._counts.clear()
            elif kind in BEGINNINGS:
                self._counts.pop(session, None)
            number = self.newest + 1
            self._pending.append(Event(number, session, kind, body))
            self.newest = number
        return number

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

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
