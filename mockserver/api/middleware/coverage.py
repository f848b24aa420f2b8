"""Coverage: what the requests of each session met, evaluated when it is read."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

from deadringer.contracts import Exchange, Failure
from deadringer.contracts.content_codings import ContentCodingError, undo_coding
from deadringer.mockserver.api.http import LARGEST_DECODED
from deadringer.mockserver.context import CONTEXT, RequestContext, is_api_path
from deadringer.mockserver.server.wire import BrokenConnectionError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from deadringer.contracts.coverage import CoverageTally

MOST_WAITING = 500
MOST_WAITING_BYTES = 8 * 2**20
"""Responses beyond one of these are evaluated at once, the oldest first."""
LARGEST_BYTES = MOST_WAITING_BYTES
"""The body of a larger response counts as unknown."""
MOST_REPEATED = 1000
"""Requests whose last response is remembered, so that the same one again is only counted."""
MOST_SESSIONS = 500
"""Sessions with counts of their own; those of the least recently used count in the total only."""

SLOW_S = 1.0
"""As the situation `slow_response` has it."""
_FAILURES = {"hang": Failure.TIMED_OUT, "garbage": Failure.MALFORMED}
"""What a client sees of a transport fault that ends the connection, if it is not DROPPED."""
_WITHOUT_HEAD = {"hang", "garbage", "empty"}
LISTS = {"listExecutions"}
_COMPLETE = "slow-headers"
"""A fault that writes a whole response itself."""


class SentResponse(NamedTuple):
    """A response as it was sent, and the request; the chunks are those of its encoded body."""

    method: str
    path: str
    query: str
    operation: str
    path_parameters: dict[str, str]
    status: int
    headers: list[tuple[str, str]]
    chunks: list[bytes]
    sent_at_s: float
    elapsed_s: float
    failure: Failure | None = None
    has_unknown_body: bool = False

    @property
    def size(self) -> int:
        """The bytes of its body."""
        return sum(map(len, self.chunks))

    @property
    def fingerprint(self) -> int:
        """A number that differs where anything differs that coverage looks at."""
        is_slow = self.elapsed_s >= SLOW_S
        names = tuple(name for name, _value in self.headers)
        return hash((self.method, self.status, self.failure, is_slow, names, *self.chunks))

    def exchange(self) -> Exchange:
        """Return the exchange, with the body decoded."""
        headers = {name.lower(): value for name, value in self.headers}
        body, is_unknown = b"".join(self.chunks), False
        coding = headers.get("content-encoding", "").strip().lower()
        if self.failure is None and coding not in {"", "identity"}:
            try:
                body, is_whole = undo_coding(body, coding, LARGEST_DECODED)
                is_unknown = not is_whole
            except ContentCodingError:
                is_unknown = True
        return Exchange(
            method=self.method,
            path=self.path,
            status=self.status,
            operation_id=self.operation or None,
            path_parameters=self.path_parameters,
            query=dict(parse_qsl(self.query, keep_blank_values=True)),
            response_headers=headers,
            response_body=body,
            sent_at_s=self.sent_at_s,
            elapsed_s=self.elapsed_s,
            failure=self.failure,
            has_unknown_body=self.has_unknown_body or is_unknown,
        )


class _Repetitions(Protocol):
    count: int


class _Early:
    """Counts the repetitions of a response that is not evaluated yet."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Observation:
    """One response and how often it was repeated; its body is released once it is evaluated."""

    __slots__ = ("_counter", "_sent", "session", "size")

    def __init__(self, session: str, sent: SentResponse) -> None:
        self.session = session
        self.size = sent.size
        self._sent: SentResponse | None = sent
        self._counter: _Repetitions = _Early()

    def repeat(self) -> None:
        """Count a repetition of the response."""
        self._counter.count += 1

    def evaluate(self, tally: "CoverageTally") -> None:
        """Count the response and its repetitions in a tally; called once."""
        assert self._sent is not None
        early, self._counter = self._counter, tally.observe(self._sent.exchange())
        self._sent = None
        self._counter.count += early.count


