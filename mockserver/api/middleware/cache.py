"""The response cache: returns cached responses without calling the application.

Only the application decides which responses are cacheable (`mark_cacheable`). A request gets a
cached response only if it equals an earlier one in everything a response may depend on.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Response

from deadringer.mockserver.context import (
    CONTEXT,
    CacheableBody,
    RequestContext,
    context_of_request,
    make_context,
)
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.server.environ import RAW_PATH
from deadringer.mockserver.server.heads import header_lines, status_line
from deadringer.mockserver.state.rate_limits import Meter, RateWindow
from deadringer.mockserver.world.service import Service, Snapshot

from .journal import MAX_BODY_BYTES, Journal, RepeatedResponse
from .request_log import RequestLog

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


_NOTHING: "WSGIEnvironment" = {}
Headers = list[tuple[str, str]]
CacheKey = tuple[str | None, ...]
"""The parts of a plain request that its response may depend on."""

_PLAIN = frozenset(
    {
        *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR"),
        *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE"),
        *("wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.errors", "wsgi.multithread"),
        *("wsgi.multiprocess", "wsgi.run_once", "wsgi.input_terminated", RAW_PATH),
        *("HTTP_X_API_KEY", "HTTP_AUTHORIZATION", "HTTP_X_MOCK_SESSION", "HTTP_ORIGIN"),
        *("HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH"),
        *("HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE"),
        *("HTTP_CONNECTION", "HTTP_REFERER", "HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_DNT"),
        *("HTTP_PRIORITY", "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_DEST"),
        *("HTTP_SEC_CH_UA", "HTTP_SEC_CH_UA_MOBILE", "HTTP_SEC_CH_UA_PLATFORM", "HTTP_SEC_GPC"),
    }
)
"""The environ of a plain request; a request with anything else goes to the application."""
_ENTRY_BYTES = 4096
"""The approximate memory of an entry beside its body, in bytes."""
_LARGEST_SHARE = 8
"""A response may take at most one part in so many of the memory."""


class CachedResponse(NamedTuple):
    """One response; the RateLimit headers, if there are any, go between `head` and `after`.

    Both are bytes as sent; `texts` holds the same as strings. The response is valid from the time
    of `snapshot` until `body.until`, as long as its session and documents are unchanged.
    """

    snapshot: Snapshot
    body: CacheableBody
    head: bytes
    after: bytes
    texts: RepeatedResponse
    repeat: Callable[[], None] | None
    """Counts a repetition for coverage; None without the control API."""
    meter: Meter | None
    size: int
    """The approximate memory it takes, in bytes."""


class ResponseCache:
    """WSGI middleware that caches responses, up to `most_bytes`."""

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
        self._cached: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle one request."""
        if not _is_plain(environ):
            return self._application(environ, start_response)
        reply = self.repeated(environ)
        if reply is not None:
            cached, headers = reply
            start_response(cached.texts.status, headers)
            return [cached.body.body] if cached.body.body else []
        return self._call_application(environ, start_response)

    def repeated(self, environ: "WSGIEnvironment") -> "tuple[CachedResponse, Headers] | None":
        """Return a cached response and its current headers, None if there is none.

        The journal stores `environ`, so the caller must not change it after a response was
        returned. The lookup neither waits nor reads the body, so an event loop may call it. A
        returned response is counted in its rate window, journaled and logged. Also None if the
        request was counted beyond an enforced limit: the environ then holds its context with the
        window, and must be passed to the application unchanged.
        """
        key = self.key_of(environ)
        found = None if key is None else self._counted(key, environ)
        if found is None:
            return None
        cached, window = found
        if window is not None and window.is_refused:
            environ[CONTEXT] = self._refused(environ, window)
            return None
        return cached, cached.texts.headers_in(window)

    def key_of(self, environ: "WSGIEnvironment") -> CacheKey | None:
        """Return the cache key of a request, None if the request is not plain."""
        return _cache_key(environ) if _is_plain(environ) else None

    def lookup(
        self, key: CacheKey, environ: "WSGIEnvironment"
    ) -> "tuple[list[bytes], bytes] | WSGIEnvironment":
        """Return head lines and body of a cached response, and count the request.

        If there is none, return the entries to add to the application's environ.
        """
        found = None if self._must_wait(key) else self._counted(key, environ)
        if found is None:
            return _NOTHING
        cached, window = found
        if window is None:
            return [cached.head], cached.body.body
        if window.is_refused:
            return {CONTEXT: self._refused(environ, window)}
        return [cached.head, window.lines, cached.after], cached.body.body

    def _must_wait(self, key: CacheKey) -> bool:
        """Return whether a request is counted on another machine."""
        cached = self._cached.get(key)
        return (
            cached is not None and cached.meter is not None and self._service.rate_limits.may_wait
        )

    def _refused(self, environ: "WSGIEnvironment", window: RateWindow) -> RequestContext:
        """Return the context of a request that was counted here and must be refused."""
        context = make_context(environ, self._service)
        context.window = window
        return context

    def _counted(
        self, key: CacheKey, environ: "WSGIEnvironment"
    ) -> "tuple[CachedResponse, RateWindow | None] | None":
        """Return a cached response and its rate window; journal and log the request."""
        cached = self._cached.get(key)
        if cached is None or not self._service.is_caught_up:  # the application catches up
            return None
        began = perf_counter()
        now = self._clock.now()
        if not self._is_valid(cached, now):
            self._remove(key, cached)
            return None
        window = None
        if cached.meter is not None:
            try:
                window = cached.meter(now)
            except ApiError:  # it cannot be counted; the application refuses it
                return None
            if window.is_refused:
                return cached, window
        if self._journal is not None:
            self._journal.add_repeated(environ, cached.texts, window, now, began)
        if cached.repeat is not None:
            cached.repeat()
        if self._log.is_on:
            self._log.add(environ, cached.texts.status, began)
        return cached, window

    def _is_valid(self, cached: CachedResponse, now: datetime) -> bool:
        snapshot, (_, until) = cached.snapshot, cached.body
        return (
            snapshot.session.generation == snapshot.generation
            and self._service.repository is snapshot.repository
            and snapshot.machine_now <= now
            and (until is None or now < until)
        )

    def _call_application(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Call the application, and store its response if that is cacheable."""
        started: list[Any] = []
        key = _cache_key(environ)

        def start(status: str, headers: Headers, *rest: Any) -> Callable[[bytes], object]:
            started[:] = [status, headers]
            return start_response(status, headers, *rest)

        response = self._application(environ, start)
        context: RequestContext | None = environ.get(CONTEXT)  # None without a readable session
        if context is not None and context.cacheable is not None and started:
            self._store(key, self._cached_response(key, context, context.cacheable, *started))
        return response

    def _store(self, key: CacheKey, response: CachedResponse) -> None:
        if response.size * _LARGEST_SHARE > self._most_bytes:
            return
        with self._lock:
            replaced = self._cached.pop(key, None)
            self._cached[key] = response
            self._bytes += response.size - (replaced.size if replaced else 0)
            while self._bytes > self._most_bytes:
                _oldest, removed = self._cached.popitem(last=False)
                self._bytes -= removed.size

    def _cached_response(
        self,
        key: CacheKey,
        context: RequestContext,
        cacheable: CacheableBody,
        status: str,
        headers: Headers,
    ) -> CachedResponse:
        places = [place for place, (name, _) in enumerate(headers) if name.startswith("RateLimit-")]
        first, behind = (places[0], places[-1] + 1) if places else (len(headers), len(headers))
        limits, clock = self._service.rate_limits, context.snapshot.clock
        meter = limits.meter(context.caller, clock) if context.caller else None
        before, after, body = headers[:first], headers[behind:], cacheable.body
        texts = RepeatedResponse(
            session=context.session_name,
            clock=clock,
            status=status,
            before=before,
            after=after,
            body=body[:MAX_BODY_BYTES],
            body_length=len(body),
            record=context.record(),
        )
        size = _ENTRY_BYTES + sum(len(part or "") for part in key) + len(body) + len(texts.body)
        head, rest = status_line(status) + header_lines(before), header_lines(after)
        if meter is None:
            head, rest = head + rest, b""
        repeat = context.repeat
        return CachedResponse(context.snapshot, cacheable, head, rest, texts, repeat, meter, size)

    def _remove(self, key: CacheKey, response: CachedResponse) -> None:
        with self._lock:
            if response.snapshot.repository is not self._service.repository:
                self._cached.clear()  # all entries would keep old documents in memory
                self._bytes = 0
            if self._cached.get(key) is response:
                del self._cached[key]
                self._bytes -= response.size


def _is_plain(environ: "WSGIEnvironment") -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        and environ.keys() <= _PLAIN
    )


def _cache_key(environ: "WSGIEnvironment") -> CacheKey:
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


def mark_cacheable(service: Service, response: Response) -> Response:
    """Mark the response as cacheable if it is a plain read of a terminal execution.

    A generated run stays readable until at least the session's next midnight (UTC), when the old
    end of the list moves. Before now it may not have ended: a clock can be set back.
    """
    context = context_of_request()
    if not _is_cacheable(context, response, service):
        return response
    snapshot = context.snapshot
    midnight = snapshot.now.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        until = snapshot.clock.machine_time_of(midnight + timedelta(days=1))
    except OverflowError:  # on the last day of the year 9999
        return response
    is_known_to_client = response.status_code == HTTPStatus.NOT_MODIFIED
    context.cacheable = CacheableBody(b"" if is_known_to_client else response.get_data(), until)
    return response


def _is_cacheable(context: RequestContext, response: Response, service: Service) -> bool:
    return (
        context.method == "GET"
        and not context.is_internal
        and response.status_code in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}
        and "ETag" in response.headers
        and not response.is_streamed
        and not context.preferences.wanted
        and not context.transport_faults
        and not context.contract_faults
        and service.is_undisturbed(context.snapshot.session)
    )
