"""Transport faults: slow, damaged and missing responses, and refusals at a rate."""

import fnmatch
import hashlib
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Response, request
from werkzeug.wsgi import ClosingIterator

from deadringer.contracts import JsonObject, parse_timestamp
from deadringer.mockserver.errors import ApiError, error_response, kind_of_status
from deadringer.mockserver.server.heads import header_lines, status_line
from deadringer.mockserver.server.wire import BrokenConnectionError, has_wire, pause, write_raw

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

API_ROOT = "/v1"
"""Faults apply to paths below this one."""
HANG_S = 3600
_NEEDS_WIRE = frozenset(
    {"reset", "truncate", "empty", "hang", "garbage", "wrong-length", "slow-headers"}
)
"""Kinds that end the connection, which is only possible under `deadringer serve`."""
_CHUNKS = 20


class FaultScope(NamedTuple):
    """The parts of a request that decide whether a fault matches it."""

    path: str
    method: str
    operation: str
    workflow_id: str
    key: str


class Kind(NamedTuple):
    """A kind of fault: its parameters with defaults, and the function that changes a response."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    change: Callable[[Response, JsonObject, random.Random], Response]


SCOPE = ("path", "method", "operation", "workflow_id", "key")
"""Members of a fault that select the requests it matches; `path` may contain * and ?."""


def matches(fault: JsonObject, request: FaultScope) -> bool:
    """Return whether a request is in the scope of a fault."""
    for name in SCOPE:
        wanted, sent = fault.get(name), getattr(request, name)
        if wanted is None:
            continue
        if name == "path":
            if not fnmatch.fnmatchcase(sent, wanted):
                return False
        elif wanted != sent:
            return False
    return True


def is_due(fault: JsonObject, now: datetime) -> bool:
    """Return whether a fault is in force: `from_s` and `until_s` count from its `since`."""
    since = parse_timestamp(fault.get("since"))
    if since is None:
        return True
    passed = (now - since).total_seconds()
    return bool(fault.get("from_s", passed) <= passed < fault.get("until_s", math.inf))


def triggers(fault: JsonObject, number: int) -> bool:
    """Return whether a fault triggers for the `number`-th request (from 0) in its scope.

    `count` triggers for the first ones, `every` with `length` for the last `length` of each
    `every`, `share` for a share of them that the seed selects. The result depends on nothing else.
    """
    count, every = fault.get("count"), fault.get("every")
    if count is not None and number >= count:
        return False
    if every is not None and number % every < every - fault.get("length", 1):
        return False
    share = fault.get("share")
    return share is None or _chance(fault, number).random() < share


def refuses(fault: JsonObject) -> bool:
    """Return whether a fault replaces the response, so that no other one need be made."""
    return bool(fault["kind"] == "status")


def breaks_off(fault: JsonObject) -> bool:
    """Return whether a fault ends the connection before the response is complete."""
    return fault["kind"] in _NEEDS_WIRE


def changes(fault: JsonObject) -> bool:
    """Return whether a fault changes a response rather than only delaying it."""
    return bool(fault["kind"] != "latency")


def apply_fault(response: Response, fault: JsonObject, number: int) -> Response:
    """Return the response with the fault applied; `hang` blocks a thread of the server."""
    if fault["kind"] in _NEEDS_WIRE and not has_wire():
        return error_response(_unsupported(fault["kind"]), HTTPStatus.NOT_IMPLEMENTED)
    chance = _chance(fault, number)
    chance.random()  # `share` used the first
    return KINDS[fault["kind"]].change(response, {**defaults(fault["kind"]), **fault}, chance)


def _unsupported(kind: str) -> ApiError:
    return ApiError(
        "INTERNAL_ERROR",
        f"The transport fault {kind} is not supported by this WSGI server",
        "Start the mock with `deadringer serve`; other WSGI servers run it without these faults: "
        + ", ".join(sorted(_NEEDS_WIRE)),
    )


def defaults(kind: str) -> Mapping[str, Any]:
    """Return the parameters of a kind with their default values."""
    return KINDS[kind].parameters


def _chance(fault: JsonObject, number: int) -> random.Random:
    text = f"{fault.get('seed', 0)} {fault['kind']} {number}"
    return random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311 - repeatable


def _latency(response: Response, fault: JsonObject, chance: random.Random) -> Response:
    low, high = fault["delay_ms"], fault["delay_to_ms"]
    if fault["spread"] == "log-normal":
        delay = low * math.exp(chance.gauss(0, fault["sigma"]))
    else:
        delay = low if high is None else chance.uniform(low, max(low, high))
    pause(min(delay, HANG_S * 1000) / 1000)
    return response


def _status(_response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    kind = kind_of_status(fault["status"])
    refusal = ApiError(
        kind.code if kind else "INTERNAL_ERROR",
        headers={"Retry-After": str(fault["retry_after_s"])} if fault["retry_after_s"] else {},
    )
    return error_response(refusal, fault["status"])


class _Silent(Response):
    """A response whose body is iterated even where it is not sent: for HEAD, and 304."""

    def get_app_iter(self, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Return the body."""
        return ClosingIterator(self.iter_encoded(), self.close)


