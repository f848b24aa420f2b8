"""What was changed while the server ran: a log of events, each of which can be repeated."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deadringer.contracts import JsonObject

BEGINNINGS = ("reset", "scenario")
"""Kinds of events before which nothing counts: the session begins anew."""


class Event(NamedTuple):
    """One change: `body` is what it takes to repeat it."""

    number: int
    session: str
    kind: str
    body: JsonObject


class EventLog(ABC):
    """The events of all sessions in one order, with counters and values that belong to them.

    An implementation guarantees: numbers rise and are never given twice; `add` and `count` are
    atomic and safe to call from several threads; what `add`, `count` or `set_once` returned for is
    as durable as the log is; an event of `BEGINNINGS` removes the session's events and counters
    from before it.
    """

    newest: int = 0
    """The number of the newest event; reading it costs nothing."""

    @abstractmethod
    def add(self, session: str, kind: str, body: JsonObject) -> int:
        """Append an event and return its number."""

    @abstractmethod
    def since(self, number: int) -> Iterator[Event]:
        """Yield the events after a number, oldest first; the caller has taken all before it."""

    @abstractmethod
    def count(self, session: str, name: str) -> int:
        """Raise a counter of a session by one and return its value from before."""

    @abstractmethod
    def counted(self, session: str, name: str) -> int:
        """Return the value of a counter, 0 for one that was never raised."""

    @abstractmethod
    def set_once(self, name: str, value: str) -> str:
        """Return the value of a name; the first value written stays."""

    @abstractmethod
    def close(self) -> None:
        """Write what is pending and release the log; it is of no use afterwards."""


class MemoryEventLog(EventLog):
    """A log that ends with the process: events that were taken are forgotten."""

    def __init__(self) -> None:
        self._pending: list[Event] = []
        self._counts: dict[str, dict[str, int]] = {}
        self._values: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, session: str, kind: str, body: JsonObject) -> int:
        """Append an event and return its number."""
        with self._lock:
            if kind in BEGINNINGS:
                self._counts.pop(session, None)
            number = self.newest + 1
            self._pending.append(Event(number, session, kind, body))
            self.newest = number
        return number

    def since(self, number: int) -> Iterator[Event]:
        """Yield the events after a number, oldest first, and forget those before it."""
        with self._lock:
            self._pending = [event for event in self._pending if event.number > number]
            return iter([*self._pending])

    def count(self, session: str, name: str) -> int:
        """Raise a counter of a session by one and return its value from before."""
        with self._lock:
            counts = self._counts.setdefault(session, {})
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

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def open_event_log(path: Path | None) -> EventLog:
    """Return the log in a state file, or one in memory for None.

    Raises:
        StartError: if the file cannot be used, or another server has it.
    """
    if path is None:
        return MemoryEventLog()
    from .sqlite import SqliteEventLog  # a start without a state file does not load SQLite

    return SqliteEventLog(path)
