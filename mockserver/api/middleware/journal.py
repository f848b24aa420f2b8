"""What was found about requests of the journal: each is judged when somebody first reads it."""

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
from deadringer.mockserver.context import CONTEXT, RequestContext, RequestNotes
from deadringer.mockserver.faults.transport import API_ROOT
from deadringer.mockserver.state.clock import VirtualClock
from deadringer.mockserver.state.rate_limits import Window

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    _Repeated = tuple[int, WSGIEnvironment, "RepeatedResponse", Window | None, datetime, float]


_EVERY = "*"
"""Stands for all sessions; none can be named so."""
ENTRIES_KEPT = 1000
BYTES_KEPT = 16_384
"""How much of a body an entry keeps."""


class RepeatedResponse(NamedTuple):
    """What all entries of a response of the cache have in common; `body` is cut off.

    The headers of the window that a request counted in stand between `before` and `after`.
    """

    session: str
    clock: VirtualClock
    status: str
    before: list[tuple[str, str]]
    after: list[tuple[str, str]]
    body: bytes
    body_length: int
    notes: RequestNotes

    def headers_in(self, window: Window | None) -> list[tuple[str, str]]:
        """Return the headers of one response."""
        return [*self.before, *(window.header_items if window else ()), *self.after]


@dataclass(slots=True)
class Passed:
    """One request and its response as they passed; of a body the first BYTES_KEPT bytes."""

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
    notes: RequestNotes = field(default_factory=RequestNotes)
    number: int = 0

    @property
    def method(self) -> str:
        """The method of the request."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The path that was asked for, decoded."""
        raw = self.environ["PATH_INFO"].encode("latin-1", "replace")
        return str(raw.decode("utf-8", "replace"))

    @property
    def status_code(self) -> int:
        """The status of the response."""
        return int(self.status[:3])


class Journal:
    """The last requests and their responses, newest last; beyond `limit` the oldest goes.

    `verdicts` are what readers found about them.
    """

    def __init__(self, limit: int = ENTRIES_KEPT) -> None:
        self._limit = limit
        self._next = itertools.count(1).__next__
        self._passed: deque[Passed | _Repeated] = deque(maxlen=limit)
        self._cleared: dict[str, int] = {}
        self.verdicts = Verdicts(2 * limit)

    def add(self, passed: Passed) -> None:
        """Keep a request and number it."""
        passed.number = self._next()
        self._passed.append(passed)

    def add_repeated(
        self,
        environ: "WSGIEnvironment",
        response: "RepeatedResponse",
        window: Window | None,
        at: datetime,
        began: float,
    ) -> None:
        """Keep a request that was answered without the application; `began` is in seconds.

        Nobody may change the environ after this.
        """
        ms = (time.perf_counter() - began) * 1000
        self._passed.append((self._next(), environ, response, window, at, ms))

    def newest(self, session: str, after: int = 0) -> list[Passed]:
        """Return the entries of a session after a number, newest first."""
        found = self._entries(session, after)
        return sorted(found, key=lambda passed: passed.number, reverse=True)[: self._limit]

    def sessions(self) -> set[str]:
        """Return the names of the sessions whose requests are kept."""
        return {one.session for one in self._entries(_EVERY)}

    def clear(self, session: str) -> None:
        """Forget a session's requests."""
        entries = self._entries(session)
        if entries:
            oldest = min(_passed(one).number for one in self._passed.copy())
            # Numbers from before the oldest entry hide nothing any more.
            self._cleared = {name: n for name, n in self._cleared.items() if n >= oldest}
            self._cleared[session] = max(one.number for one in entries)

    def clear_all(self) -> None:
        """Forget the requests of every session."""
        self._passed.clear()
        self._cleared = {}

    def _entries(self, session: str, after: int = 0) -> list[Passed]:
        every = (_passed(one) for one in self._passed.copy())
        return [
            one
            for one in every
            if session in {one.session, _EVERY}
            and one.number > max(after, self._cleared.get(one.session, 0))
        ]


def _passed(one: "Passed | _Repeated") -> Passed:
    """Return an entry as it is read; of a response that was repeated it is only made now."""
    if isinstance(one, Passed):
        return one
    number, environ, repeated, window, at, ms = one
    return Passed(
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
        notes=repeated.notes,
        number=number,
    )


def _texts(environ: "WSGIEnvironment") -> "WSGIEnvironment":
    return {name: value for name, value in environ.items() if isinstance(value, str)}


class JournalLayer:
    """Wraps the application and journals what goes through it below `/v1`."""

    def __init__(self, application: "WSGIApplication", journal: Journal) -> None:
        self._application = application
        self._journal = journal

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        context: RequestContext = environ[CONTEXT]
        if not context.path.startswith(API_ROOT):
            return self._application(environ, start_response)
        began = time.perf_counter()
        requested = _body(environ)
        started: list[Any] = ["500", []]

        def start(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
            started[:] = [status, headers]
            return start_response(status, headers, exc_info)

        # The operation may replace the snapshot by one of its own, with the same clock.
        snapshot = context.snapshot
        passed = Passed(
            environ,
            context.session_name,
            snapshot.clock,
            snapshot.machine_now,
            request_body=requested[:BYTES_KEPT],
            request_length=len(requested),
        )
        answer = self._application(environ, start)
        passing = self._passing(answer, passed, started, began)
        # Who has a response finds it in the journal: only one that is sent in pieces, as a
        # fault wants it, is noted after its end.
        return passing if context.is_streamed else list(passing)

    def _passing(
        self, answer: Iterable[bytes], passed: Passed, started: list[Any], began: float
    ) -> Iterator[bytes]:
        kept = bytearray()
        try:
            for chunk in answer:
                kept += chunk[: BYTES_KEPT - len(kept)]
                passed.response_length += len(chunk)
                yield chunk
        finally:
            close = getattr(answer, "close", None)
            if close:
                close()
            passed.ms = (time.perf_counter() - began) * 1000
            passed.status, passed.headers = started
            passed.response_body = bytes(kept)
            passed.notes = passed.environ[CONTEXT].notes()
            passed.environ = _texts(passed.environ)
            self._journal.add(passed)


def _body(environ: "WSGIEnvironment") -> bytes:
    """Return the body of a request, which can still be read after this."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if length == "0" and "HTTP_TRANSFER_ENCODING" not in environ:
        return b""
    stream = environ["wsgi.input"]
    body: bytes = stream.read() if length == "0" else stream.read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


Verdict = list[JsonObject] | None


class Verdicts:
    """Findings by the number of the request, the last `most` of them.

    What has passed never changes and numbers never come again, so a finding stays true.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[int, Verdict] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._found)

    def of(self, number: int, judge: Callable[[], Verdict]) -> Verdict:
        """Return what was found about a request, judging it if nobody has."""
        with self._lock:
            if number in self._found:
                return self._found[number]
        verdict = judge()  # takes long; at worst two readers of one moment do it both
        with self._lock:
            self._found[number] = verdict
            while len(self._found) > self._most:
                del self._found[next(iter(self._found))]
        return verdict
