"""Read the exchanges of the API from HAR recordings, in the order they were sent.

Recordings of browsers and proxies contain more than responses of the server: copies from caches,
requests without a response, WebSockets. These are skipped, each with its reason.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urljoin, urlsplit

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.specification import Operation, operation_at
from deadringer.contracts.timestamps import parse_timestamp

from .entry_counts import SkipReason
from .har_bodies import NotRecordedError, request_body, response_body

_API = "/v1/"
_LONGEST_MS = 1e12
_BEFORE, _AFTER = ("blocked", "dns", "connect"), ("send", "wait", "receive")
"""Parts of `timings` before and after a request is sent; `connect` includes `ssl`."""
_STATUSES = range(100, 1000)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
_CACHE_MARKS = (
    *("_fromCache", "_fromDiskCache", "_fromMemoryCache", "fromDiskCache", "fromDisk"),
    *("_fetchedViaServiceWorker", "_fromServiceWorker", "fromServiceWorker"),
)
"""Members of an entry or its response, from Chrome and the tools that control it."""
_FETCHED_FROM_CACHE = frozenset({"Memory Cache", "Disk Cache", "Service Worker"})
"""Values of `_fetchType`, from Safari."""


_PROXIES = ("deadringer", "mitmproxy", "charles", "proxyman")
"""Creators of recordings with every header that was sent."""


class RecordedExchange(NamedTuple):
    """An exchange, the number of its entry (from 0), and its server: origin and path's prefix."""

    number: int
    server: str
    exchange: Exchange


class _Entry(NamedTuple):
    number: int
    sent_at_s: float
    url: SplitResult
    method: str
    request: JsonObject
    response: JsonObject
    content: JsonObject
    found: tuple[Operation, str, dict[str, str]] | None

    @property
    def server(self) -> str:
        """Return the origin with the prefix before the path of the operation."""
        prefix = self.url.path.removesuffix(self.found[1]) if self.found else self.url.path
        return f"{self.url.scheme}://{self.url.netloc}".lower() + prefix


def is_har(document: Json) -> bool:
    """Return whether a document looks like an HTTP archive."""
    log = document.get("log") if isinstance(document, dict) else None
    return isinstance(log, dict) and isinstance(log.get("entries"), list)


class HarRecording:
    """The entries of an HTTP archive: exchanges of the API in the order they were sent.

    `entries` counts all of them, `skipped` those that are not yielded, by reason.
    `servers_with_key` are those that were sent a key, as in `RecordedExchange.server`. `writes` are
    (method, path) of requests that are no operation, some of which change a workflow.
    """

    def __init__(self, har: JsonObject) -> None:
        listed = har["log"]["entries"]
        self.entries = len(listed)
        self.skipped: Counter[SkipReason] = Counter()
        creators = _creators(har)
        self._is_from_firefox = "firefox" in creators
        self._is_from_proxy = any(name in creators for name in _PROXIES)
        self.writes: list[tuple[str, str]] = []
        self._chosen: list[_Entry] = []
        last_s = 0.0
        for number, content in enumerate(listed):
            entry = _entry(number, content, last_s)
            reason = self._reason_to_skip(entry) if entry else SkipReason.MALFORMED
            last_s = entry.sent_at_s if entry else last_s
            if entry and reason is None:
                self._chosen.append(entry)
            elif reason:
                self.skipped[reason] += 1
            if entry and reason is SkipReason.OTHER_PATH and entry.method != "GET":
                self.writes.append((entry.method, _API + entry.url.path.partition(_API)[2]))
        self._chosen.sort(key=lambda one: one.sent_at_s)
        self.servers_with_key = frozenset(
            one.server for one in self._chosen if _bare_exchange(one).carries_key
        )

    def __iter__(self) -> Iterator[RecordedExchange]:
        """Yield the exchanges; their bodies are decoded one at a time."""
        for entry in self._chosen:
            yield RecordedExchange(entry.number, entry.server, _exchange(entry))

    def _reason_to_skip(self, entry: _Entry) -> SkipReason | None:
        if not _is_http(entry):
            return SkipReason.NOT_HTTP
        if entry.found is None:
            return SkipReason.PREFLIGHT if _is_preflight(entry) else SkipReason.OTHER_PATH
        if entry.content.get("_wasFulfilled"):
            return SkipReason.STUBBED
        if not _has_status(entry.response):
            return SkipReason.NO_RESPONSE
        if _is_redirect(entry):
            return SkipReason.REDIRECT
        return SkipReason.CACHED if self._is_cached(entry) else None

    def _is_cached(self, entry: _Entry) -> bool:
        """Return whether the response, or its status 304, comes from this side of the network."""
        if _has_mark_of_a_cache(entry):
            return True
        if self._is_from_firefox and _has_no_size(entry.response):
            return True
        # Browsers revalidate on their own, and may not record the headers that they added.
        is_asked_for = bool(_CONDITIONS & _headers(entry.request).keys())
        return entry.response["status"] == 304 and not (is_asked_for or self._is_from_proxy)


def _creators(har: JsonObject) -> str:
    names = [_object(har["log"].get(one)).get("name") for one in ("creator", "browser")]
    return " ".join(str(name) for name in names).lower()


