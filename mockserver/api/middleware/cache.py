"""Repeats answers that last without asking the application again.

The application alone says what lasts (`note_lasting`), and a request is answered from here only if
it is the same as one before in everything an answer may depend on. All else is passed on.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Response, g, request

from deadringer.contracts import JsonObject
from deadringer.mockserver.context import CACHEABLE, NOTES, WINDOW
from deadringer.mockserver.logging import RequestLog
from deadringer.mockserver.server.heads import header_lines, status_line
from deadringer.mockserver.state.clock import VirtualClock
from deadringer.mockserver.state.rate_limits import Meter, Window
from deadringer.mockserver.state.rate_windows import Caller
from deadringer.mockserver.world.repository import Family
from deadringer.mockserver.world.service import Scene, Service
from deadringer.mockserver.world.sessions import Session

from .journal import BYTES_KEPT, Journal, Told

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Lasting(NamedTuple):
    """What an answer that lasts was made from; it is true while all of that is as it was.

    `caller` is whose window a request counts in, None where none is counted; `clock` the one of
    the session; from `since` to `until`, by the machine's clock, time alone does not change it.
    """

    body: bytes
    session: Session
    generation: int
    family: Family
    clock: VirtualClock
    since: datetime
    until: datetime | None
    caller: Caller | None


_NOTHING: "WSGIEnvironment" = {}
Headers = list[tuple[str, str]]
Asked = tuple[str | None, ...]
"""Everything of a plain request that its answer may depend on."""

_PLAIN = frozenset(
    {
        *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR"),
        *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE"),
        *("wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.errors", "wsgi.multithread"),
        *("wsgi.multiprocess", "wsgi.run_once", "wsgi.input_terminated"),
        *("HTTP_X_API_KEY", "HTTP_AUTHORIZATION", "HTTP_X_MOCK_SESSION", "HTTP_ORIGIN"),
        *("HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH"),
        *("HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE"),
        *("HTTP_CONNECTION", "HTTP_REFERER", "HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_DNT"),
        *("HTTP_PRIORITY", "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_DEST"),
        *("HTTP_SEC_CH_UA", "HTTP_SEC_CH_UA_MOBILE", "HTTP_SEC_CH_UA_PLATFORM", "HTTP_SEC_GPC"),
    }
)
"""What a plain request may consist of; one that has anything else is passed on."""
_ENTRY_BYTES = 4096
"""What an answer costs beside its body, roughly."""
_LARGEST_SHARE = 8
"""A body may take one part in so many of the memory."""


class KeptAnswer(NamedTuple):
    """One answer; the headers of the window, if there are any, stand between `head` and `after`.

    Both are as they are sent. What the answer says as texts is in `told`.
    """

    lasting: Lasting
    head: bytes
    after: bytes
    told: Told
    meter: Meter | None
    size: int
    """The memory it takes, roughly, in bytes."""


class KeptAnswers:
    """Wraps the application and keeps its lasting answers, at most so many bytes of them."""

    def __init__(
        self,
        application: "WSGIApplication",
        service: Service,
        log: RequestLog,
        journal: Journal | None,
        most_bytes: int,
    ) -> None:
        self._application = application
        self._service = service
        self._log = log
        self._journal = journal
        self._clock = service.clock
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Asked, KeptAnswer] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        if not _is_plain(environ):
            return self._application(environ, start_response)
        reply = self.repeated(environ)
        if reply is not None:
            kept, headers = reply
            start_response(kept.told.status, headers)
            return [kept.lasting.body] if kept.lasting.body else []
        return self._ask(environ, start_response)

    def repeated(self, environ: "WSGIEnvironment") -> "tuple[KeptAnswer, Headers] | None":
        """Give an answer that is kept with its headers of this moment, and count the request."""
        asked = self.asked(environ)
        found = None if asked is None else self._counted(asked, environ)
        if found is None:
            return None
        kept, window = found
        if window is not None and window.is_refused:
            environ[WINDOW] = window
            return None
        return kept, kept.told.headers_in(window)

    def asked(self, environ: "WSGIEnvironment") -> Asked | None:
        """Give what an answer would be found by; None of a request that is not plain."""
        return _asked(environ) if _is_plain(environ) else None

    def answer(
        self, asked: Asked, environ: "WSGIEnvironment"
    ) -> "tuple[list[bytes], bytes] | WSGIEnvironment":
        """Give status line and headers, and body, of an answer that is kept; count the request.

        Where there is none: what the application's environ is to hold beside the request's.
        """
        found = self._counted(asked, environ)
        if found is None:
            return _NOTHING
        kept, window = found
        if window is None:
            return [kept.head], kept.lasting.body
        if window.is_refused:
            return {WINDOW: window}
        return [kept.head, window.lines, kept.after], kept.lasting.body

    def _counted(
        self, asked: Asked, environ: "WSGIEnvironment"
    ) -> "tuple[KeptAnswer, Window | None] | None":
        """Give an answer that is kept, and the window that it counted in; note that it is given."""
        kept = self._kept.get(asked)
        if kept is None or not self._service.is_caught_up:  # which the application does
            return None
        began = perf_counter()
        now = self._clock.now()
        lasting, _, _, told, meter, _ = kept
        if not self._is_true(lasting, now):
            self._forget(asked, kept)
            return None
        window = None
        if meter is not None:
            window = meter(now)
            if window.is_refused:
                return kept, window
        if self._journal is not None:
            self._journal.add_kept(environ, told, window, now, began)
        if self._log.is_on:
            self._log.tell(environ, told.status, began)
        return kept, window

    def _is_true(self, lasting: Lasting, now: datetime) -> bool:
        _, session, generation, family, _, since, until, _ = lasting
        return (
            session.generation == generation
            and self._service.family is family
            and since <= now
            and (until is None or now < until)
        )

    def _ask(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Ask the application, and keep its answer if that lasts."""
        told: list[Any] = []
        asked = _asked(environ)

        def start(status: str, headers: Headers, *rest: Any) -> Callable[[bytes], object]:
            told[:] = [status, headers]
            return start_response(status, headers, *rest)

        answer = self._application(environ, start)
        lasting: Lasting | None = environ.get(CACHEABLE)
        if lasting is not None and told:
            self._keep(asked, self._kept_answer(asked, environ[NOTES], lasting, *told))
        return answer

    def _keep(self, asked: Asked, answer: KeptAnswer) -> None:
        if answer.size * _LARGEST_SHARE > self._most_bytes:
            return
        with self._lock:
            replaced = self._kept.pop(asked, None)
            self._kept[asked] = answer
            self._bytes += answer.size - (replaced.size if replaced else 0)
            while self._bytes > self._most_bytes:
                _oldest, removed = self._kept.popitem(last=False)
                self._bytes -= removed.size

    def _kept_answer(
        self, asked: Asked, notes: JsonObject, lasting: Lasting, status: str, headers: Headers
    ) -> KeptAnswer:
        places = [place for place, (name, _) in enumerate(headers) if name.startswith("RateLimit-")]
        first, behind = (places[0], places[-1] + 1) if places else (len(headers), len(headers))
        limits = self._service.rate_limits
        meter = limits.meter(lasting.caller, lasting.clock) if lasting.caller else None
        body, size = lasting.body, _ENTRY_BYTES + sum(len(part or "") for part in asked)
        before, after = headers[:first], headers[behind:]
        session, length = lasting.session.name, len(body)
        told = Told(session, lasting.clock, status, before, after, body[:BYTES_KEPT], length, notes)
        size += len(body) + len(told.body)
        head, rest = status_line(status) + header_lines(before), header_lines(after)
        if meter is None:
            head, rest = head + rest, b""
        return KeptAnswer(lasting, head, rest, told, meter, size)

    def _forget(self, asked: Asked, answer: KeptAnswer) -> None:
        with self._lock:
            if answer.lasting.family is not self._service.family:
                self._kept.clear()  # all are of old documents, which they would hold in memory
                self._bytes = 0
            if self._kept.get(asked) is answer:
                del self._kept[asked]
                self._bytes -= answer.size