class Coverage:
    """The tallies of all sessions, and the total since the server started."""

    def __init__(self) -> None:
        self._tallies: OrderedDict[str, CoverageTally] = OrderedDict()
        self._ended: CoverageTally | None = None
        self._waiting: deque[Observation] = deque()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        """For what waits and what was last; held briefly."""
        self._last: dict[tuple[str, str, str], tuple[int, Observation | None]] = {}
        """Session, path and query to the fingerprint of the last response, and its observation."""
        self._evaluating = threading.RLock()
        """For the tallies; held while responses are evaluated, in the order of arrival."""

    def add(self, session: str, sent: SentResponse) -> Observation:
        """Record a response; it is evaluated later.

        The third of equal responses to one request, and each later one, is only counted: it meets
        what the second met.
        """
        request, fingerprint = (session, sent.path, sent.query), sent.fingerprint
        with self._lock:
            before = self._last.get(request)
            is_second = before is not None and before[0] == fingerprint
            if before is not None and is_second and before[1] is not None:
                before[1].repeat()
                return before[1]
            observation = Observation(session, sent)
            if len(self._last) >= MOST_REPEATED or (not is_second and sent.operation in LISTS):
                self._last.clear()  # a run that is listed now may meet more than before
            self._last[request] = fingerprint, observation if is_second else None
            self._waiting.append(observation)
            self._waiting_bytes += observation.size
        while len(self._waiting) > MOST_WAITING or self._waiting_bytes > MOST_WAITING_BYTES:
            self._evaluate_oldest()
        return observation

    def tally(self, session: str) -> "CoverageTally":
        """Return the counts of a session since its reset."""
        found = _new_tally()
        with self._evaluating:
            self._catch_up()
            if session in self._tallies:
                found.merge(self._tallies[session])
        return found

    def total(self) -> "CoverageTally":
        """Return the counts of all sessions since the server started, whatever was reset."""
        found = _new_tally()
        with self._evaluating:
            self._catch_up()
            for one in (self._ended, *self._tallies.values()):
                if one is not None:
                    found.merge(one)
        return found

    def reset(self, session: str) -> None:
        """Begin a session's counts again; the total has them."""
        with self._evaluating:
            self._catch_up()
            self._end(session)

    def reset_all(self) -> None:
        """Begin the counts of every session again; the total has them."""
        with self._evaluating:
            self._catch_up()
            for session in [*self._tallies]:
                self._end(session)

    def _catch_up(self) -> None:
        """Evaluate what waits now, but not what arrives meanwhile."""
        for _ in range(len(self._waiting)):
            self._evaluate_oldest()

    def _evaluate_oldest(self) -> None:
        """Evaluate one response, if one waits."""
        with self._evaluating:
            with self._lock:
                if not self._waiting:
                    return
                observation = self._waiting.popleft()
                self._waiting_bytes -= observation.size
            observation.evaluate(self._tally_of(observation.session))

    def _tally_of(self, session: str) -> "CoverageTally":
        """Return the tally of a session; it is then the most recently used one."""
        tally = self._tallies.get(session)
        if tally is None:
            tally = self._tallies[session] = _new_tally()
            if len(self._tallies) > MOST_SESSIONS:
                self._end(next(iter(self._tallies)))
        self._tallies.move_to_end(session)
        return tally

    def _end(self, session: str) -> None:
        """Move the counts of a session to the total."""
        ended = self._tallies.pop(session, None)
        if ended is None:
            return
        self._ended = self._ended or _new_tally()
        with self._lock:  # no response may be counted as a repetition meanwhile
            self._last.clear()
            self._ended.merge(ended)


def _new_tally() -> "CoverageTally":
    from deadringer.contracts.coverage import CoverageTally  # only once coverage is evaluated

    return CoverageTally()


class CoverageLayer:
    """WSGI middleware that records the responses of the API."""

    def __init__(self, application: "WSGIApplication", coverage: Coverage) -> None:
        self._application = application
        self._coverage = coverage

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle one request."""
        context: RequestContext = environ[CONTEXT]
        if not is_api_path(context.path):
            return self._application(environ, start_response)
        began = time.perf_counter()
        query = environ.get("QUERY_STRING", "")
        started: list[Any] = ["500", []]

        def start(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
            started[:] = [status, headers]
            return start_response(status, headers, exc_info)

        response = self._application(environ, start)
        return self._recorded(response, context, query, started, began)

    def _recorded(
        self,
        response: Iterable[bytes],
        context: RequestContext,
        query: str,
        started: list[Any],
        began: float,
    ) -> Iterator[bytes]:
        """Yield the response and record it, unless the client does not wait for its end."""
        chunks: list[bytes] = []
        size = 0
        try:
            for chunk in response:
                size += len(chunk)
                if size <= LARGEST_BYTES:
                    chunks.append(chunk)
                yield chunk
            sent = _sent(context, query, started, chunks, began)
            self._add(sent if size <= LARGEST_BYTES else _without_body(sent), context)
        except BrokenConnectionError:
            kinds = {fault["kind"] for fault, _number in context.transport_faults}
            self._add(_broken_off(_sent(context, query, started, chunks, began), kinds), context)
            raise
        finally:
            close = getattr(response, "close", None)
            if close:
                close()

    def _add(self, sent: SentResponse, context: RequestContext) -> None:
        context.repeat = self._coverage.add(context.session_name, sent).repeat


def _sent(
    context: RequestContext, query: str, started: list[Any], chunks: list[bytes], began: float
) -> SentResponse:
    return SentResponse(
        method=context.method,
        path=context.path,
        query=query,
        operation=context.operation,
        path_parameters=dict(context.path_parameters),
        status=int(started[0][:3]),
        headers=started[1],
        chunks=chunks,
        sent_at_s=context.snapshot.machine_now.timestamp(),
        elapsed_s=time.perf_counter() - began,
    )


def _without_body(sent: SentResponse) -> SentResponse:
    return sent._replace(chunks=[], has_unknown_body=True)


def _broken_off(sent: SentResponse, kinds: set[str]) -> SentResponse:
    """Return a response that a transport fault of one of these kinds ended, as a client sees it."""
    if _COMPLETE in kinds:
        return _without_body(sent)
    kind = next((one for one in kinds if one in _FAILURES), "")
    status = 0 if kinds & _WITHOUT_HEAD or not sent.chunks else sent.status
    return sent._replace(status=status, failure=_FAILURES.get(kind, Failure.DROPPED))