def _entry(number: int, content: Json, last_s: float) -> _Entry | None:
    """Return an entry; one without a time was sent when the one before it was."""
    request = _object(_object(content).get("request"))
    method = str(request.get("method", "")).upper()
    try:
        url = urlsplit(str(request.get("url", "")))
    except ValueError:  # such as an unclosed bracket
        return None
    if not method or not url.geturl():
        return None
    moment = parse_timestamp(content.get("startedDateTime"))
    return _Entry(
        number=number,
        sent_at_s=moment.timestamp() + _waited_s(content) if moment else last_s,
        url=url,
        method=method,
        request=request,
        response=_as_received(_object(content.get("response"))),
        content=content,
        found=operation_at(method, url.path),
    )


def _as_received(response: JsonObject) -> JsonObject:
    """Return a response as the server sent it.

    Where a cached copy was still valid, Playwright has the headers of the 304 that confirmed it,
    and no bytes of a body, but the status and the content of the copy.
    """
    transferred, size = response.get("_transferSize"), _object(response.get("content")).get("size")
    is_confirmed = _is_zero(response, "bodySize") and response.get("status") == 200
    if is_confirmed and isinstance(transferred, int) and isinstance(size, int):
        return {**response, "status": 304} if transferred > 0 and size > 0 else response
    return response


def _is_http(entry: _Entry) -> bool:
    if entry.url.scheme not in {"http", "https", ""}:
        return False
    is_web_socket = str(entry.content.get("_resourceType")).lower() == "websocket"
    return not is_web_socket and entry.response.get("status") != 101


def _is_preflight(entry: _Entry) -> bool:
    announced = _headers(entry.request).get("access-control-request-method", "")
    return entry.method == "OPTIONS" and operation_at(announced, entry.url.path) is not None


def _has_status(response: JsonObject) -> bool:
    status = response.get("status")
    return isinstance(status, int) and status in _STATUSES


def _has_mark_of_a_cache(entry: _Entry) -> bool:
    if any(entry.content.get(mark) or entry.response.get(mark) for mark in _CACHE_MARKS):
        return True
    is_fetched = str(entry.content.get("_fetchType")) in _FETCHED_FROM_CACHE
    return is_fetched or _is_zero(entry.response, "_transferSize")


def _has_no_size(response: JsonObject) -> bool:
    """Return whether no body was transferred, though there is one."""
    has_body = bool(_object(response.get("content")).get("text"))
    return has_body and _is_zero(response, "bodySize") and response["status"] != 304


def _is_zero(response: JsonObject, member: str) -> bool:
    size = response.get(member)
    return isinstance(size, int) and not isinstance(size, bool) and size == 0


def _is_redirect(entry: _Entry) -> bool:
    """Return whether the same path is requested again elsewhere, such as by HTTPS."""
    target = entry.response.get("redirectURL") or _headers(entry.response).get("location")
    if entry.response["status"] not in _REDIRECTS or not isinstance(target, str):
        return False
    try:
        url = urlsplit(urljoin(entry.url.geturl(), target))
    except ValueError:
        return False
    return operation_at(entry.method, url.path) == entry.found and url != entry.url


def _bare_exchange(entry: _Entry) -> Exchange:
    """Return the request, and no response."""
    if entry.found is None:
        raise ValueError(f"entry {entry.number} is no request of the API")
    operation, path, parameters = entry.found
    return Exchange(
        method=entry.method,
        path=path,
        status=0,
        operation_id=operation.operation_id,
        path_parameters=parameters,
        query=dict(parse_qsl(entry.url.query, keep_blank_values=True)),
        request_headers=_headers(entry.request),
        request_body=request_body(entry.request),
        sent_at_s=entry.sent_at_s,
        elapsed_s=max(0.0, _total_s(entry.content) - _waited_s(entry.content)),
    )


def _exchange(entry: _Entry) -> Exchange:
    headers = _headers(entry.response)
    try:
        body, has_unknown_body = response_body(entry.response, headers), False
    except NotRecordedError:
        body, has_unknown_body = b"", True
    return replace(
        _bare_exchange(entry),
        status=entry.response["status"],
        response_headers=headers,
        response_body=body,
        has_unknown_body=has_unknown_body,
    )


def _headers(part: JsonObject) -> dict[str, str]:
    """Return headers by lower-case name, repeated ones joined; without HTTP/2's pseudo headers.

    Browsers join repeated headers by a line end.
    """
    listed = part.get("headers")
    pairs = [_object(one) for one in listed] if isinstance(listed, list) else []
    values: dict[str, list[str]] = {}
    for pair in pairs:
        name = str(pair.get("name", "")).strip().lower()
        if name and not name.startswith(":"):
            values.setdefault(name, []).extend(str(pair.get("value", "")).split("\n"))
    # Some tools list the same line twice.
    return {name: ", ".join(dict.fromkeys(found)) for name, found in values.items()}


def _total_s(entry: JsonObject) -> float:
    """Return how long an entry took; from the parts that are known if the sum is not."""
    time_ms = _milliseconds(entry.get("time"))
    return (_sum_ms(entry, *_BEFORE, *_AFTER) if time_ms is None else time_ms) / 1000


def _waited_s(entry: JsonObject) -> float:
    """Return how long the request waited for its turn and a connection before it was sent."""
    return min(_sum_ms(entry, *_BEFORE) / 1000, _total_s(entry))


def _sum_ms(entry: JsonObject, *names: str) -> float:
    parts = _object(entry.get("timings"))
    return sum(_milliseconds(parts.get(name)) or 0.0 for name in names)


def _milliseconds(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _LONGEST_MS else None


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
