"""Read the exchanges of the API from HAR recordings, in the order they were sent."""

import base64
import binascii
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_text import JsonError, parse_json
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.specification import operation_at
from deadringer.contracts.timestamps import parse_timestamp

_LONGEST_MS = 1e12


def is_har(document: Json) -> bool:
    """Return whether a document looks like an HTTP archive."""
    log = document.get("log") if isinstance(document, dict) else None
    return isinstance(log, dict) and isinstance(log.get("entries"), list)


def exchanges_of(har: JsonObject) -> Iterator[tuple[int, Exchange]]:
    """Yield (index of the entry, exchange) of every request of the specification, by time."""
    entries = [(index, one) for index, one in enumerate(har["log"]["entries"])]
    readable = [(index, one) for index, one in entries if isinstance(one, dict)]
    for index, entry in sorted(readable, key=lambda pair: _sent_at_s(pair[1])):
        exchange = _exchange(entry)
        if exchange is not None:
            yield index, exchange


def _exchange(entry: JsonObject) -> Exchange | None:
    request, response = _object(entry.get("request")), _object(entry.get("response"))
    method = str(request.get("method", "")).upper()
    try:
        url = urlsplit(str(request.get("url", "")))
    except ValueError:  # such as an unclosed bracket
        return None
    found = operation_at(method, url.path)
    status = response.get("status")
    if found is None or not isinstance(status, int) or status <= 0:
        return None
    operation, path, parameters = found
    return Exchange(
        method=method,
        path=path,
        status=status,
        operation_id=operation.operation_id,
        path_parameters=parameters,
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        request_headers=_headers(request),
        request_body=_request_body(request),
        response_headers=_headers(response),
        response_body=_response_body(response) or b"",
        has_unknown_body=_response_body(response) is None,
        sent_at_s=_sent_at_s(entry),
        elapsed_s=_elapsed_s(entry),
    )


def _headers(part: JsonObject) -> dict[str, str]:
    listed = part.get("headers")
    pairs = [_object(one) for one in listed] if isinstance(listed, list) else []
    return {str(one.get("name", "")).lower(): str(one.get("value", "")) for one in pairs}


def _request_body(request: JsonObject) -> Json:
    try:
        return parse_json(str(_object(request.get("postData")).get("text", ""))).value
    except JsonError:
        return None


def _response_body(response: JsonObject) -> bytes | None:
    """Return the body, None if it was not recorded.

    Browsers leave `text` out where they no longer have the body, and exporters on purpose; `size`
    is its size all the same. Damaged base64 is no body either.
    """
    content = _object(response.get("content"))
    text, size = content.get("text"), content.get("size")
    if not isinstance(text, str) or (not text and isinstance(size, int) and size > 0):
        return None
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
    return text.encode("utf-8", "surrogatepass")


def _sent_at_s(entry: JsonObject) -> float:
    moment = parse_timestamp(entry.get("startedDateTime"))
    return moment.timestamp() if moment else 0.0


def _elapsed_s(entry: JsonObject) -> float:
    time_ms = entry.get("time")
    if isinstance(time_ms, bool) or not isinstance(time_ms, int | float):
        return 0.0
    return time_ms / 1000 if 0 <= time_ms <= _LONGEST_MS else 0.0


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