def _is_plain(environ: "WSGIEnvironment") -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        and environ.keys() <= _PLAIN
    )


def _asked(environ: "WSGIEnvironment") -> Asked:
    get = environ.get
    return (
        environ["PATH_INFO"],
        get("QUERY_STRING"),
        get("HTTP_X_API_KEY"),
        get("HTTP_AUTHORIZATION"),
        get("HTTP_X_MOCK_SESSION"),
        get("HTTP_ACCEPT_ENCODING"),
        get("HTTP_ORIGIN"),
        get("HTTP_IF_NONE_MATCH"),
    )


def note_lasting(service: Service, response: Response) -> Response:
    """Note that the answer at hand lasts, if it does: a terminal execution, nothing special asked.

    A run of the world stays readable at least until the session's next midnight (UTC), when the
    list's old end moves. Before this moment it may not have ended: a clock can be set back.
    """
    scene: Scene | None = g.get("scene")
    if scene is None or not _is_lasting(response) or not service.is_undisturbed(scene.session):
        return response
    midnight = scene.now.replace(hour=0, minute=0, second=0, microsecond=0)
    clock = service.session_clock(scene.session.name)
    try:
        until = clock.machine_time_of(midnight + timedelta(days=1))
    except OverflowError:  # on the last day of the year 9999
        return response
    request.environ[CACHEABLE] = Lasting(
        b"" if response.status_code == HTTPStatus.NOT_MODIFIED else response.get_data(),
        scene.session,
        scene.generation,
        scene.family,
        clock,
        service.clock.now(),
        until,
        g.get("caller"),
    )
    return response


def _is_lasting(response: Response) -> bool:
    return (
        request.method == "GET"
        and response.status_code in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}
        and "ETag" in response.headers
        and not response.is_streamed
        and not g.preferences.wanted
        and not g.faults
    )
