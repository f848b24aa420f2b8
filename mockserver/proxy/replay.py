"""Respond to requests from a recording, in the order in which it was made."""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from werkzeug.sansio.http import is_resource_modified

from deadringer.contracts import (
    Exchange,
    Json,
    JsonError,
    JsonObject,
    parse_json,
    read_json,
)
from deadringer.contracts.documents import HarRecording, is_har
from deadringer.contracts.input_files import InputFileError, read_text_file
from deadringer.mockserver.exceptions import StartError

from .unmatched import NoRecording, ReplayRequest, matches, no_recording

RECORDING_FILE = "recording.har"
REPLACED = "_replaced"
"""Member of `postData`: JSON Pointers of the texts that sanitizing replaced; any text matches."""
REPLAY_HEADER = "Deadringer-Replay"
_NOT_MODIFIED = 304
_MOST_SESSIONS = 10_000
_OF_THE_CONNECTION = frozenset(
    {
        "alt-svc",
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "etag",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "server-timing",
        "set-cookie",
        "strict-transport-security",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of a recorded response that another connection must not repeat."""
_WITH_304 = frozenset(
    {"cache-control", "content-location", "etag", "expires", "last-modified", "vary"}
)


class StoredResponse(NamedTuple):
    """A response to send: header names are lower case, the body is not compressed.

    The headers have neither length nor date.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class ResponseSeries:
    """The responses to one request, in recorded order; each session has its own place in it."""

    request: ReplayRequest
    responses: list[StoredResponse] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def next(self, session: str) -> StoredResponse:
        """Return a session's next response and advance; the last one repeats."""
        place = self._places.pop(session, 0)
        response = self._at(place)
        self._places[session] = min(place + 1, len(self.responses) - 1)
        if len(self._places) > _MOST_SESSIONS:
            del self._places[next(iter(self._places))]
        return response

    def peek(self, session: str) -> StoredResponse:
        """Return a session's next response."""
        return self._at(self._places.get(session, 0))

    def _at(self, place: int) -> StoredResponse:
        """Return a response, with its number among those of the request."""
        response = self.responses[place]
        number = f"{place + 1}/{len(self.responses)}"
        return response._replace(headers=(*response.headers, (REPLAY_HEADER.lower(), number)))


class Replay:
    """The responses of a recording; may be used by several threads.

    A request matches by method, path, query in any order, body, and by whether it has a key: the
    recording does not hold the key itself. In a recording without any key, none is needed.
    `always` is for the proxy: not only if the real service cannot be reached.
    """

    def __init__(
        self, exchanges: Iterable[tuple[Exchange, frozenset[str]]], *, always: bool = False
    ) -> None:
        """Set the exchanges, by time, each with the pointers of its body where any text matches."""
        self.always = always
        exchanges = list(exchanges)
        self._series: dict[tuple[object, ...], list[ResponseSeries]] = {}
        self._lock = threading.Lock()
        self._needs_key = any(exchange.carries_key for exchange, _ in exchanges)
        self.left_out = 0
        """Exchanges whose body is unknown: it was not recorded, or the client had it cached."""
        self.responses = 0
        """Responses so far."""
        for exchange, any_text in exchanges:
            self._add(exchange, any_text)

    @classmethod
    def load(cls, place: Path, *, always: bool = False) -> "Replay":
        """Return the replay of a folder written by `--record`, or of a HAR file of any program.

        Raises:
            StartError: if there is no such recording, or no request of the API in it.
        """
        file = place / RECORDING_FILE if place.is_dir() else place
        replay = cls(_recorded(file), always=always)
        if not replay._series:
            raise StartError(
                f"{file}: it contains no response of the API with its body. Record again while "
                "your client calls the API: deadringer proxy UPSTREAM --record DIR"
            )
        return replay

    def respond(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        session: str = "",
        advances: bool = True,
    ) -> StoredResponse | NoRecording:
        """Return the next response to a request of a session, or why there is none.

        `path` and `query` are as they were sent, header names are lower case. A HEAD gets the
        next response to the GET, whose body is not to be sent, and does not advance it; nor does a
        request without `advances`. A client whose copy is current gets a 304.
        """
        request = self._request(method, path, query, headers, body)
        with self._lock:
            self.responses += 1
            read = self._find(request._replace(method="GET")) if method == "HEAD" else None
            if read is not None:
                return _current(read.peek(session), method, headers)
            series = self._find(request)
            if series is not None:
                found = series.next(session) if advances else series.peek(session)
                return _current(found, method, headers)
        return no_recording(request, [one.request for one in self._every()])

    def _every(self) -> Iterator[ResponseSeries]:
        for several in self._series.values():
            yield from several

    def _request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> ReplayRequest:
        carries_key = Exchange(method, path, 0, request_headers=headers).carries_key
        return ReplayRequest(
            method,
            tuple(unquote(one) for one in path.split("/")[1:]),
            tuple(sorted(parse_qsl(query, keep_blank_values=True))),
            _json_of(body),
            has_key=carries_key or not self._needs_key,
        )

    def _find(self, request: ReplayRequest) -> ResponseSeries | None:
        several = self._series.get(request.place, ())
        return next((one for one in several if matches(one.request, request)), None)

    def _add(self, exchange: Exchange, any_text: frozenset[str]) -> None:
        request = ReplayRequest(
            exchange.method,
            tuple(unquote(one) for one in exchange.path.split("/")[1:]),
            tuple(sorted(exchange.query.items())),
            exchange.request_body,
            has_key=exchange.carries_key or not self._needs_key,
            any_text=any_text,
        )
        series = self._find(request)
        response = self._stored(exchange, series)
        if response is None:
            self.left_out += 1
            return
        if series is None:
            series = ResponseSeries(request)
            self._series.setdefault(request.place, []).append(series)
        series.responses.append(response)

    def _stored(self, exchange: Exchange, series: ResponseSeries | None) -> StoredResponse | None:
        """Return the response of an exchange, None if its body is unknown.

        A 304 stands for the response that the client had cached: the last one of the series.
        """
        if exchange.has_unknown_body:
            return None
        if exchange.status == _NOT_MODIFIED:
            earlier = series.responses if series else []
            return next((one for one in reversed(earlier) if one.status == 200), None)
        headers = [
            (name, value)
            for name, value in exchange.response_headers.items()
            if name not in _OF_THE_CONNECTION and not name.startswith("access-control-")
        ]
        if "etag" in exchange.response_headers:
            # Sanitizing changes bodies: a copy of the real one must not count as current.
            digest = hashlib.blake2b(exchange.response_body, digest_size=12).hexdigest()
            headers.append(("etag", f'"{digest}"'))
        return StoredResponse(exchange.status, tuple(headers), exchange.response_body)


def _recorded(file: Path) -> Iterator[tuple[Exchange, frozenset[str]]]:
    har = _read(file)
    for one in HarRecording(har):
        posted = har["log"]["entries"][one.number]["request"].get("postData")
        pointers = posted.get(REPLACED) if isinstance(posted, dict) else None
        yield one.exchange, frozenset(pointers if isinstance(pointers, list) else ())


def _read(file: Path) -> JsonObject:
    try:
        har = read_json(read_text_file(file))
    except InputFileError as problem:
        fix = "Record one with deadringer proxy UPSTREAM --record DIR, or specify a HAR file."
        raise StartError(f"{file}: cannot be read: {problem}. {fix}") from problem
    except JsonError as problem:
        raise StartError(f"{file}: not JSON: {problem}. Specify a HAR file.") from problem
    if not is_har(har):
        raise StartError(f"{file}: it is no HAR file: /log/entries is missing. Specify another.")
    archive: JsonObject = har
    return archive


def _json_of(body: bytes) -> Json:
    try:
        return parse_json(body).value
    except JsonError:
        return None


def _current(response: StoredResponse, method: str, headers: Mapping[str, str]) -> StoredResponse:
    """Return a response as RFC 9110, section 13, asks for: whole, as a 304, or without body."""
    known = dict(response.headers)
    if response.status == 200 and method in {"GET", "HEAD"}:
        is_modified = is_resource_modified(
            http_if_none_match=headers.get("if-none-match"),
            http_if_modified_since=headers.get("if-modified-since"),
            etag=known.get("etag"),
            last_modified=known.get("last-modified"),
        )
        if not is_modified:
            retained = {*_WITH_304, REPLAY_HEADER.lower()}
            left = tuple(pair for pair in response.headers if pair[0] in retained)
            return StoredResponse(_NOT_MODIFIED, left, b"")
    return response
