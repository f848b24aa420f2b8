"""The journal: the last requests below `/v1` with their responses, validated on first read."""

import io
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from deadringer.contracts import JsonObject
from deadringer.mockserver.context import CONTEXT, RequestContext, RequestRecord
from deadringer.mockserver.faults.transport import API_ROOT
from deadringer.mockserver.state.clock import VirtualClock
from deadringer.mockserver.state.rate_limits import RateWindow

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    _Repeated = tuple[int, WSGIEnvironment, "RepeatedResponse", RateWindow | None, datetime, float]


_EVERY = "*"
"""All sessions; not a valid session name."""
MAX_ENTRIES = 1000
MAX_BODY_BYTES = 16_384
"""How many bytes of a body an entry stores."""


class RepeatedResponse(NamedTuple):
    """What all journal entries of one cached response share; `body` is truncated.

    The RateLimit headers of a request go between `before` and `after`.
    """

    session: str
    clock: VirtualClock
    status: str
    before: list[tuple[str, str]]
    after: list[tuple[str, str]]
    body: bytes
    body_length: int
    record: RequestRecord

    def headers_in(self, window: RateWindow | None) -> list[tuple[str, str]]:
        """Return the headers of one response."""
        return [*self.before, *(window.header_items if window else ()), *self.after]


@dataclass(slots=True)
class JournalEntry:
    """One request and its response; bodies are truncated to MAX_BODY_BYTES."""

    environ: "WSGIEnvironment"
    session: str
    clock: VirtualClock
    at: datetime
    request_body: bytes
    request_length: int = 0
    status: str = "500"
    headers: list[tuple[str, str]] = field(default_factory=list)
    response_body: bytes = b""
    response_length: int = 0
    ms: float = 0
    record: RequestRecord = field(default_factory=RequestRecord)
    number: int = 0

    @property
    def method(self) -> str:
        """The method of the request."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The requested path, decoded."""
        raw = self.environ["PATH_INFO"].encode("latin-1", "replace")
        return str(raw.decode("utf-8", "replace"))

    @property
    def status_code(self) -> int:
        """The status of the response."""
        return int(self.status[:3])


class Journal:
    """The last `limit` requests and their responses, newest last.

    `verdicts` caches the violations found in them.
    """

    def __init__(self, limit: int = MAX_ENTRIES) -> None:
        self._limit = limit
        self._next = itertools.count(1).__next__
        self._stored: deque[JournalEntry | _Repeated] = deque(maxlen=limit)
        self._cleared: dict[str, int] = {}
        self.verdicts = Verdicts(2 * limit)

    def reserve(self) -> int:
        """Return the number of an entry that will be added soon."""
        return self._next()

    def add(self, entry: JournalEntry) -> None:
        """Store a request and number it, unless its number was reserved."""
        entry.number = entry.number or self._next()
        self._stored.append(entry)

    def add_repeated(
        self,
        environ: "WSGIEnvironment",
        response: "RepeatedResponse",
        window: RateWindow | None,
        at: datetime,
        began: float,
    ) -> None:
        """Store a request that got a cached response; `began` is in seconds.

        The environ must not be changed afterwards.
        """
        ms = (time.perf_counter() - began) * 1000
        self._stored.append((self._next(), environ, response, window, at, ms))

    def newest(self, session: str, after: int = 0) -> list[JournalEntry]:
        """Return the entries of a session after a number, newest first."""
        found = self._entries(session, after)
        return sorted(found, key=lambda entry: entry.number, reverse=True)[: self._limit]

    def sessions(self) -> set[str]:
        """Return the names of the sessions with stored requests."""
        return {one.session for one in self._entries(_EVERY)}

    def clear(self, session: str) -> None:
        """Remove a session's requests."""
        entries = self._entries(session)
        if entries:
            oldest = min(_entry_of(one).number for one in self._stored.copy())
            # Numbers before the oldest entry are not needed any more.
            self._cleared = {name: n for name, n in self._cleared.items() if n >= oldest}
            self._cleared[session] = max(one.number for one in entries)

    def clear_all(self) -> None:
        """Remove the requests of every session."""
        self._stored.clear()
        self._cleared = {}

    def _entries(self, session: str, after: int = 0) -> list[JournalEntry]:
        every = (_entry_of(one) for one in self._stored.copy())
        return [
            one
            for one in every
            if session in {one.session, _EVERY}
            and one.number > max(after, self._cleared.get(one.session, 0))
        ]


