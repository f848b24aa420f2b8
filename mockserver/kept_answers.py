"""Repeats answers that last without asking the application again.

The application alone says what lasts (`lasting.py`), and a request is answered from here only if
it is the same as one before in everything an answer may depend on. All else is passed on.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from contracts import JsonObject

from .journal import BYTES_KEPT, NOTES, Journal, Told
from .lasting import LASTING, WINDOW, Lasting
from .logs import RequestLog
from .rate_limits import Meter
from .service import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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
    """One answer; the headers of the window, if there are any, stand before those `after` them."""

    lasting: Lasting
    status: str
    status_code: int
    headers: Headers
    after: Headers
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
        reply = self.repeated(environ)
        if reply is not None:
            kept, headers = reply
            start_response(kept.status, headers)
            return [kept.lasting.body] if kept.lasting.body else []
        if not _is_plain(environ):
            return self._application(environ, start_response)
        return self._ask(environ, start_response)

    def repeated(self, environ: "WSGIEnvironment") -> "tuple[KeptAnswer, Headers] | None":
        """Give an answer that is kept with its headers of this moment, and count the request.

        Of None the caller learns that the application is to be asked, with this same environ,
        which need not have the parts that are alike for all requests.
        """
        if environ["REQUEST_METHOD"] != "GET":
            return None
        began = perf_counter()
        kept = self._kept.get(_asked(environ))
        if kept is None or not _is_plain(environ):
            return None
        now = self._clock.now()
        if not self._is_true(kept.lasting, now):
            self._forget(_asked(environ), kept)
            return None
        headers = kept.headers
        if kept.meter is not None:
            window, items = kept.meter(kept.lasting.clock.at(now))
            if window is not None:
                environ[WINDOW] = window  # which is not plain: the application refuses it
                return None
            headers = [*headers, *items, *kept.after]
        if self._journal is not None:
            self._journal.add_kept(environ, kept.told, headers, now, began)
        if self._log.is_on:
            self._log.tell(environ, kept.status, began)
        return kept, headers

    def _is_true(self, lasting: Lasting, now: datetime) -> bool:
        return (
            self._service.generation_of(lasting.session) == lasting.generation
            and self._service.family is lasting.family
            and lasting.since <= now
            and (lasting.until is None or now < lasting.until)
        )

    def _ask(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Ask the application, and keep its answer if that lasts."""
        told: list[Any] = []

        def start(status: str, headers: Headers, *rest: Any) -> Callable[[bytes], object]:
            told[:] = [status, headers]
            return start_response(status, headers, *rest)

        answer = self._application(environ, start)
        lasting: Lasting | None = environ.get(LASTING)
        if lasting is not None and told:
            asked = _asked(environ)
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
        limits, speed = self._service.rate_limits, lasting.clock.speed
        meter = limits.meter(lasting.caller, speed) if lasting.caller else None
        body, size = lasting.body, _ENTRY_BYTES + sum(len(part or "") for part in asked)
        told = Told(
            lasting.session.name, lasting.clock, status, body[:BYTES_KEPT], len(body), notes
        )
        size += len(body) + len(told.body)
        return KeptAnswer(
            lasting, status, int(status[:3]), headers[:first], headers[behind:], told, meter, size
        )

    def _forget(self, asked: Asked, answer: KeptAnswer) -> None:
        with self._lock:
            if answer.lasting.family is not self._service.family:
                self._kept.clear()  # all are of old documents, which they would hold in memory
                self._bytes = 0
            if self._kept.get(asked) is answer:
                del self._kept[asked]
                self._bytes -= answer.size


def _is_plain(environ: "WSGIEnvironment") -> bool:
    return environ["REQUEST_METHOD"] == "GET" and environ.keys() <= _PLAIN


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
