"""The event log in a state file: a SQLite database that one server has to itself."""

import logging
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deadringer.contracts import JsonObject, exact_json_bytes
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.exceptions import StartError

from .events import (
    BEGINNINGS,
    EVERY_SESSION,
    ChangedMeanwhileError,
    Event,
    EventLog,
    SessionSnapshot,
    UnreadableEventError,
    UnreadableSnapshotError,
    UnreadableStateError,
    read_body,
)

LOG = logging.getLogger("deadringer")
FORMAT = 3
_NO_JSON = (ValueError, TypeError, RecursionError)
"""What `read_body` raises."""
_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_session ON events (session, number);
CREATE TABLE IF NOT EXISTS counts (
    session TEXT, name TEXT, value INTEGER NOT NULL, PRIMARY KEY (session, name)
);
CREATE TABLE IF NOT EXISTS snapshots (
    session TEXT PRIMARY KEY, number INTEGER NOT NULL, body TEXT NOT NULL
);
"""


class SqliteEventLog(EventLog):
    """The log in a file of the user's: an event is committed before `add` returns.

    The file is locked for as long as the log is open, by SQLite itself: under any name of the file,
    on every system, and the lock of a server that was killed ends with its process.

    Raises:
        StartError: if the file cannot be used, or another server has it.
    """

    is_durable = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection = self._opened()
        self._close = weakref.finalize(self, self._connection.close)
        try:
            self.newest = self._newest()
        except (sqlite3.Error, ValueError) as problem:
            self.close()
            raise StartError(self._reason(problem)) from problem

    def _newest(self) -> int:
        # Not the greatest number that is there: those before a snapshot are not.
        row = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
        ).fetchone()
        return int(row[0]) if row else 0

    def add(self, session: str, kind: str, body: JsonObject, after: int | None = None) -> int:
        """Append an event and return its number; from then on it is safe from a kill.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if it cannot be written.
            ChangedMeanwhileError: if the session has an event after the number `after`.
        """
        text = exact_json_bytes(body).decode()
        with self._transaction() as connection:
            if after is not None and after < _newest_of(connection, session):
                raise ChangedMeanwhileError
            # What came before means nothing any more; the file does not grow for ever.
            if kind == "reset_all":
                connection.execute("DELETE FROM events")
                connection.execute("DELETE FROM counts")
                connection.execute("DELETE FROM snapshots")
            elif kind in BEGINNINGS:
                connection.execute("DELETE FROM events WHERE session = ?", (session,))
                connection.execute("DELETE FROM counts WHERE session = ?", (session,))
                connection.execute("DELETE FROM snapshots WHERE session = ?", (session,))
            number = connection.execute(
                "INSERT INTO events (session, kind, body) VALUES (?, ?, ?)", (session, kind, text)
            ).lastrowid
            assert number is not None
        with self._lock:
            self.newest = max(self.newest, number)
        return number

    def since(self, number: int) -> Iterator[Event]:
        """Yield the events after a number, oldest first.

        Raises:
            UnreadableEventError: if the body of one is not JSON.
        """
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT number, session, kind, body FROM events WHERE number > ? ORDER BY number",
                (number,),
            ).fetchall()
        for found, session, kind, text in rows:
            try:
                body = read_body(text)
            except _NO_JSON as problem:
                raise UnreadableEventError(found, kind, f"its body is no JSON, {problem}") from None
            yield Event(found, session, kind, body)

    def count(self, session: str, name: str) -> int:
        """Raise a counter of a session by one and return its value from before.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if it cannot be written.
        """
        with self._transaction() as connection:
            (value,) = connection.execute(
                "INSERT INTO counts VALUES (?, ?, 1) "
                "ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value",
                (session, name),
            ).fetchone()
        before: int = value - 1
        return before

    def counted(self, session: str, name: str) -> int:
        """Return the value of a counter, 0 for one that was never raised."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT value FROM counts WHERE session = ? AND name = ?", (session, name)
            ).fetchone()
            return int(row[0]) if row else 0

    def set_once(self, name: str, value: str) -> str:
        """Return the value of a name; the first value written stays."""
        with self._transaction() as connection:
            return _set_once(connection, name, value)

    def save(self, snapshots: Iterable[SessionSnapshot]) -> None:
        """Keep snapshots in place of the events that they sum up, all of them or none.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if they cannot be written.
        """
        with self._transaction() as connection:
            for session, number, body in snapshots:
                text = exact_json_bytes(body).decode()
                connection.execute(
                    "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)", (session, number, text)
                )
                connection.execute(
                    "DELETE FROM events WHERE session = ? AND number <= ?", (session, number)
                )

    def load(self, session: str) -> SessionSnapshot | None:
        """Return the snapshot of a session, None if it has none.

        Raises:
            UnreadableSnapshotError: if its body is not JSON.
        """
        with self._reading() as connection:
            row = connection.execute(
                "SELECT number, body FROM snapshots WHERE session = ?", (session,)
            ).fetchone()
        if row is None:
            return None
        try:
            return SessionSnapshot(session, int(row[0]), read_body(row[1]))
        except _NO_JSON as problem:
            raise UnreadableSnapshotError(session, f"its body is no JSON, {problem}") from None

    def saved_names(self) -> list[str]:
        """Return the names of the sessions that have a snapshot."""
        with self._reading() as connection:
            rows = connection.execute("SELECT session FROM snapshots").fetchall()
        return [session for (session,) in rows]

    def forget(self, session: str) -> None:
        """Do nothing: what belongs to a session is in the file."""

    def close(self) -> None:
        """Write all changes into the file itself and unlock it."""
        with self._lock:
            self._close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
        except sqlite3.OperationalError as problem:
            raise self._not_written(problem) from problem
        except sqlite3.DatabaseError as problem:
            raise self._not_read(problem) from problem

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._connection
        except (sqlite3.DatabaseError, ValueError) as problem:
            raise self._not_read(problem) from problem

    def _not_read(self, problem: Exception) -> UnreadableStateError:
        LOG.error("Cannot read state from %s: %s.", self._path, problem)
        return UnreadableStateError(str(problem))

    def _not_written(self, problem: sqlite3.OperationalError) -> ApiError:
        is_full = problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL
        reason = "no space left" if is_full else str(problem)
        LOG.error("Cannot write state to %s: %s.", self._path, reason)
        return ApiError("INSUFFICIENT_STORAGE", f"cannot write state: {reason}")

    def _opened(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, timeout=0, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.executescript(f"BEGIN EXCLUSIVE; {_TABLES} COMMIT;")
                form = _set_once(connection, "format", str(FORMAT))
            except sqlite3.Error:
                connection.close()
                raise
        except sqlite3.Error as problem:
            raise StartError(self._reason(problem)) from problem
        if form != str(FORMAT):
            connection.close()
            raise StartError(
                f"The state file {self._path} has format {form}, this version writes {FORMAT}. "
                "Use another file, or delete it to begin anew."
            )
        return connection

    def _reason(self, problem: Exception) -> str:
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            return (
                f"State file {self._path} is locked by another deadringer server. "
                "Stop it or choose another --state file."
            )
        if code == sqlite3.SQLITE_FULL:
            return f"Cannot write state to {self._path}: no space left. Free some, or use another."
        return (
            f"Cannot use the state file {self._path}: {problem}. "
            "Set --state to the path of a state file of deadringer, or of one that does not exist."
        )


def _newest_of(connection: sqlite3.Connection, session: str) -> int:
    (number,) = connection.execute(
        "SELECT max(number) FROM (SELECT number FROM events WHERE session IN (?, ?) "
        "UNION ALL SELECT number FROM snapshots WHERE session = ?)",
        (session, EVERY_SESSION, session),
    ).fetchone()
    return int(number or 0)


def _set_once(connection: sqlite3.Connection, name: str, value: str) -> str:
    connection.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
    row = connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
    return str(row[0])
