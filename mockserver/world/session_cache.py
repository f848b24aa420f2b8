"""The sessions in memory: read from the event log, bounded, written back as snapshots."""

import itertools
import logging
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from typing import TypeGuard

from deadringer.contracts import JsonObject
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.state.events import (
    Event,
    EventLog,
    EventsGoneError,
    SessionSnapshot,
    StateUnreachableError,
    UnreadableEventError,
    UnreadableStateError,
)

from .sessions import Beginning, Session, Starting, apply
from .snapshots import session_of_snapshot, snapshot_of

LOG = logging.getLogger("deadringer")
COMPACT_AFTER = 2_000
"""Snapshots are renewed after so many events, which bounds the events that a restart replays."""
_SHARE_OF_RUNS = 500
"""With very many runs, snapshots wait for one event per so many runs: each writes all of them."""
_SHARE_LEAVING = 10
"""Beyond the limit, one in so many sessions leaves memory at once."""
_GONE = -1


class SessionCache:
    """The sessions by name; beyond `most` the least recently used leave memory.

    With a durable log they are loaded again when a request names them. Without one they start over,
    and the server logs a warning once for each. The default session is not counted and always
    stays. `begin` and `start` make sessions and their runs.
    """

    def __init__(
        self,
        events: EventLog,
        begin: Beginning,
        start: Starting,
        most: int,
    ) -> None:
        self._events = events
        self._begin = begin
        self._start = start
        self._most = most
        self._seen = 0
        self._history = ""
        self._changed: set[str] = set()
        """With a shared log, the names of the sessions that have events."""
        self._tail = 0
        self._compact_at = COMPACT_AFTER
        self._reset_all: Event | None = None
        self._uses = itertools.count(1).__next__
        self._dropped: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {"": self._blank("")}

    def replay(self) -> None:
        """Apply all events of the log, before the first request.

        Raises:
            UnreadableEventError: if the log holds an event that this version does not know.
            UnreadableStateError: if the log or a snapshot that is needed is damaged.
        """
        with self._lock:
            newest = self._events.newest
            self._restart()
            self._take_all()
            self._seen = max(self._seen, newest)  # snapshots may contain the newest events
            self.compact_if_due()

    @property
    def is_caught_up(self) -> bool:
        """Whether every event is applied to its session; reading this takes no lock."""
        events = self._events
        return events.newest == self._seen and events.history == self._history and events.is_current

    def get(self, name: str) -> Session:
        """Return a session as it is now; only events modify it.

        Raises:
            StateUnreachableError: if the log cannot be asked, unless the session is unchanged.
            UnreadableStateError: if it has to be loaded, and its snapshot is damaged.
        """
        try:
            self.catch_up()
        except StateUnreachableError as problem:
            if not (problem.is_up_to_date and self._is_unchanged(name)):
                raise
        session = self._sessions.get(name) or self._loaded(name)
        session.used = self._uses()
        return session

    def in_memory(self) -> Session:
        """Return the default session as it was last known."""
        return self._sessions[""]

    def catch_up(self) -> None:
        """Apply all events that were acknowledged before this call.

        Raises:
            StateUnreachableError: if the log cannot be asked for them.
            UnreadableStateError: if this version does not know one of them.
        """
        if self.is_caught_up:
            return
        self._events.refresh()
        with self._lock:
            try:
                self._take_all()
            except UnreadableEventError as problem:
                raise UnreadableStateError(str(problem)) from problem

    def _is_unchanged(self, name: str) -> bool:
        """Return whether a session had no event as long as the log could be asked."""
        events = self._events
        is_known = events.newest == self._seen and events.history == self._history
        return is_known and name not in self._changed

    def check(self, name: str, kind: str, body: JsonObject) -> None:
        """Try an event on a copy of its session, before it is added to the log.

        Raises:
            UnreadableEventError: if the session cannot apply it.
        """
        is_of_all = kind == "reset_all"
        session = self.get("" if is_of_all else name)
        copy = replace(session, executions={}, faults={})
        event = Event(self._events.newest + 1, name, "reset" if is_of_all else kind, body)
        apply(copy, event, self._begin, self._start)

    def holds(self, session: Session) -> bool:
        """Return whether a session object is in memory under its name, so that changes reach it."""
        return session is self._sessions.get(session.name)

    def names(self) -> list[str]:
        """Return the names of the sessions that were changed, in memory or not; "" is first."""
        self.catch_up()
        return list(dict.fromkeys([*self._sessions, *self._events.saved_names()]))

    def compact_if_due(self) -> None:
        """Replace the events by snapshots if there are many."""
        if self._tail >= self._compact_at:
            with self._lock:
                if self._tail >= self._compact_at:
                    self.compact()

    def compact(self) -> None:
        """Replace the events that were applied by snapshots of their sessions."""
        with self._lock:
            if self._save(list(self._sessions.values())):
                runs = sum(len(session.started) for session in self._sessions.values())
                self._compact_at = max(COMPACT_AFTER, runs // _SHARE_OF_RUNS)
                self._trim()
            self._tail = 0  # also after a failure, so that the next attempt is some events away

    def close(self) -> None:
        """Leave as little as possible to repeat for the next start."""
        if self._tail and self._events.is_durable:
            self.compact()

    def _trim(self) -> None:
        with suppress(ApiError):  # then they take room until the next time
            self._events.trim(self._seen)

    def _take_all(self) -> None:
        """Apply the events of the log; where some are gone, begin from the snapshots."""
        while True:
            try:
                if self._events.history != self._history:
                    self._restart()
                for event in self._events.since(self._seen):
                    self._take(event)
                    self._seen = event.number
            except EventsGoneError:
                self._restart()
            else:
                return

    def _restart(self) -> None:
        """Drop what is in memory, and begin where the snapshots are complete."""
        origin = self._events.origin()
        saved = self._events.load("")
        self._changed = {*self._events.saved_names()} if self._events.is_shared else set()
        for session in self._sessions.values():
            session.generation = _GONE
        self._history, self._seen, self._reset_all = origin
        self._tail = 0
        self._sessions = {}
        self._sessions[""] = self._restored(saved) if self._counts(saved) else self._blank("")

    def _take(self, event: Event) -> None:
        if event.kind == "reset_all":
            self._take_reset_all(event)
            return
        session = self._sessions.get(event.session) or self._loaded(event.session)
        if event.number <= session.generation:
            return  # its snapshot is newer
        session = apply(session, event, self._begin, self._start)
        session.used = self._uses()
        self._sessions[event.session] = session
        if self._events.is_shared:
            self._changed.add(event.session)
        self._tail += 1
        self._shrink()

    def _take_reset_all(self, event: Event) -> None:
        if self._reset_all and event.number <= self._reset_all.number:
            return
        self._reset_all = event
        later = {}
        for name, session in self._sessions.items():
            if session.generation > event.number:  # loaded from a later snapshot
                later[name] = session
            else:
                session.generation = event.number  # its holders see that it is outdated
        self._sessions = {"": self._blank(""), **later}
        self._changed = {*later}
        self._tail = 0

    def _blank(self, name: str) -> Session:
        """Return a session without changes since the start, or since all were reset."""
        event = self._reset_all
        session = self._begin(name, event.body if event else {})
        if event:
            session.begun = session.generation = event.number
        return session

    def _loaded(self, name: str) -> Session:
        """Return a session that is not in memory: from its snapshot, or one without changes."""
        if not self._events.is_durable:
            return self._blank(name)
        if self._events.is_shared and name not in self._changed:
            return self._blank(name)
        with self._lock:
            found = self._sessions.get(name)
            saved = None if found else self._events.load(name)
            if self._counts(saved):
                found = self._sessions[name] = self._restored(saved)
                self._shrink()
            return found or self._blank(name)

    def _counts(self, saved: SessionSnapshot | None) -> TypeGuard[SessionSnapshot]:
        """Return whether there is a snapshot, and all sessions were not reset after it.

        An older one may be written while all sessions are being reset.
        """
        return saved is not None and not (self._reset_all and saved.number < self._reset_all.number)

    def _restored(self, saved: SessionSnapshot) -> Session:
        session = session_of_snapshot(saved, self._begin, self._start)
        session.used = self._uses()
        return session

    def _shrink(self) -> None:
        """Remove the least recently used sessions from memory if there are too many."""
        named = [session for name, session in self._sessions.items() if name]
        over = len(named) - self._most
        if over <= 0:
            return
        oldest = sorted(named, key=lambda session: session.used)
        leaving = oldest[: over + self._most // _SHARE_LEAVING]
        if self._events.is_durable and not self._save(leaving):
            return  # a session that cannot be written stays
        for session in leaving:
            del self._sessions[session.name]
            session.generation = _GONE  # responses made from it are not valid for a later one
            if not self._events.is_durable:
                self._events.forget(session.name)
                self._warn(session.name)

    def _save(self, sessions: list[Session]) -> bool:
        """Write snapshots of sessions changed since their last; return whether that succeeded."""
        changed = [one for one in sessions if one.generation > one.saved]
        try:
            self._events.save(snapshot_of(session) for session in changed)
        except ApiError:  # the event log has logged it
            return False
        for session in changed:
            session.saved = session.generation
        return True

    def _warn(self, name: str) -> None:
        """Log that a session was dropped, unless it was logged recently."""
        if name not in self._dropped:
            LOG.warning(
                "More than %d sessions: %s was dropped and starts over when it is used again. "
                "Raise --max-sessions, or keep sessions with --state.",
                self._most,
                name,
            )
        self._dropped[name] = None
        self._dropped.move_to_end(name)
        if len(self._dropped) > 10 * self._most:
            self._dropped.popitem(last=False)
