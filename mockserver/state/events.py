"""What was changed while the server ran: a log of events in SQLite, read by every worker.

State is the events in order, so a worker that has seen number n needs only those after it. An
event is acknowledged once it is committed: it outlives the process that wrote it.
"""

import json
import os
import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from deadringer.contracts import JsonObject
from deadringer.mockserver.exceptions import StartError

from .shared_numbers import Lock, SharedNumber

FORMAT = 1
BEGINNINGS = ("reset", "scenario")
"""Kinds of events before which nothing counts: the session begins anew."""
_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS counts (
    session TEXT, name TEXT, value INTEGER NOT NULL, PRIMARY KEY (session, name)
);
"""


class Event(NamedTuple):
    """One change: `body` is what it takes to repeat it."""

    number: int
    session: str
    kind: str
    body: JsonObject


class Store:
    """The events of one server, in the user's file or in one that goes with the server.

    Make it before workers are forked: they share its version, a number in shared memory that
    rises with each event, so that looking for news costs no system call.

    Raises:
        StartError: if the file cannot be used.
    """

    def __init__(self, lock: Lock, path: Path | None = None) -> None:
        self.is_kept = path is not None
        folder = None if path else tempfile.mkdtemp(prefix="deadringer-")
        self._path = path or Path(folder or "") / "state.sqlite"
        self.newest = SharedNumber(lock)
        """The number of the newest event."""
        self._connections: dict[int, sqlite3.Connection] = {}
        self._lock = threading.Lock()
        self._close = weakref.finalize(self, _let_go, self._connections, folder)
        self._check()

    def add(self, session: str, kind: str, body: JsonObject) -> int:
        """Keep an event, give its number; once this returns, it is safe from a kill."""
        text = json.dumps(body, ensure_ascii=True)
        with self._transaction() as connection:
            if kind in BEGINNINGS:
                # What came before means nothing any more; the file does not grow for ever.
                connection.execute("DELETE FROM events WHERE session = ?", (session,))
                connection.execute("DELETE FROM counts WHERE session = ?", (session,))
            number = connection.execute(
                "INSERT INTO events (session, kind, body) VALUES (?, ?, ?)", (session, kind, text)
            ).lastrowid
            assert number is not None
        self.newest.raise_to(number)
        return number

    def since(self, number: int) -> Iterator[Event]:
        """Give the events after a number, oldest first."""
        with self._lock:
            rows = (
                self._connection()
                .execute(
                    "SELECT number, session, kind, body FROM events WHERE number > ? "
                    "ORDER BY number",
                    (number,),
                )
                .fetchall()
            )
        for found, session, kind, body in rows:
            yield Event(found, session, kind, json.loads(body))

    def count(self, session: str, name: str) -> int:
        """Raise a counter that all workers share by one; give its value from before."""
        with self._transaction() as connection:
            (value,) = connection.execute(
                "INSERT INTO counts VALUES (?, ?, 1) "
                "ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value",
                (session, name),
            ).fetchone()
        before: int = value - 1
        return before

    def counted(self, session: str, name: str) -> int:
        """Give the value of a counter, 0 for one that was never raised."""
        with self._lock:
            row = (
                self._connection()
                .execute("SELECT value FROM counts WHERE session = ? AND name = ?", (session, name))
                .fetchone()
            )
        return int(row[0]) if row else 0

    def once(self, name: str, value: str) -> str:
        """Give what is written under a name; the first value written stays."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
            row = connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    def let_go(self) -> None:
        """Close this process's connection; the next use opens another. To be called before a fork.

        A child that inherits an open one believes itself to hold locks that it does not hold.
        """
        with self._lock:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()

    def settle(self) -> None:
        """Write into the file itself what stands beside it, once nobody else has it open.

        Workers end without closing theirs; whoever copies the file then copies all of it.
        """
        with self._lock, suppress(sqlite3.Error):  # what cannot be moved stays where it is safe
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.let_go()

    def close(self) -> None:
        """Let go of the file; one that was not asked for is deleted."""
        with self._lock:
            self._close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def _connection(self) -> sqlite3.Connection:
        """Give this process's own connection: one must not cross a fork."""
        process = os.getpid()
        found = self._connections.get(process)
        if found is None:
            found = sqlite3.connect(
                self._path, timeout=10, isolation_level=None, check_same_thread=False
            )
            found.execute("PRAGMA journal_mode = WAL")
            found.execute(f"PRAGMA synchronous = {'NORMAL' if self.is_kept else 'OFF'}")
            self._connections.clear()
            self._connections[process] = found
        return found

    def _check(self) -> None:
        try:
            with self._lock:
                self._connection().executescript(_TABLES)
            form = self.once("format", str(FORMAT))
            with self._lock:
                row = self._connection().execute("SELECT MAX(number) FROM events").fetchone()
        except sqlite3.Error as problem:
            raise StartError(
                f"Cannot use the state file {self._path}: {problem}. "
                "Give --state the path of a file of ours, or of one that does not exist yet."
            ) from problem
        if form != str(FORMAT):
            raise StartError(
                f"The state file {self._path} has format {form}, this version writes {FORMAT}. "
                "Use another file, or delete it to begin anew."
            )
        self.newest.raise_to(row[0] or 0)


def _let_go(connections: dict[int, sqlite3.Connection], folder: str | None) -> None:
    for connection in connections.values():
        connection.close()
    connections.clear()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