def _break() -> bytes:
    raise BrokenConnectionError


def _streamed(
    response: Response, chunks: Iterator[bytes], kind: type[Response] = Response
) -> Response:
    """Return the response with another body, and the Content-Length of the original one."""
    streamed = kind(chunks, status=response.status_code, headers=dict(response.headers))
    streamed.headers["Content-Length"] = str(len(response.get_data()))
    return streamed


def _reset(response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    return _cut_off(response, fault["after"], is_reset=True)


def _truncate(response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    return _cut_off(response, fault["after"], is_reset=False)


def _cut_off(response: Response, after: float, *, is_reset: bool) -> Response:
    sent = response.get_data()[: int(len(response.get_data()) * after)]

    def chunks() -> Iterator[bytes]:
        if sent:
            yield sent
            pause(0.05)  # lets the bytes be sent before the connection is closed
        raise BrokenConnectionError(is_reset=is_reset)

    return _streamed(response, chunks())


def _garbage(response: Response, fault: JsonObject, chance: random.Random) -> Response:
    def chunks() -> Iterator[bytes]:
        write_raw(chance.randbytes(fault["bytes"]))
        yield _break()

    return _streamed(response, chunks(), _Silent)


def _wrong_length(response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    body = response.get_data()

    def chunks() -> Iterator[bytes]:
        yield body
        raise BrokenConnectionError

    streamed = _streamed(response, chunks())
    streamed.headers["Content-Length"] = str(len(body) + fault["extra"])
    return streamed


def _slow_headers(response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    body = b"" if request.method == "HEAD" else response.get_data()
    headers = [*response.headers, ("Connection", "close")]
    head = status_line(response.status) + header_lines(headers) + b"\r\n"

    def chunks() -> Iterator[bytes]:
        lines = head.splitlines(keepends=True)
        for line in lines:
            write_raw(line)
            pause(fault["over_ms"] / 1000 / len(lines))
        write_raw(body)
        yield _break()

    return _streamed(response, chunks(), _Silent)


def _empty(response: Response, _fault: JsonObject, _chance: random.Random) -> Response:
    return _silent_for(0, response)


def _silent_for(seconds: float, response: Response) -> Response:
    """Return a response that waits, then closes the connection before its first byte."""

    def chunks() -> Iterator[bytes]:
        pause(seconds)
        yield _break()

    return _streamed(response, chunks(), _Silent)


def _malformed(response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    body = response.get_data()
    response.set_data(body[: int(len(body) * fault["after"])])
    return response


def _drip(response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    body = response.get_data()
    size = max(1, -(-len(body) // _CHUNKS))

    def chunks() -> Iterator[bytes]:
        for begin in range(0, len(body), size):
            yield body[begin : begin + size]
            pause(fault["over_ms"] / 1000 / _CHUNKS)

    return _streamed(response, chunks())


def _content_type(response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    response.headers["Content-Type"] = fault["content_type"]
    return response


def _hang(response: Response, fault: JsonObject, _chance: random.Random) -> Response:
    return _silent_for(fault["hang_ms"] / 1000, response)


_LATENCY = {"delay_ms": 800, "delay_to_ms": None, "spread": "uniform", "sigma": 0.5}
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "latency",
            "Delays the response: fixed, uniform, or log-normal around delay_ms.",
            _LATENCY,
            _latency,
        ),
        Kind(
            "status",
            "Responds with an error status.",
            {"status": 503, "retry_after_s": None},
            _status,
        ),
        Kind("reset", "Resets the connection (TCP RST) within the body.", {"after": 0.5}, _reset),
        Kind("truncate", "Sends half of the body, then closes.", {"after": 0.5}, _truncate),
        Kind("empty", "Closes the connection without sending a byte.", {}, _empty),
        Kind("malformed", "Sends truncated JSON.", {"after": 0.7}, _malformed),
        Kind("drip", "Sends the body in small pieces.", {"over_ms": 3000}, _drip),
        Kind(
            "content-type",
            "Sends another Content-Type.",
            {"content_type": "text/html"},
            _content_type,
        ),
        Kind("hang", "Never responds.", {"hang_ms": HANG_S * 1000}, _hang),
        Kind(
            "garbage", "Sends random bytes instead of HTTP, then closes.", {"bytes": 512}, _garbage
        ),
        Kind(
            "wrong-length",
            "Announces a longer body than it sends, then closes.",
            {"extra": 100},
            _wrong_length,
        ),
        Kind("slow-headers", "Sends its headers line by line.", {"over_ms": 3000}, _slow_headers),
    )
}
"""Every kind of transport fault."""

RETRY_AFTER_S = 5
"""The Retry-After of a 503 that a request prefers, in seconds."""

NAMED_FAULTS: Mapping[str, JsonObject] = {
    **{name: {"kind": name} for name in KINDS if name != "status"},
    "error-500": {"kind": "status", "status": 500},
    "error-502": {"kind": "status", "status": 502},
    "error-503": {"kind": "status", "status": 503, "retry_after_s": RETRY_AFTER_S},
    "error-504": {"kind": "status", "status": 504},
}
"""Faults that `Prefer: fault=NAME` accepts, beside the contract faults."""

CHAOS: Mapping[str, tuple[str, tuple[JsonObject, ...]]] = {
    "flaky-mobile": (
        "Bad mobile reception: slow, sometimes cut off.",
        (
            {"kind": "latency", "delay_ms": 400, "spread": "log-normal", "sigma": 0.8},
            {"kind": "empty", "share": 0.04, "seed": 1},
            {"kind": "truncate", "share": 0.03, "seed": 2},
        ),
    ),
    "overloaded": (
        "High load: slow responses, a tenth of them 503.",
        (
            {"kind": "latency", "delay_ms": 900, "spread": "log-normal", "sigma": 0.6},
            {"kind": "status", "status": 503, "share": 0.1, "seed": 3, "retry_after_s": 5},
        ),
    ),
    "rate-limited": (
        "Another client uses up the limit: 5 of every 20 requests are refused.",
        ({"kind": "status", "status": 429, "every": 20, "length": 5, "retry_after_s": 3},),
    ),
    "maintenance": (
        "Switched off: every request is refused.",
        ({"kind": "status", "status": 503, "retry_after_s": 120},),
    ),
}
"""The chaos profiles: description and faults of each."""


def chaos_faults(profile: str) -> list[JsonObject]:
    """Return the faults of a profile, with ids."""
    _, faults = CHAOS[profile]
    return [{**fault, "id": f"{profile}-{place}"} for place, fault in enumerate(faults, 1)]
