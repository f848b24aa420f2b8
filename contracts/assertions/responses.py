"""Responses of several libraries as the one exchange that rules judge; none of them is imported."""

import json
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from contracts.exchanges import Exchange
from contracts.json_types import Json
from contracts.offline import operation_at


def is_response(subject: Any) -> bool:
    """Whether it looks like a response: a status in numbers, headers and a body."""
    has_body = hasattr(subject, "content") or hasattr(subject, "get_data")
    return isinstance(getattr(subject, "status_code", None), int) and has_body


def as_exchange(response: Any, operation_id: str | None = None) -> Exchange:
    """Give a response with its request; `operation_id` goes before what the path says.

    A response that knows no request is judged without one.
    """
    request = getattr(response, "request", None)
    method = str(getattr(request, "method", "") or "").upper()
    url = urlsplit(_target(request))
    found = operation_at(method, url.path)
    operation, path, parameters = found or (None, url.path, {})
    return Exchange(
        method=method,
        path=path,
        status=response.status_code,
        operation_id=operation_id or (operation.operation_id if operation else None),
        path_parameters=parameters,
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        request_headers=_headers(request),
        request_body=_parsed(_sent(request)),
        response_headers=_headers(response),
        response_body=_bytes(_received(response)),
    )


def _target(request: Any) -> str:
    """Give the URL of a request, or its path and query, percent-encoded as it was sent."""
    query = getattr(request, "query_string", None)
    if isinstance(query, bytes):  # Werkzeug, whose `path` is decoded
        path = quote(str(request.root_path).rstrip("/") + str(request.path))
        return f"{path}?{query.decode('latin-1')}"
    return str(getattr(request, "url", "") or "")


def _headers(message: Any) -> dict[str, str]:
    headers: Any = getattr(message, "headers", None) or {}
    return {_text(name).lower(): _text(value) for name, value in headers.items()}


def _received(response: Any) -> Any:
    return response.get_data() if hasattr(response, "get_data") else response.content


def _sent(request: Any) -> Any:
    """Give the body of a request; what was a stream has passed and is not there."""
    if hasattr(request, "body"):  # requests
        return request.body
    if hasattr(request, "get_data"):  # Werkzeug
        return _at_hand(request.get_data)
    return _at_hand(lambda: getattr(request, "content", None))


def _at_hand(read: Any) -> Any:
    try:
        return read()
    except (OSError, RuntimeError, ValueError):  # closed, or a stream that was not kept
        return None


def _parsed(body: Any) -> Json:
    try:
        return json.loads(body) if isinstance(body, str | bytes | bytearray) else None
    except (ValueError, RecursionError):
        return None


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