def _entry_of(one: "JournalEntry | _Repeated") -> JournalEntry:
    """Return a stored request as an entry; those of cached responses are built only now."""
    if isinstance(one, JournalEntry):
        return one
    number, environ, repeated, window, at, ms = one
    return JournalEntry(
        environ=_texts(environ),
        session=repeated.session,
        clock=repeated.clock,
        at=at,
        request_body=b"",
        status=repeated.status,
        headers=repeated.headers_in(window),
        response_body=repeated.body,
        response_length=repeated.body_length,
        ms=ms,
        record=repeated.record,
        number=number,
    )


def _texts(environ: "WSGIEnvironment") -> "WSGIEnvironment":
    return {name: value for name, value in environ.items() if isinstance(value, str)}


class JournalLayer:
    """WSGI middleware that journals requests below `/v1`."""

    def __init__(self, application: "WSGIApplication", journal: Journal) -> None:
        self._application = application
        self._journal = journal

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle one request."""
        context: RequestContext = environ[CONTEXT]
        if not context.path.startswith(API_ROOT):
            return self._application(environ, start_response)
        began = time.perf_counter()
        requested = _body(environ)
        started: list[Any] = ["500", []]

        def start(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
            started[:] = [status, headers]
            return start_response(status, headers, exc_info)

        # The operation may replace the snapshot by another with the same clock.
        snapshot = context.snapshot
        entry = JournalEntry(
            environ,
            context.session_name,
            snapshot.clock,
            snapshot.machine_now,
            request_body=requested[:MAX_BODY_BYTES],
            request_length=len(requested),
        )
        response = self._application(environ, start)
        body_chunks = self._recorded(response, entry, started, began)
        # A client that has a response finds it in the journal; only a response that a fault sends
        # in pieces is journaled after its end.
        return body_chunks if context.is_streamed else list(body_chunks)

    def _recorded(
        self, response: Iterable[bytes], entry: JournalEntry, started: list[Any], began: float
    ) -> Iterator[bytes]:
        stored = bytearray()
        try:
            for chunk in response:
                stored += chunk[: MAX_BODY_BYTES - len(stored)]
                entry.response_length += len(chunk)
                yield chunk
        finally:
            close = getattr(response, "close", None)
            if close:
                close()
            entry.ms = (time.perf_counter() - began) * 1000
            entry.status, entry.headers = started
            entry.response_body = bytes(stored)
            entry.number = entry.environ[CONTEXT].journal_number
            entry.record = entry.environ[CONTEXT].record()
            entry.environ = _texts(entry.environ)
            self._journal.add(entry)


def _body(environ: "WSGIEnvironment") -> bytes:
    """Return the body of a request; the application can still read it."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if length == "0" and "HTTP_TRANSFER_ENCODING" not in environ:
        return b""
    stream = environ["wsgi.input"]
    body: bytes = stream.read() if length == "0" else stream.read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


Verdict = list[JsonObject] | None


class Verdicts:
    """A cache of violations by request number, at most `most` of them.

    Entries never change and numbers are never reused, so that results stay valid.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[int, Verdict] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._found)

    def of(self, number: int, validate: Callable[[], Verdict]) -> Verdict:
        """Return the violations of a request; call `validate` if they are not cached."""
        with self._lock:
            if number in self._found:
                return self._found[number]
        verdict = validate()  # outside the lock: slow, and two readers may both do it
        with self._lock:
            self._found[number] = verdict
            while len(self._found) > self._most:
                del self._found[next(iter(self._found))]
        return verdict
