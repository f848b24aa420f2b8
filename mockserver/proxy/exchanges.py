"""A request that passed the proxy, in the form that rules are tested on."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

import httpx

from deadringer.contracts import (
    Exchange,
    Failure,
    Json,
    JsonError,
    Operation,
    operation_at,
    parse_json,
)
from deadringer.contracts.check import BodyTooLargeError, decoded_body

from .upstream import Headers


class ForwardedRequest(NamedTuple):
    """A request of an operation: what was sent to the upstream. Names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    operation: Operation
    path_parameters: Mapping[str, str]
    sent_at_s: float


def operation_of(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Return the operation of a path as sent, with its path parameters; None for another path.

    HEAD is read as GET. The whole path must be that of the operation.
    """
    found = operation_at("GET" if method == "HEAD" else method, path)
    if found is None or found[1] != path:
        return None
    return found[0], found[2]


def exchange_of(
    sent: ForwardedRequest,
    status: int,
    headers: Headers,
    body: bytes,
    elapsed_s: float,
    *,
    failure: Failure | None = None,
    cause: str = "",
    limit: int,
) -> Exchange:
    """Return the exchange with a decoded copy of the body, of `limit` bytes at most.

    A body that is larger, or in a coding that cannot be decoded, counts as unknown.
    """
    named: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        named[key] = f"{named[key]}, {value}" if key in named else value
    decoded = _decoded(body, named.get("content-encoding", ""), limit)
    return Exchange(
        method=sent.method,
        path=sent.path,
        status=status,
        operation_id=sent.operation.operation_id,
        path_parameters=sent.path_parameters,
        query=dict(parse_qsl(sent.query, keep_blank_values=True)),
        request_headers=sent.headers,
        request_body=_json(sent.body),
        response_headers=named,
        response_body=decoded or b"",
        has_unknown_body=decoded is None,
        sent_at_s=sent.sent_at_s,
        elapsed_s=elapsed_s,
        failure=failure,
        cause=cause,
    )


def _decoded(body: bytes, coding: str, limit: int) -> bytes | None:
    try:
        return decoded_body(body, coding, limit) if coding else body
    except (BodyTooLargeError, httpx.DecodingError):
        return None


def _json(body: bytes) -> Json:
    try:
        return parse_json(body).value if body else None
    except JsonError:
        return None
